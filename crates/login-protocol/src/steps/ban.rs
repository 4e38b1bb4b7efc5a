//! Banning somebody at an account. The ban is in their record, and stays when they are erased.

use super::{Operation, Step, UnexpectedReply};
use crate::{identity::MemberId, redis_keys};

/// What the record of somebody who is banned has.
const FIELD: &str = "banned";

/// Bans somebody, known or not.
#[derive(Debug, Clone)]
pub struct BanMember {
    /// Who.
    pub member: MemberId,
}

impl Step for BanMember {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HSET",
            key: redis_keys::member(&self.member),
            arguments: vec![FIELD.to_owned(), "1".to_owned()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Lets somebody in again.
#[derive(Debug, Clone)]
pub struct LiftBan {
    /// Who.
    pub member: MemberId,
}

impl Step for LiftBan {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HDEL",
            key: redis_keys::member(&self.member),
            arguments: vec![FIELD.to_owned()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
