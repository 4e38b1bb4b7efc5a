//! Erasing somebody. Erasing again changes nothing.

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    identity::MemberId,
    redis_keys,
    subject::{Subject, UnionDigest},
};

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

/// Erases what is stored of a member. Only leaving the index comes after it, so that whoever erases
/// again after a failure finds them.
#[derive(Debug, Clone)]
pub struct EraseMember {
    /// Who.
    pub member: MemberId,
}

impl Step for EraseMember {
    /// Whether there was anything.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        delete(redis_keys::member(&self.member))
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

/// Forgets which digits somebody sent.
#[derive(Debug, Clone)]
pub struct ForgetGuesses {
    /// Who.
    pub member: MemberId,
}

impl Step for ForgetGuesses {
    type Outcome = ();

    fn operation(&self) -> Operation {
        delete(redis_keys::guesses(&self.member))
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Erases when somebody's sessions ended at all sites. Nothing may be left that it would end.
#[derive(Debug, Clone)]
pub struct EraseSessionsEnd {
    /// Whose.
    pub member: MemberId,
}

impl Step for EraseSessionsEnd {
    type Outcome = ();

    fn operation(&self) -> Operation {
        delete(redis_keys::sessions_end(&self.member))
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
