//! Carries a push to its end: up to three deliveries, or four, then the line in the chat.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use wechat_wire::push::{Push, PushBody};

use super::answer::Verdict;
use super::deliveries::{Attempt, Outcome};
use super::request::Freshness;
use crate::changes::Change;
use crate::chats::{Author, SERVICE_FAULT};
use crate::world::World;

/// How often `rapid_retries` delivers a push, and how long after the start of one delivery the next
/// one starts: the published log has all four within two seconds.
const RAPID_DELIVERIES: u32 = 4;
const RAPID_INTERVAL: Duration = Duration::from_millis(500);

/// A push on its way.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// The identifier of its record.
    pub(crate) delivery_id: String,
    /// Ends when WeChat would stop delivering.
    pub(crate) done: JoinHandle<()>,
}

/// Sends a push off; `person` is whose chat shows the answer.
pub(crate) fn dispatch(world: &Arc<World>, person: String, push: Push) -> Dispatch {
    let delivery_id = world.deliveries.begin(push.clone());
    world.changes.tell(Change::Deliveries);
    let setup = world.account.setup();
    // The place is taken here and not in the task, so that the line has the events' order.
    let place = setup.hold_pushes.then(|| world.held_pushes.join());
    let delay = Duration::from_millis(u64::from(setup.push_delay_ms));
    let done = tokio::spawn({
        let (world, delivery_id) = (Arc::clone(world), delivery_id.clone());
        async move {
            let _carried = match place {
                Some(place) => Some(place.released().await),
                None => None,
            };
            tokio::time::sleep(delay).await;
            carry(world, delivery_id, person, push).await;
        }
    });
    Dispatch { delivery_id, done }
}

/// Delivers a recorded push again, `times` times at once and without retries. The chat stays as it
/// is: what matters here is what the receiver does. `None` when there is no such delivery.
pub(crate) async fn repeat(
    world: &Arc<World>,
    delivery_id: &str,
    times: usize,
) -> Option<Vec<Attempt>> {
    let push = world.deliveries.push_of(delivery_id)?;
    let deliveries = (0..times).map(async |_| {
        let freshness = Freshness::now();
        world
            .push_client
            .deliver(&world.account, &push, &freshness)
            .await
    });
    let answers = futures_util::future::join_all(deliveries).await;
    let attempts: Vec<_> = answers.into_iter().map(|(attempt, _)| attempt).collect();
    for attempt in &attempts {
        world.deliveries.record(delivery_id, attempt.clone());
    }
    world.changes.tell(Change::Deliveries);
    Some(attempts)
}

async fn carry(world: Arc<World>, delivery_id: String, person: String, push: Push) {
    let verdict = deliver_until_answered(&world, &delivery_id, &push).await;
    let outcome = match verdict {
        None | Some(Verdict::Fault(_)) => Outcome::ServiceFault,
        Some(Verdict::Silent | Verdict::Reply(_)) => Outcome::Answered,
    };
    // Whoever unfollows has no chat left for an answer to appear in.
    let line = match verdict {
        _ if push.body == PushBody::Unsubscribe => None,
        None | Some(Verdict::Fault(_)) => Some((Author::Notice, SERVICE_FAULT.to_owned())),
        Some(Verdict::Reply(text)) => Some((Author::Account, text)),
        Some(Verdict::Silent) => None,
    };
    if let Some((author, text)) = line {
        world.write(&person, author, text, Timestamp::now());
    }
    if outcome == Outcome::ServiceFault {
        // The reason stands in the record of deliveries; neither says who the person is.
        tracing::warn!(
            delivery = delivery_id,
            "a push got no answer that WeChat would accept"
        );
    }
    world.deliveries.finish(&delivery_id, outcome);
    world.changes.tell(Change::Deliveries);
}

async fn deliver_until_answered(world: &World, delivery_id: &str, push: &Push) -> Option<Verdict> {
    let mut freshness = Freshness::now();
    let mut delivered = 0;
    loop {
        let setup = world.account.setup();
        let began = Instant::now();
        let sending = world.push_client.deliver(&world.account, push, &freshness);
        let (attempt, verdict) = sending.await;
        let is_refused = verdict.is_none() && attempt.status.is_some();
        world.deliveries.record(delivery_id, attempt);
        world.changes.tell(Change::Deliveries);
        delivered += 1;
        let (deliveries, interval) = if setup.rapid_retries && is_refused {
            (RAPID_DELIVERIES, RAPID_INTERVAL)
        } else {
            freshness = Freshness::now();
            let interval = Duration::from_millis(u64::from(setup.push_interval_ms));
            (setup.push_deliveries, interval)
        };
        if verdict.is_some() || delivered >= deliveries {
            return verdict;
        }
        tokio::time::sleep_until(began + interval).await;
    }
}
