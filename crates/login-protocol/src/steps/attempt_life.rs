//! Whether there is an attempt, and for how long.

use std::time::Duration;

use super::{Operation, Step, UnexpectedReply, words};
use crate::{redis_keys, scene::Scene};

fn unexpected(step: &'static str) -> UnexpectedReply {
    UnexpectedReply { step }
}

/// How long will an attempt live? Points in time are Redis', and no other clock has to agree with
/// it.
#[derive(Debug, Clone)]
pub struct ReadRemainingLife {
    /// The attempt's scene.
    pub scene: Scene,
}

impl Step for ReadRemainingLife {
    /// Nothing for one that isn't there.
    type Outcome = Duration;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "PTTL",
            key: redis_keys::attempt(&self.scene),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Duration, UnexpectedReply> {
        let [Some(milliseconds)] = reply else {
            return Err(unexpected("ReadRemainingLife"));
        };
        let milliseconds: i64 = milliseconds
            .parse()
            .map_err(|_| unexpected("ReadRemainingLife"))?;
        // Below zero: there is no such key.
        Ok(Duration::from_millis(
            milliseconds.try_into().unwrap_or_default(),
        ))
    }
}

/// Does this attempt exist, whatever its status?
#[derive(Debug, Clone)]
pub struct AttemptExists {
    /// The attempt's scene.
    pub scene: Scene,
}

impl Step for AttemptExists {
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "EXISTS",
            key: redis_keys::attempt(&self.scene),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("1")] => Ok(true),
            [Some("0")] => Ok(false),
            _ => Err(unexpected("AttemptExists")),
        }
    }
}
