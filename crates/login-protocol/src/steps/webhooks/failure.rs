//! Why a receiver last didn't take an event.

use jiff::Timestamp;

use super::{
    super::{AtomicScript, Operation, Step, UnexpectedReply, words},
    led, milliseconds,
};
use crate::{redis_keys, webhook::WebhookName};

static NOTE: AtomicScript = AtomicScript::new(include_str!("failure.lua"));

/// Notes why a receiver didn't take an event, over what was noted before.
#[derive(Debug, Clone)]
pub struct NoteFailure {
    /// The receiver.
    pub webhook: WebhookName,
    /// The text that it is led with.
    pub holder: String,
    /// When.
    pub at: Timestamp,
    /// Why, as the gateway reads it.
    pub why: String,
}

impl Step for NoteFailure {
    /// Whether the caller was still the one that delivers; otherwise nothing was noted.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let noted = format!("{} {}", self.at.as_millisecond(), self.why);
        Operation::Script {
            script: &NOTE,
            key: redis_keys::webhook(&self.webhook),
            arguments: vec![self.holder.clone(), noted],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        led(reply, "NoteFailure")
    }
}

/// Reads it.
#[derive(Debug, Clone)]
pub struct ReadFailure {
    /// The receiver.
    pub webhook: WebhookName,
}

impl Step for ReadFailure {
    /// When, and why; `None`: it never did.
    type Outcome = Option<(Timestamp, String)>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HGET",
            key: redis_keys::webhook(&self.webhook),
            arguments: vec!["failure".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let noted = match words(reply).as_slice() {
            [None] => return Ok(None),
            [Some(noted)] => noted.split_once(' '),
            _ => None,
        };
        let noted = noted.and_then(|(at, why)| Some((milliseconds(at)?, why.to_owned())));
        noted.map(Some).ok_or(UnexpectedReply {
            step: "ReadFailure",
        })
    }
}
