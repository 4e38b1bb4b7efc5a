//! What a receiver hasn't got, for the gateway that begins to deliver.

use super::{
    super::{AtomicScript, Operation, Step, UnexpectedReply},
    milliseconds,
};
use crate::{
    event::Position,
    redis_keys,
    webhook::{Attempts, Pending, WebhookName},
};

static SCAN: AtomicScript = AtomicScript::new(include_str!("scan.lua"));

/// Some of a hash's elements. All that are there from the first page to the last are found; one may
/// be found twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage<T> {
    /// What was found.
    pub found: Vec<T>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

fn scan(webhook: &WebhookName, from: Option<&String>, kind: &str) -> Operation {
    Operation::Script {
        script: &SCAN,
        key: redis_keys::webhook(webhook),
        arguments: vec![
            from.map_or_else(|| "0".to_owned(), Clone::clone),
            kind.to_owned(),
        ],
    }
}

fn page<T>(
    reply: &[Option<String>],
    step: &'static str,
    read: impl Fn(Position, &str) -> Option<T>,
) -> Result<ScanPage<T>, UnexpectedReply> {
    let unexpected = || UnexpectedReply { step };
    let [Some(next), found @ ..] = reply else {
        return Err(unexpected());
    };
    let pairs = found.chunks_exact(2).map(|pair| {
        let [Some(field), Some(value)] = pair else {
            return Err(unexpected());
        };
        let position = field.get(1..).and_then(Position::read);
        let read = position.and_then(|position| read(position, value));
        read.ok_or_else(unexpected)
    });
    Ok(ScanPage {
        found: pairs.collect::<Result<_, _>>()?,
        next: (next != "0").then(|| next.clone()),
    })
}

/// Lists what a receiver hasn't got, about a thousand events at once.
#[derive(Debug, Clone)]
pub struct ListPending {
    /// The receiver.
    pub webhook: WebhookName,
    /// Where the page begins; `None`: the first.
    pub from: Option<String>,
}

impl Step for ListPending {
    type Outcome = ScanPage<Pending>;

    fn operation(&self) -> Operation {
        scan(&self.webhook, self.from.as_ref(), "p")
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        page(reply, "ListPending", |position, value| {
            let (failed, due) = value.split_once(' ')?;
            Some(Pending {
                position,
                attempts: Attempts {
                    failed: failed.parse().ok()?,
                    due: milliseconds(due)?,
                },
            })
        })
    }
}

/// Lists the events that were given up, about a thousand at once.
#[derive(Debug, Clone)]
pub struct ListDeadLetters {
    /// The receiver.
    pub webhook: WebhookName,
    /// Where the page begins; `None`: the first.
    pub from: Option<String>,
}

impl Step for ListDeadLetters {
    type Outcome = ScanPage<Position>;

    fn operation(&self) -> Operation {
        scan(&self.webhook, self.from.as_ref(), "d")
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        page(reply, "ListDeadLetters", |position, _| Some(position))
    }
}
