//! How many QR codes the account creates in a day, on all gateways together: WeChat's quota is
//! shared with other programs that create codes for it.

use std::time::Duration;

use jiff::civil::Date;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{identity::AppId, redis_keys};

static TAKE: AtomicScript = AtomicScript::new(include_str!("codes_take.lua"));

/// Longer than a day, wherever it begins.
const REMEMBERED: Duration = Duration::from_hours(48);

/// Takes a share of a day's codes, so that not every code costs a round trip. What a gateway
/// doesn't use of it before it ends is lost for the day. Taking again after a lost answer takes
/// another share.
#[derive(Debug, Clone)]
pub struct TakeCodes {
    /// The account.
    pub app_id: AppId,
    /// The day, as WeChat counts days.
    pub day: Date,
    /// How many at most.
    pub share: u32,
    /// How many may be taken by now, by all together.
    pub up_to: u32,
}

/// The outcome of taking a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodesTaken {
    /// How many may be created; 0 when as many as may be are taken.
    pub granted: u32,
    /// How many are taken of the day's, with these.
    pub in_all: u32,
}

impl Step for TakeCodes {
    type Outcome = CodesTaken;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &TAKE,
            key: redis_keys::codes_taken(&self.app_id, self.day),
            arguments: vec![
                self.share.to_string(),
                self.up_to.to_string(),
                REMEMBERED.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<CodesTaken, UnexpectedReply> {
        let unexpected = || UnexpectedReply { step: "TakeCodes" };
        match words(reply).as_slice() {
            [Some("granted"), Some(granted), Some(in_all)] => Ok(CodesTaken {
                granted: granted.parse().map_err(|_| unexpected())?,
                in_all: in_all.parse().map_err(|_| unexpected())?,
            }),
            _ => Err(unexpected()),
        }
    }
}

/// How many of a day's codes are taken?
#[derive(Debug, Clone)]
pub struct ReadCodesTaken {
    /// The account.
    pub app_id: AppId,
    /// The day, as WeChat counts days.
    pub day: Date,
}

impl Step for ReadCodesTaken {
    type Outcome = u32;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: redis_keys::codes_taken(&self.app_id, self.day),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<u32, UnexpectedReply> {
        let unexpected = || UnexpectedReply {
            step: "ReadCodesTaken",
        };
        match words(reply).as_slice() {
            [None] => Ok(0),
            [Some(taken)] => taken.parse().map_err(|_| unexpected()),
            _ => Err(unexpected()),
        }
    }
}
