//! Bringing the members of versions that kept no index into it: one process at a time walks through
//! the keys, and whoever comes after it goes on where it stopped.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{identity::MemberId, redis_keys};

static TAKE: AtomicScript = AtomicScript::new(include_str!("indexing_take.lua"));
static NOTE: AtomicScript = AtomicScript::new(include_str!("indexing_note.lua"));
static FINISH: AtomicScript = AtomicScript::new(include_str!("indexing_finish.lua"));

/// For how long a process that dies keeps others from going on.
const LEASE: Duration = Duration::from_secs(10);

/// For how long it is kept what was done: long enough for an upgrade of all gateways.
const KEPT: Duration = Duration::from_hours(24);

/// What the keys of all members match, for `SCAN`.
pub const MEMBER_KEYS: &str = redis_keys::MEMBERS;

/// Whose key it is, if it is a member's.
pub fn member_of_key(key: &str) -> Option<MemberId> {
    redis_keys::member_of(key)
}

/// Tries to become the process that walks.
#[derive(Debug, Clone)]
pub struct TakeIndexing {
    /// Random text that identifies the caller.
    pub holder: String,
    /// A walk that began by then, by Redis' clock, isn't enough.
    pub since: Timestamp,
}

/// Whether to walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexingTurn {
    /// It was done since.
    Done,
    /// Another process is at it.
    Busy,
    /// It is the caller's turn, from these places of the nodes on; an empty one is a node's end.
    Yours(BTreeMap<String, String>),
}

impl Step for TakeIndexing {
    type Outcome = IndexingTurn;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &TAKE,
            key: redis_keys::member_indexing(),
            arguments: vec![
                self.holder.clone(),
                LEASE.as_millis().to_string(),
                self.since.as_millisecond().to_string(),
                KEPT.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<IndexingTurn, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("done")] => Ok(IndexingTurn::Done),
            [Some("busy")] => Ok(IndexingTurn::Busy),
            [Some("yours"), places @ ..] => {
                let places = places.chunks(2).filter_map(|pair| match pair {
                    [Some(node), Some(place)] => Some(((*node).to_owned(), (*place).to_owned())),
                    _ => None,
                });
                Ok(IndexingTurn::Yours(places.collect()))
            }
            _ => Err(UnexpectedReply {
                step: "TakeIndexing",
            }),
        }
    }
}

/// Keeps how far a node was walked through.
#[derive(Debug, Clone)]
pub struct NoteIndexing {
    /// The text that the turn was taken with.
    pub holder: String,
    /// The node.
    pub node: String,
    /// The place; empty: all of it.
    pub place: String,
}

impl Step for NoteIndexing {
    /// Whether it is still the caller's turn.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &NOTE,
            key: redis_keys::member_indexing(),
            arguments: vec![
                self.holder.clone(),
                LEASE.as_millis().to_string(),
                self.node.clone(),
                self.place.clone(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("noted")] => Ok(true),
            [Some("lost")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "NoteIndexing",
            }),
        }
    }
}

/// Keeps that all nodes were walked through.
#[derive(Debug, Clone)]
pub struct FinishIndexing {
    /// The text that the turn was taken with.
    pub holder: String,
}

impl Step for FinishIndexing {
    /// Whether it was still the caller's turn.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &FINISH,
            key: redis_keys::member_indexing(),
            arguments: vec![self.holder.clone(), KEPT.as_millis().to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("finished")] => Ok(true),
            [Some("lost")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "FinishIndexing",
            }),
        }
    }
}

/// When was a member seen first?
#[derive(Debug, Clone)]
pub struct ReadFirstSeen {
    /// Who.
    pub member: MemberId,
}

impl Step for ReadFirstSeen {
    /// `None`: never, or they were erased.
    type Outcome = Option<Timestamp>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HGET",
            key: redis_keys::member(&self.member),
            arguments: vec!["first_seen_at".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let [Some(second)] = reply else {
            return Ok(None);
        };
        let at = second.parse().ok();
        let at = at.and_then(|second| Timestamp::from_second(second).ok());
        at.map(Some).ok_or(UnexpectedReply {
            step: "ReadFirstSeen",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{AppId, OpenId};

    #[test]
    fn a_members_key_names_them() {
        let member = MemberId {
            app_id: AppId::parse("wx0123456789abcdef").unwrap(),
            openid: OpenId::parse("o6_bmjrPTlm6_2sgVt7hMZOPfL2M").unwrap(),
        };
        let key = redis_keys::member(&member);
        assert_eq!(member_of_key(&key), Some(member.clone()));
        for other in [
            redis_keys::subject(&member),
            redis_keys::members(&member.app_id),
            key.replace('}', ""),
            key.replace(":o6", ""),
            String::new(),
        ] {
            assert_eq!(member_of_key(&other), None, "{other}");
        }
    }
}
