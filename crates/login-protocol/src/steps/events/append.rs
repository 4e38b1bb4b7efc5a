//! Telling what happened.

use super::super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    event::{Happening, Occasion, Position},
    redis_keys,
};

static APPEND: AtomicScript = AtomicScript::new(include_str!("append.lua"));

/// Tells what happened. It goes in front of the step that makes it happen, in the same round trip:
/// what is cut off there is repeated by whoever asked for it, and stays one event.
#[derive(Debug, Clone)]
pub struct AppendEvent {
    /// What makes a repeat recognisable.
    pub occasion: Occasion,
    /// What happened.
    pub happening: Happening,
    /// Whether a stream is opened that isn't: gateways know whether there is to be one.
    pub opens: bool,
}

/// Whether it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It has this place now.
    Now(Position),
    /// It was told before, at this place.
    Before(Position),
    /// There is no stream.
    Off,
}

impl Step for AppendEvent {
    type Outcome = Appended;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &APPEND,
            key: redis_keys::events(),
            arguments: vec![
                self.occasion.as_str().to_owned(),
                // Texts, numbers and times can always be written.
                serde_json::to_string(&self.happening).unwrap_or_default(),
                u8::from(self.opens).to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Appended, UnexpectedReply> {
        let appended = match words(reply).as_slice() {
            [Some("appended"), Some(place)] => Position::read(place).map(Appended::Now),
            [Some("told"), Some(place)] => Position::read(place).map(Appended::Before),
            [Some("off")] => Some(Appended::Off),
            _ => None,
        };
        appended.ok_or(UnexpectedReply {
            step: "AppendEvent",
        })
    }
}
