//! The record of every push: how often it was delivered and what came back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use wechat_wire::push::{Push, PushBody};

use super::answer::Verdict;
use crate::random;

/// How many deliveries are remembered.
const CAPACITY: usize = 5_000;

/// How many attempts one delivery remembers; repeats could add any number.
const ATTEMPTS: usize = 1_000;

/// A push and what became of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    /// The identifier in the control API's addresses.
    pub(crate) id: String,
    /// `subscribe`, `SCAN`, `unsubscribe`, or the message's type.
    pub(crate) event: String,
    /// Whose push it is.
    pub(crate) openid: String,
    /// When the event happened.
    pub(crate) at: Timestamp,
    /// Each time it was sent, oldest first.
    pub(crate) attempts: Vec<Attempt>,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Still being delivered.
    Pending,
    /// Answered in a way that WeChat accepts.
    Answered,
    /// Never answered, or answered with something unreadable: the chat shows the fault notice.
    ServiceFault,
}

/// One time that a push was sent.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Attempt {
    /// The answer's status.
    pub(crate) status: Option<u16>,
    /// From sending to the end of the answer, in milliseconds.
    pub(crate) duration_ms: u64,
    /// The answer's body.
    pub(crate) body: Option<String>,
    /// The text of the reply, decrypted.
    pub(crate) reply: Option<String>,
    /// Why there is no answer, or why WeChat would not show it.
    pub(crate) error: Option<String>,
}

/// All remembered deliveries.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    by_id: HashMap<String, (Delivery, Push)>,
    order: VecDeque<String>,
}

impl Deliveries {
    /// Begins the record of a push and returns its identifier.
    pub(crate) fn begin(&self, push: Push) -> String {
        let id = random::short_id();
        let delivery = Delivery {
            id: id.clone(),
            event: event_name(&push.body),
            openid: push.from_user_name.clone(),
            at: Timestamp::from_second(push.create_time).unwrap_or_default(),
            attempts: Vec::new(),
            outcome: Outcome::Pending,
        };
        let mut record = self.lock();
        if record.order.len() >= CAPACITY
            && let Some(oldest) = record.order.pop_front()
        {
            record.by_id.remove(&oldest);
        }
        record.order.push_back(id.clone());
        record.by_id.insert(id.clone(), (delivery, push));
        id
    }

    /// Adds an attempt.
    pub(crate) fn record(&self, id: &str, attempt: Attempt) {
        if let Some((delivery, _)) = self.lock().by_id.get_mut(id)
            && delivery.attempts.len() < ATTEMPTS
        {
            delivery.attempts.push(attempt);
        }
    }

    /// Ends a delivery.
    pub(crate) fn finish(&self, id: &str, outcome: Outcome) {
        if let Some((delivery, _)) = self.lock().by_id.get_mut(id) {
            delivery.outcome = outcome;
        }
    }

    /// A delivery as it stands now.
    pub(crate) fn find(&self, id: &str) -> Option<Delivery> {
        self.lock()
            .by_id
            .get(id)
            .map(|(delivery, _)| delivery.clone())
    }

    /// The push of a delivery.
    pub(crate) fn push_of(&self, id: &str) -> Option<Push> {
        self.lock().by_id.get(id).map(|(_, push)| push.clone())
    }

    /// The newest deliveries, at most `limit`, newest first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<Delivery> {
        let record = self.lock();
        let newest_first = record.order.iter().rev().take(limit);
        newest_first
            .filter_map(|id| record.by_id.get(id))
            .map(|(delivery, _)| delivery.clone())
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    /// The answer that came.
    pub(super) fn answered(self, status: u16, body: &[u8]) -> Self {
        let error = (status != 200).then(|| format!("status {status}"));
        let body = Some(String::from_utf8_lossy(body).into_owned());
        Self {
            status: Some(status),
            body,
            error,
            ..self
        }
    }

    /// No answer came.
    pub(super) fn failed(self, reason: String) -> Self {
        Self {
            error: Some(reason),
            ..self
        }
    }

    /// What WeChat made of the answer.
    pub(super) fn judged(self, verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Silent => self,
            Verdict::Reply(text) => Self {
                reply: Some(text.clone()),
                ..self
            },
            Verdict::Fault(reason) => self.failed(reason.clone()),
        }
    }
}

fn event_name(body: &PushBody) -> String {
    match body {
        PushBody::Subscribe { .. } => "subscribe".to_owned(),
        PushBody::Scan { .. } => "SCAN".to_owned(),
        PushBody::Unsubscribe => "unsubscribe".to_owned(),
        PushBody::OtherEvent { event, .. } => event.clone(),
        PushBody::Message { msg_type, .. } => msg_type.clone(),
    }
}
