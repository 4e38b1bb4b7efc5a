//! What happened so far.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// How often it is looked how many logins are complete.
const LOOKED_EVERY: Duration = Duration::from_millis(200);

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// A login did not complete in time.
    Lost,
    /// Two sessions for one attempt.
    Doubled,
    /// A session of somebody else.
    WrongPerson,
    /// A push was answered, and its attempt is still pending.
    AnsweredWithoutEffect,
    /// The browser was signed in, and its session isn't known.
    SessionMissing,
    /// A scan was good, and the redemption was refused all the same.
    RefusedAfterScan,
    /// A code of a client's was exchanged a second time.
    CodeExchangedTwice,
    /// Somebody who is signed in got no code for a client, or it or its token was refused.
    CodeRefused,
    /// A client learned who somebody is.
    AtClient,
    /// The visitor got a new code.
    Renewed,
    /// The stream did not tell of a scan, and asking did.
    NewsMissed,
    /// A push took more than one delivery.
    PushRepeated,
    /// A person scanned again after three deliveries in vain.
    ScannedAgain,
    /// A redemption was asked for again.
    RedemptionRepeated,
    /// A request was told to come again later.
    Refused,
    /// A request got no answer.
    Unanswered,
}

/// All counts, with the names that the report gives them. The first eight have to be zero.
pub(crate) const COUNTS: [(Count, &str); 16] = [
    (Count::Lost, "lost"),
    (Count::Doubled, "doubled"),
    (Count::WrongPerson, "wrong_person"),
    (
        Count::AnsweredWithoutEffect,
        "pushes_answered_without_effect",
    ),
    (Count::SessionMissing, "sessions_missing"),
    (Count::RefusedAfterScan, "refused_after_a_good_scan"),
    (Count::CodeExchangedTwice, "client_codes_exchanged_twice"),
    (Count::CodeRefused, "client_codes_refused"),
    (Count::AtClient, "logins_at_a_client"),
    (Count::Renewed, "new_codes"),
    (Count::NewsMissed, "news_asked_for"),
    (Count::PushRepeated, "pushes_delivered_again"),
    (Count::ScannedAgain, "scanned_again"),
    (Count::RedemptionRepeated, "redemptions_repeated"),
    (Count::Refused, "requests_told_to_wait"),
    (Count::Unanswered, "requests_unanswered"),
];

/// How many of them have to be zero.
pub(crate) const FAULTS: usize = 8;

/// The counts of a run.
#[derive(Debug)]
pub(crate) struct Tally {
    began: Instant,
    wanted: u64,
    begun: AtomicU64,
    counts: [AtomicU64; COUNTS.len()],
    done: Mutex<Done>,
}

#[derive(Debug, Default)]
struct Done {
    by_openid: HashMap<String, u64>,
    durations_ms: Vec<u32>,
}

impl Tally {
    /// Nothing has happened, and so many logins are wanted.
    pub(crate) fn new(wanted: u64) -> Self {
        Self {
            began: Instant::now(),
            wanted,
            begun: AtomicU64::new(0),
            counts: Default::default(),
            done: Mutex::default(),
        }
    }

    /// The number of the next login; `None` when all have begun.
    pub(crate) fn next_login(&self) -> Option<u64> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        (number < self.wanted).then_some(number)
    }

    /// A login of this person took so long.
    pub(crate) fn completed(&self, openid: &str, took: Duration) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done.by_openid.entry(openid.to_owned()).or_default() += 1;
        let took = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        done.durations_ms.push(took);
    }

    /// It happened once more.
    pub(crate) fn add(&self, count: Count) {
        self.counts[count as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often it happened.
    pub(crate) fn get(&self, count: Count) -> u64 {
        self.counts[count as usize].load(Ordering::Relaxed)
    }

    /// How many logins are complete.
    pub(crate) fn total(&self) -> u64 {
        self.by_openid().values().sum()
    }

    /// Ends once so many logins are complete.
    pub(crate) async fn reaches(&self, logins: u64) {
        while self.total() < logins {
            sleep(LOOKED_EVERY).await;
        }
    }

    /// How many logins of each person are complete.
    pub(crate) fn by_openid(&self) -> HashMap<String, u64> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.by_openid.clone()
    }

    /// How long half, 95 in 100, 99 in 100, and all logins took at most, in milliseconds.
    pub(crate) fn durations_ms(&self) -> [u32; 4] {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted = done.durations_ms.clone();
        sorted.sort_unstable();
        [500, 950, 990, 1000].map(|share| {
            let index = (sorted.len() * share / 1000).min(sorted.len().saturating_sub(1));
            sorted.get(index).copied().unwrap_or(0)
        })
    }

    /// Since the first login.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// How far it is, in one line.
    pub(crate) fn progress(&self) -> String {
        let total = self.total();
        let seconds = self.elapsed().as_secs().max(1);
        let faults: Vec<String> = COUNTS[..FAULTS]
            .iter()
            .filter(|(count, _)| self.get(*count) > 0)
            .map(|(count, name)| format!(", {name} {}", self.get(*count)))
            .collect();
        format!(
            "{seconds:>5} s: {total} of {} logins, {} a second, {} new codes, {} pushes delivered again{}",
            self.wanted,
            total / seconds,
            self.get(Count::Renewed),
            self.get(Count::PushRepeated),
            faults.concat()
        )
    }
}
