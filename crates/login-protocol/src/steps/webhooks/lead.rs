//! Which gateway delivers to a receiver.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    super::{AtomicScript, Operation, Step, UnexpectedReply, words},
    led, milliseconds,
};
use crate::{event::Position, redis_keys, webhook::WebhookName};

static LEAD: AtomicScript = AtomicScript::new(include_str!("lead.lua"));
static LEAVE: AtomicScript = AtomicScript::new(include_str!("leave.lua"));
static SWITCH_OFF: AtomicScript = AtomicScript::new(include_str!("switch_off.lua"));

/// Becomes the gateway that delivers, or stays it. A receiver that is new gets what has happened
/// since the gateway started.
#[derive(Debug, Clone)]
pub struct LeadWebhook {
    /// The receiver.
    pub webhook: WebhookName,
    /// Random text that identifies the caller.
    pub holder: String,
    /// After this time another one may deliver.
    pub lease: Duration,
    /// For how long the caller has been running.
    pub running_for: Duration,
    /// A digest of the receiver's address: with another one it is switched on again.
    pub address: String,
}

/// Who delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leadership {
    /// The caller, from now on.
    Begun(Term),
    /// The caller, as before.
    Kept(Term),
    /// Another one.
    Taken,
}

/// What the one that delivers has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Up to here events were taken from the stream.
    pub cursor: Position,
    /// Since when the receiver is switched off, if it is.
    pub switched_off_at: Option<Timestamp>,
}

impl Step for LeadWebhook {
    type Outcome = Leadership;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &LEAD,
            key: redis_keys::webhook(&self.webhook),
            arguments: vec![
                self.holder.clone(),
                self.lease.as_millis().to_string(),
                self.running_for.as_micros().to_string(),
                self.address.clone(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Leadership, UnexpectedReply> {
        let term = |cursor: &str, off: &str| {
            let since = off.split_once(' ').map(|(since, _)| milliseconds(since));
            Some(Term {
                cursor: Position::read(cursor)?,
                switched_off_at: match since {
                    Some(since) => Some(since?),
                    None => None,
                },
            })
        };
        let leadership = match words(reply).as_slice() {
            [Some("begun"), Some(cursor), Some(off)] => term(cursor, off).map(Leadership::Begun),
            [Some("kept"), Some(cursor), Some(off)] => term(cursor, off).map(Leadership::Kept),
            [Some("taken")] => Some(Leadership::Taken),
            _ => None,
        };
        leadership.ok_or(UnexpectedReply {
            step: "LeadWebhook",
        })
    }
}

/// Lets another gateway deliver at once.
#[derive(Debug, Clone)]
pub struct LeaveWebhook {
    /// The receiver.
    pub webhook: WebhookName,
    /// The text that it was led with.
    pub holder: String,
}

impl Step for LeaveWebhook {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &LEAVE,
            key: redis_keys::webhook(&self.webhook),
            arguments: vec![self.holder.clone()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Sends nothing more to a receiver, until its address is another one or the owner asks for events
/// again.
#[derive(Debug, Clone)]
pub struct SwitchOffWebhook {
    /// The receiver.
    pub webhook: WebhookName,
    /// The text that it is led with.
    pub holder: String,
    /// When it said that it wants nothing.
    pub at: Timestamp,
    /// The digest of its address.
    pub address: String,
}

impl Step for SwitchOffWebhook {
    /// Whether the caller was still the one that delivers.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &SWITCH_OFF,
            key: redis_keys::webhook(&self.webhook),
            arguments: vec![
                self.holder.clone(),
                self.at.as_millisecond().to_string(),
                self.address.clone(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        led(reply, "SwitchOffWebhook")
    }
}
