//! Erasing somebody. Erasing again changes nothing.

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    identity::MemberId,
    redis_keys,
    subject::{Subject, UnionDigest},
};

static ERASE_MEMBER: AtomicScript = AtomicScript::new(include_str!("member_erase.lua"));
static ERASE_UNION: AtomicScript = AtomicScript::new(include_str!("subject_erase_union.lua"));

fn existed(reply: &[Option<String>], step: &'static str) -> Result<bool, UnexpectedReply> {
    match words(reply).as_slice() {
        [Some("0")] => Ok(false),
        [Some("1")] => Ok(true),
        _ => Err(UnexpectedReply { step }),
    }
}

fn delete(key: String) -> Operation {
    Operation::Command {
        name: "DEL",
        key,
        arguments: Vec::new(),
    }
}

/// Erases what is stored of a member, but not that they are banned. It is the last step, so that who erases again after a failure
/// finds them.
#[derive(Debug, Clone)]
pub struct EraseMember {
    /// Who.
    pub member: MemberId,
}

impl Step for EraseMember {
    /// Whether there was anything.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &ERASE_MEMBER,
            key: redis_keys::member(&self.member),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        existed(reply, "EraseMember")
    }
}

/// Erases somebody's subject; who comes back gets a new one.
#[derive(Debug, Clone)]
pub struct EraseSubject {
    /// Whose.
    pub member: MemberId,
}

impl Step for EraseSubject {
    /// Whether there was one.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        delete(redis_keys::subject(&self.member))
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        existed(reply, "EraseSubject")
    }
}

/// Erases that a subject is a UnionID's.
#[derive(Debug, Clone)]
pub struct EraseUnion {
    /// The UnionID.
    pub union: UnionDigest,
    /// The subject. A UnionID that has another one keeps it.
    pub subject: Subject,
}

impl Step for EraseUnion {
    /// Whether it was.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &ERASE_UNION,
            key: redis_keys::subject_of_union(&self.union),
            arguments: vec![self.subject.as_str().to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        existed(reply, "EraseUnion")
    }
}
