//! Taking events from the stream.

use super::{
    super::{AtomicScript, Operation, Step, UnexpectedReply},
    led, place,
};
use crate::{event::Position, redis_keys, webhook::WebhookName};

static TAKE: AtomicScript = AtomicScript::new(include_str!("take.lua"));

/// Notes which events a receiver is to get, before any of them is sent.
#[derive(Debug, Clone)]
pub struct TakeEvents {
    /// The receiver.
    pub webhook: WebhookName,
    /// The text that it is led with.
    pub holder: String,
    /// Up to here the stream was read.
    pub to: Position,
    /// What of it the receiver is to get.
    pub events: Vec<Position>,
    /// The oldest event that it hasn't got, with these.
    pub oldest: Option<Position>,
}

impl Step for TakeEvents {
    /// Whether the caller was still the one that delivers; otherwise nothing was noted.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let mut arguments = vec![
            self.holder.clone(),
            self.to.number().to_string(),
            place(self.oldest),
        ];
        let events = self.events.iter();
        arguments.extend(events.map(|position| position.number().to_string()));
        Operation::Script {
            script: &TAKE,
            key: redis_keys::webhook(&self.webhook),
            arguments,
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        led(reply, "TakeEvents")
    }
}
