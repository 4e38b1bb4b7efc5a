//! How far a receiver is, for the owner.

use jiff::Timestamp;
use login_protocol::{
    event::Position,
    steps::{
        CountEvents, ReadEvents,
        webhooks::{ReadFailure, ReadWebhook},
    },
};
use serde::Serialize;
use service_kit::{
    clock::Clock,
    redis::{Store, StoreError},
};
use utoipa::ToSchema;

use super::{failure::Failure, receiver::Receiver};

/// How many events are read at once.
const READ_AT_ONCE: usize = 200;

/// How many events are looked through for those that a receiver is to get.
const LOOKED_AT: usize = 2000;

/// How far a receiver is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct Report {
    /// What the owner calls it.
    pub name: String,
    /// How many events it hasn't got.
    pub lag_events: u64,
    /// How old the oldest of them is.
    pub lag_seconds: u64,
    /// How often sending an event failed.
    pub failures: u64,
    /// How many events were given up.
    pub dead_letters: u64,
    /// Since when it gets nothing, because it answered 410.
    #[schema(required)]
    pub switched_off_at: Option<Timestamp>,
    /// When and why sending last failed.
    #[serde(skip)]
    #[schema(ignore)]
    pub last_failure: Option<(Timestamp, Failure)>,
}

/// How many events after a place the receiver is to get, and the first of them. Beyond what is looked
/// through, all count.
async fn untaken(
    receiver: &Receiver,
    store: &Store,
    mut after: Position,
) -> Result<(u64, Option<Position>), StoreError> {
    let mut wanted = 0;
    let mut first = None;
    let mut looked_at = 0;
    while looked_at < LOOKED_AT {
        let limit = READ_AT_ONCE;
        let batch = store.run(&ReadEvents { after, limit }).await?;
        looked_at += batch.len();
        for kept in batch.iter().filter(|kept| receiver.wants(kept)) {
            first = first.or(Some(kept.position));
            wanted += 1;
        }
        match batch.last() {
            Some(last) if batch.len() == limit => after = last.position,
            _ => return Ok((wanted, first)),
        }
    }
    let rest = store.run(&CountEvents { after }).await?;
    Ok((wanted + rest, first.or(Some(after))))
}

impl Report {
    /// Of the receiver of this name.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(super) async fn read(
        receiver: &Receiver,
        store: &Store,
        clock: &Clock,
    ) -> Result<Self, StoreError> {
        let name = &receiver.name;
        let mut report = Self {
            name: name.as_str().to_owned(),
            lag_events: 0,
            lag_seconds: 0,
            failures: 0,
            dead_letters: 0,
            switched_off_at: None,
            last_failure: None,
        };
        let read = ReadWebhook {
            webhook: name.clone(),
        };
        let why = ReadFailure {
            webhook: name.clone(),
        };
        let (Some(progress), failure) = store.run_both(&read, &why).await? else {
            return Ok(report);
        };
        report.last_failure = failure.map(|(at, why)| (at, Failure::read(why)));
        let (untaken, next) = untaken(receiver, store, progress.cursor).await?;
        report.lag_events = progress.pending + untaken;
        if let Some(oldest) = progress.oldest.or(next) {
            let lag = clock.now().duration_since(oldest.time());
            report.lag_seconds = u64::try_from(lag.as_secs()).unwrap_or_default();
        }
        report.failures = progress.failures;
        report.dead_letters = progress.dead_letters;
        report.switched_off_at = progress.switched_off_at;
        Ok(report)
    }
}
