//! Noting what became of events that were sent.

use super::{
    super::{AtomicScript, Operation, Step, UnexpectedReply},
    led, place,
};
use crate::{
    event::Position,
    redis_keys,
    webhook::{Settled, Settlement, WebhookName},
};

static SETTLE: AtomicScript = AtomicScript::new(include_str!("settle.lua"));

/// Notes what became of events that were sent. What a receiver has, it has, also if another gateway
/// delivers by now; failures count for the one that delivers.
#[derive(Debug, Clone)]
pub struct SettleDeliveries {
    /// The receiver.
    pub webhook: WebhookName,
    /// The text that it was led with.
    pub holder: String,
    /// What became of which event.
    pub settled: Vec<Settlement>,
    /// The oldest event that the receiver hasn't got, after these.
    pub oldest: Option<Position>,
}

impl Step for SettleDeliveries {
    /// Whether the caller was still the one that delivers.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let mut arguments = vec![self.holder.clone(), place(self.oldest)];
        for Settlement { position, outcome } in &self.settled {
            let (what, failed, at) = match outcome {
                Settled::Done => ("done", 0, 0),
                Settled::Again(attempts) => {
                    ("again", attempts.failed, attempts.due.as_millisecond())
                }
                Settled::Dead { at } => ("dead", 0, at.as_millisecond()),
            };
            arguments.extend([
                position.number().to_string(),
                what.to_owned(),
                failed.to_string(),
                at.to_string(),
            ]);
        }
        Operation::Script {
            script: &SETTLE,
            key: redis_keys::webhook(&self.webhook),
            arguments,
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        led(reply, "SettleDeliveries")
    }
}
