//! How far a receiver is.

use super::{
    super::{Operation, Step, UnexpectedReply, words},
    milliseconds,
};
use crate::{
    event::Position,
    redis_keys,
    webhook::{Progress, WebhookName},
};

/// Reads how far a receiver is.
#[derive(Debug, Clone)]
pub struct ReadWebhook {
    /// The receiver.
    pub webhook: WebhookName,
}

impl Step for ReadWebhook {
    /// `None`: no gateway has begun to deliver to it.
    type Outcome = Option<Progress>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::webhook(&self.webhook),
            arguments: ["cursor", "pending", "oldest", "dead", "failures", "off"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = || UnexpectedReply {
            step: "ReadWebhook",
        };
        let [cursor, pending, oldest, dead, failures, off] = words(reply)[..] else {
            return Err(unexpected());
        };
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let count = |text: Option<&str>| text.unwrap_or("0").parse().map_err(|_| unexpected());
        let pending = count(pending)?;
        let oldest = oldest.filter(|oldest| pending > 0 && !oldest.is_empty());
        let oldest = oldest.map(|oldest| Position::read(oldest).ok_or_else(unexpected));
        let off = off.and_then(|off| off.split_once(' '));
        let off = off.map(|(since, _)| milliseconds(since).ok_or_else(unexpected));
        Ok(Some(Progress {
            cursor: Position::read(cursor).ok_or_else(unexpected)?,
            pending,
            oldest: oldest.transpose()?,
            dead_letters: count(dead)?,
            failures: count(failures)?,
            switched_off_at: off.transpose()?,
        }))
    }
}

/// Reads how often the owner asked for events again.
#[derive(Debug, Clone)]
pub struct ReadRedeliveries {
    /// The receiver.
    pub webhook: WebhookName,
}

impl Step for ReadRedeliveries {
    type Outcome = u64;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HGET",
            key: redis_keys::webhook(&self.webhook),
            arguments: vec!["asked".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<u64, UnexpectedReply> {
        let asked = match words(reply).as_slice() {
            [None] => Some(0),
            [Some(asked)] => asked.parse().ok(),
            _ => None,
        };
        asked.ok_or(UnexpectedReply {
            step: "ReadRedeliveries",
        })
    }
}
