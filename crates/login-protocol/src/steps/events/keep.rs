//! What becomes of the stream.

use super::{
    super::{AtomicScript, Operation, Step, UnexpectedReply, words},
    ERASED, read,
};
use crate::{
    event::{Happening, Kept, Position},
    redis_keys,
};

static OPEN: AtomicScript = AtomicScript::new(include_str!("open.lua"));
static TRIM: AtomicScript = AtomicScript::new(include_str!("trim.lua"));
static REPLACE: AtomicScript = AtomicScript::new(include_str!("replace.lua"));

/// Opens the stream, unless it is open: from now on sites tell what happens.
#[derive(Debug, Clone, Copy)]
pub struct OpenEvents;

impl Step for OpenEvents {
    /// The newest place that was taken.
    type Outcome = Position;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &OPEN,
            key: redis_keys::events(),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Position, UnexpectedReply> {
        const STEP: &str = "OpenEvents";
        read::newest(reply, STEP)?.ok_or(UnexpectedReply { step: STEP })
    }
}

/// Removes the stream, and closes it: nothing is told from now on.
#[derive(Debug, Clone, Copy)]
pub struct CloseEvents;

impl Step for CloseEvents {
    /// Whether there was one.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Command {
            // Redis frees it beside its work.
            name: "UNLINK",
            key: redis_keys::events(),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("0")] => Ok(false),
            [Some("1")] => Ok(true),
            _ => Err(UnexpectedReply {
                step: "CloseEvents",
            }),
        }
    }
}

/// Removes what is too old, up to two thousand elements at once.
#[derive(Debug, Clone, Copy)]
pub struct TrimEvents {
    /// Events before this place go.
    pub oldest: Position,
    /// Repeats of what is before this place don't come any more.
    pub oldest_repeat: Position,
}

impl Step for TrimEvents {
    /// How many elements went. After none there is nothing left to do.
    type Outcome = u64;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &TRIM,
            key: redis_keys::events(),
            arguments: vec![
                self.oldest.number().to_string(),
                self.oldest_repeat.number().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<u64, UnexpectedReply> {
        let removed = match words(reply).as_slice() {
            [Some(removed)] => removed.parse().ok(),
            _ => None,
        };
        removed.ok_or(UnexpectedReply { step: "TrimEvents" })
    }
}

fn replace(kept: &Kept, what: &str, forgets: bool) -> Operation {
    let place = kept.position.number().to_string();
    let instead = format!("{place} {what}");
    Operation::Script {
        script: &REPLACE,
        key: redis_keys::events(),
        arguments: vec![
            place,
            kept.text.clone(),
            instead,
            u8::from(forgets).to_string(),
        ],
    }
}

fn replaced(reply: &[Option<String>], step: &'static str) -> Result<bool, UnexpectedReply> {
    match words(reply).as_slice() {
        [Some("replaced")] => Ok(true),
        [Some("gone")] => Ok(false),
        _ => Err(UnexpectedReply { step }),
    }
}

/// Keeps what was read of an event's person. The first to do so says what everybody is told.
#[derive(Debug, Clone)]
pub struct FillEvent {
    /// The event as it was found.
    pub found: Kept,
    /// The same with what was read.
    pub happening: Happening,
}

impl Step for FillEvent {
    /// Whether this is what is told now; otherwise it has changed meanwhile.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let what = serde_json::to_string(&self.happening).unwrap_or_default();
        replace(&self.found, &what, false)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        replaced(reply, "FillEvent")
    }
}

/// Erases an event; its place stays. Should it happen after all, it is told anew.
#[derive(Debug, Clone)]
pub struct BlankEvent {
    /// The event as it was found.
    pub found: Kept,
}

impl Step for BlankEvent {
    /// Whether it is gone now; otherwise it has changed meanwhile.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        replace(&self.found, ERASED, true)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        replaced(reply, "BlankEvent")
    }
}
