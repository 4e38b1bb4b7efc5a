//! What the owner did, found among everything that happened.

use super::{
    super::{AtomicScript, Operation, Step, UnexpectedReply},
    kept,
};
use crate::{
    event::{Kept, Position},
    redis_keys,
};

static FIND: AtomicScript = AtomicScript::new(include_str!("acts.lua"));

/// How many events are looked at in one step: Redis answers nobody else meanwhile.
const LOOKED_AT: usize = 1000;

/// Looks for what the owner did, newest first, among a thousand events.
#[derive(Debug, Clone, Copy)]
pub struct ReadActs {
    /// Before this place; `None`: from the newest on.
    pub before: Option<Position>,
    /// How many are wanted.
    pub limit: usize,
}

/// What the owner did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundActs {
    /// What was found, newest first.
    pub acts: Vec<Kept>,
    /// The place before which there may be more.
    pub next: Option<Position>,
}

impl Step for ReadActs {
    type Outcome = FoundActs;

    fn operation(&self) -> Operation {
        let before = self.before.map(|place| format!("({}", place.number()));
        Operation::Script {
            script: &FIND,
            key: redis_keys::events(),
            arguments: vec![
                before.unwrap_or_else(|| "+inf".to_owned()),
                LOOKED_AT.to_string(),
                self.limit.to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<FoundActs, UnexpectedReply> {
        const STEP: &str = "ReadActs";
        let [Some(next), acts @ ..] = reply else {
            return Err(UnexpectedReply { step: STEP });
        };
        let acts = acts.iter().flatten();
        Ok(FoundActs {
            acts: acts
                .map(|text| kept(text, STEP))
                .collect::<Result<_, _>>()?,
            next: Position::read(next),
        })
    }
}
