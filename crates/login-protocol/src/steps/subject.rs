//! Subjects. Whatever becomes of a member's record, their subject stays: only deleting somebody
//! removes it.
//!
//! It is kept under a key of its own, which has no end. A person who is known under another account
//! with the same UnionID has the same one: the first to claim a UnionID says which. Two that were
//! given are never merged.

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    identity::MemberId,
    redis_keys,
    subject::{Subject, UnionDigest},
};

static GIVE: AtomicScript = AtomicScript::new(include_str!("subject_give.lua"));
static CLAIM: AtomicScript = AtomicScript::new(include_str!("subject_claim.lua"));

/// A subject that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenSubject {
    /// The subject.
    pub subject: Subject,
    /// Since when, by Redis' clock, to the millisecond.
    pub given_at: Timestamp,
    /// The UnionID that it is known by.
    pub union: Option<UnionDigest>,
}

impl GivenSubject {
    fn read(subject: &str, given_at_ms: &str, union: Option<&str>) -> Option<Self> {
        Some(Self {
            subject: Subject::parse(subject).ok()?,
            given_at: Timestamp::from_millisecond(given_at_ms.parse().ok()?).ok()?,
            union: union.map(UnionDigest::read),
        })
    }
}

fn milliseconds(at: Option<Timestamp>) -> String {
    at.map(|at| at.as_millisecond().to_string())
        .unwrap_or_default()
}

/// Which subject does somebody have?
#[derive(Debug, Clone)]
pub struct ReadSubject {
    /// Who.
    pub member: MemberId,
}

impl Step for ReadSubject {
    /// `None`: they have yet to log in.
    type Outcome = Option<GivenSubject>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::subject(&self.member),
            arguments: ["sub", "given_at_ms", "union_sha256"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let given = match words(reply).as_slice() {
            [None, ..] => return Ok(None),
            [Some(subject), Some(given_at_ms), union] => {
                GivenSubject::read(subject, given_at_ms, *union)
            }
            _ => None,
        };
        given.map(Some).ok_or(UnexpectedReply {
            step: "ReadSubject",
        })
    }
}

/// Gives somebody a subject, unless they have one.
#[derive(Debug, Clone)]
pub struct GiveSubject {
    /// Who.
    pub member: MemberId,
    /// The subject, if they have none.
    pub subject: Subject,
    /// When it was given first, under another account; `None`: now.
    pub given_at: Option<Timestamp>,
    /// The UnionID that it was claimed for.
    pub union: Option<UnionDigest>,
}

impl Step for GiveSubject {
    /// The subject that they have now.
    type Outcome = GivenSubject;

    fn operation(&self) -> Operation {
        let union = self.union.as_ref();
        Operation::Script {
            script: &GIVE,
            key: redis_keys::subject(&self.member),
            arguments: vec![
                self.subject.as_str().to_owned(),
                milliseconds(self.given_at),
                union.map_or_else(String::new, |union| union.as_str().to_owned()),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<GivenSubject, UnexpectedReply> {
        let given = match words(reply).as_slice() {
            [Some("given"), Some(given_at_ms)] => {
                let union = self.union.as_ref().map(UnionDigest::as_str);
                GivenSubject::read(self.subject.as_str(), given_at_ms, union)
            }
            [Some(subject), Some(given_at_ms), union] => {
                GivenSubject::read(subject, given_at_ms, *union)
            }
            _ => None,
        };
        given.ok_or(UnexpectedReply {
            step: "GiveSubject",
        })
    }
}

/// Which subject belongs to a UnionID? Asking with one that was given before makes it the
/// UnionID's, unless that has an older one.
#[derive(Debug, Clone)]
pub struct ClaimUnion {
    /// The UnionID.
    pub union: UnionDigest,
    /// The subject that it has, if it has none or a younger one.
    pub subject: Subject,
    /// When that was given; `None`: it wasn't yet.
    pub given_at: Option<Timestamp>,
}

impl Step for ClaimUnion {
    /// The UnionID's subject, and since when.
    type Outcome = (Subject, Timestamp);

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &CLAIM,
            key: redis_keys::subject_of_union(&self.union),
            arguments: vec![
                self.subject.as_str().to_owned(),
                milliseconds(self.given_at),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let given = match words(reply).as_slice() {
            [Some(subject), Some(given_at_ms)] => GivenSubject::read(subject, given_at_ms, None),
            _ => None,
        };
        let given = given.ok_or(UnexpectedReply { step: "ClaimUnion" })?;
        Ok((given.subject, given.given_at))
    }
}

/// Which subject does a UnionID have?
#[derive(Debug, Clone)]
pub struct ReadUnion {
    /// The UnionID.
    pub union: UnionDigest,
}

impl Step for ReadUnion {
    /// `None`: nobody with it has logged in.
    type Outcome = Option<Subject>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HGET",
            key: redis_keys::subject_of_union(&self.union),
            arguments: vec!["sub".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = || UnexpectedReply { step: "ReadUnion" };
        match words(reply).as_slice() {
            [None] => Ok(None),
            [Some(subject)] => Subject::parse(subject).map(Some).map_err(|_| unexpected()),
            _ => Err(unexpected()),
        }
    }
}

/// Keeps that somebody's subject is known by a UnionID, which was learned after it was given.
#[derive(Debug, Clone)]
pub struct NoteUnion {
    /// Who. They have a subject.
    pub member: MemberId,
    /// Their UnionID.
    pub union: UnionDigest,
}

impl Step for NoteUnion {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HSET",
            key: redis_keys::subject(&self.member),
            arguments: vec!["union_sha256".to_owned(), self.union.as_str().to_owned()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
