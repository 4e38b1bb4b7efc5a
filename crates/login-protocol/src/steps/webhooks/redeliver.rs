//! Sending events again, and not sending them any more.

use super::super::{AtomicScript, Operation, Step, UnexpectedReply};
use crate::{event::Position, redis_keys, webhook::WebhookName};

static REDELIVER: AtomicScript = AtomicScript::new(include_str!("redeliver.lua"));
static FORGET: AtomicScript = AtomicScript::new(include_str!("forget.lua"));

fn about(script: &'static AtomicScript, webhook: &WebhookName, events: &[Position]) -> Operation {
    let places = events.iter().map(|position| position.number().to_string());
    Operation::Script {
        script,
        key: redis_keys::webhook(webhook),
        arguments: places.collect(),
    }
}

/// Has events sent again, given up or not, and switches the receiver on.
#[derive(Debug, Clone)]
pub struct Redeliver {
    /// The receiver.
    pub webhook: WebhookName,
    /// Which events.
    pub events: Vec<Position>,
    /// Whether whoever delivers is to look for them now; it looks at all that there are.
    pub is_last: bool,
}

impl Step for Redeliver {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let mut operation = about(&REDELIVER, &self.webhook, &self.events);
        if let Operation::Script { arguments, .. } = &mut operation {
            arguments.insert(0, u8::from(self.is_last).to_string());
        }
        operation
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Forgets events that a receiver hasn't got: there is nothing left to send.
#[derive(Debug, Clone)]
pub struct ForgetDeliveries {
    /// The receiver.
    pub webhook: WebhookName,
    /// Which events.
    pub events: Vec<Position>,
}

impl Step for ForgetDeliveries {
    type Outcome = ();

    fn operation(&self) -> Operation {
        about(&FORGET, &self.webhook, &self.events)
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
