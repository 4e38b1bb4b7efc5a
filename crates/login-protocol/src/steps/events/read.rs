//! Reading the stream.

use jiff::Timestamp;

use super::{
    super::{AtomicScript, Operation, Step, UnexpectedReply, words},
    kept,
};
use crate::{
    event::{Kept, Position},
    redis_keys,
};

static CLOCK: AtomicScript = AtomicScript::new(include_str!("clock.lua"));

/// Without end.
const END: &str = "+inf";

fn range(from: String, to: String, limit: usize) -> Operation {
    let page = ["LIMIT".to_owned(), "0".to_owned(), limit.to_string()];
    Operation::Command {
        name: "ZRANGEBYSCORE",
        key: redis_keys::events(),
        arguments: [from, to].into_iter().chain(page).collect(),
    }
}

fn all(reply: &[Option<String>], step: &'static str) -> Result<Vec<Kept>, UnexpectedReply> {
    let texts = reply.iter().flatten();
    texts.map(|text| kept(text, step)).collect()
}

/// What comes after a place, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct ReadEvents {
    /// The place.
    pub after: Position,
    /// How many at most.
    pub limit: usize,
}

impl Step for ReadEvents {
    type Outcome = Vec<Kept>;

    fn operation(&self) -> Operation {
        let from = format!("({}", self.after.number());
        range(from, END.to_owned(), self.limit)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Vec<Kept>, UnexpectedReply> {
        all(reply, "ReadEvents")
    }
}

/// What is at a place.
#[derive(Debug, Clone, Copy)]
pub struct ReadEvent {
    /// The place.
    pub position: Position,
}

impl Step for ReadEvent {
    /// `None`: nothing is, or no longer.
    type Outcome = Option<Kept>;

    fn operation(&self) -> Operation {
        let place = self.position.number().to_string();
        range(place.clone(), place, 1)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Option<Kept>, UnexpectedReply> {
        Ok(all(reply, "ReadEvent")?.pop())
    }
}

/// The oldest event that is kept.
#[derive(Debug, Clone, Copy)]
pub struct ReadOldestEvent;

impl Step for ReadOldestEvent {
    /// `None`: there are none.
    type Outcome = Option<Kept>;

    fn operation(&self) -> Operation {
        range("(0".to_owned(), END.to_owned(), 1)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Option<Kept>, UnexpectedReply> {
        Ok(all(reply, "ReadOldestEvent")?.pop())
    }
}

/// The newest place that was taken.
#[derive(Debug, Clone, Copy)]
pub struct ReadNewestEvent;

impl Step for ReadNewestEvent {
    /// `None`: there is no stream.
    type Outcome = Option<Position>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZSCORE",
            key: redis_keys::events(),
            arguments: vec!["last".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Option<Position>, UnexpectedReply> {
        newest(reply, "ReadNewestEvent")
    }
}

/// The place that `last` stands for.
pub(super) fn newest(
    reply: &[Option<String>],
    step: &'static str,
) -> Result<Option<Position>, UnexpectedReply> {
    match words(reply).as_slice() {
        [None] => Ok(None),
        [Some(score)] => {
            let place = score.strip_prefix('-').and_then(Position::read);
            place.map(Some).ok_or(UnexpectedReply { step })
        }
        _ => Err(UnexpectedReply { step }),
    }
}

/// How many events come after a place.
#[derive(Debug, Clone, Copy)]
pub struct CountEvents {
    /// The place.
    pub after: Position,
}

impl Step for CountEvents {
    type Outcome = u64;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZCOUNT",
            key: redis_keys::events(),
            arguments: vec![format!("({}", self.after.number()), END.to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<u64, UnexpectedReply> {
        let count = match words(reply).as_slice() {
            [Some(count)] => count.parse().ok(),
            _ => None,
        };
        count.ok_or(UnexpectedReply {
            step: "CountEvents",
        })
    }
}

/// What time is it by the clock that places are taken by? In a Cluster each node has its own.
#[derive(Debug, Clone, Copy)]
pub struct ReadEventsClock;

impl Step for ReadEventsClock {
    type Outcome = Timestamp;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &CLOCK,
            key: redis_keys::events(),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Timestamp, UnexpectedReply> {
        let time = match words(reply).as_slice() {
            [Some(seconds), Some(microseconds)] => {
                seconds.parse().ok().zip(microseconds.parse().ok())
            }
            _ => None,
        };
        let time = time.and_then(|(seconds, microseconds): (i64, i32)| {
            Timestamp::new(seconds, microseconds.checked_mul(1000)?).ok()
        });
        time.ok_or(UnexpectedReply {
            step: "ReadEventsClock",
        })
    }
}
