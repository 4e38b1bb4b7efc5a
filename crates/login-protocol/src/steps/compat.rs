//! Codes in the protocol of wechat-server: a person asks the account for one, types it into a
//! website, and the website's backend asks us whose it is.

use std::{net::IpAddr, time::Duration};

use super::{
    Admission, AtomicScript, Operation, Step, UnexpectedReply,
    exchange::{self, RESERVE},
    words,
};
use crate::{
    identity::{AppId, MemberId, OpenId},
    redis_keys,
};

static GIVE: AtomicScript = AtomicScript::new(include_str!("compat_give.lua"));
static TAKE: AtomicScript = AtomicScript::new(include_str!("compat_take.lua"));

/// How long a code is good.
const CODE_LIFETIME: Duration = Duration::from_mins(3);

/// How long a code is kept: as long as a delivery of the message that asked for it is accepted.
const CODE_IS_KEPT: Duration = Duration::from_mins(10);

/// How long the caller who took a code may ask again.
const ASKED_AGAIN: Duration = Duration::from_secs(10);

/// How many wrong codes a caller may send in [`WRONG_COUNT`].
const WRONG_CODES: u32 = 60;

/// How long a wrong code counts.
const WRONG_COUNT: Duration = Duration::from_mins(1);

/// Gives somebody a code, unless it is another person's. Giving it again changes nothing, not even
/// that it was used.
#[derive(Clone)]
pub struct GiveCompatCode {
    /// Six digits.
    pub code: String,
    /// Who asked.
    pub member: MemberId,
}

impl Step for GiveCompatCode {
    /// Whether it is theirs.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &GIVE,
            key: redis_keys::compat_code(&self.member.app_id, &self.code),
            arguments: vec![
                self.member.openid.as_str().to_owned(),
                CODE_IS_KEPT.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("given")] => Ok(true),
            [Some("taken")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "GiveCompatCode",
            }),
        }
    }
}

/// Whose code is it? It is used up by that, but for the same caller within ten seconds.
#[derive(Clone)]
pub struct TakeCompatCode {
    /// The account.
    pub app_id: AppId,
    /// What the caller sent, six digits.
    pub code: String,
    /// Who calls.
    pub caller: IpAddr,
}

impl Step for TakeCompatCode {
    /// `None`: nobody's, or it was used, or its time is over.
    type Outcome = Option<OpenId>;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &TAKE,
            key: redis_keys::compat_code(&self.app_id, &self.code),
            arguments: vec![
                self.caller.to_string(),
                CODE_LIFETIME.as_millis().to_string(),
                ASKED_AGAIN.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = UnexpectedReply {
            step: "TakeCompatCode",
        };
        match words(reply).as_slice() {
            [Some("")] => Ok(None),
            [Some(openid)] => OpenId::parse(openid).map(Some).map_err(|_| unexpected),
            _ => Err(unexpected),
        }
    }
}

/// Reserves a place among a caller's wrong codes, which is given back for a right one.
#[derive(Debug, Clone)]
pub struct ReserveCompatCode {
    /// Who calls.
    pub caller: IpAddr,
    /// A name that no other reservation has.
    pub reservation: String,
}

impl Step for ReserveCompatCode {
    type Outcome = Admission;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &RESERVE,
            key: redis_keys::wrong_compat_codes(self.caller),
            arguments: vec![
                self.reservation.clone(),
                WRONG_CODES.to_string(),
                WRONG_COUNT.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Admission, UnexpectedReply> {
        exchange::admission(reply).ok_or(UnexpectedReply {
            step: "ReserveCompatCode",
        })
    }
}

/// Gives it back. Giving it back again changes nothing.
#[derive(Debug, Clone)]
pub struct GiveBackCompatCode {
    /// Who calls.
    pub caller: IpAddr,
    /// The name that it was reserved under.
    pub reservation: String,
}

impl Step for GiveBackCompatCode {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZREM",
            key: redis_keys::wrong_compat_codes(self.caller),
            arguments: vec![self.reservation.clone()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
