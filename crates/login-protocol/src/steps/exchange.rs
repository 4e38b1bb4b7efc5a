//! Limits on authorisation codes that WeChat refuses. Anybody can invent codes, and only WeChat can
//! tell; every exchange is an API call.
//!
//! Only refused codes count, and only WeChat's response tells. So a slot is reserved before the
//! call, which also limits concurrency, and released unless the code was refused.

use std::{net::IpAddr, time::Duration};

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    client_nets::{Net, widest_net},
    redis_keys,
    scene::Scene,
};

pub(super) static RESERVE: AtomicScript = AtomicScript::new(include_str!("exchange_reserve.lua"));

/// On whose behalf a code of web authorisation is exchanged.
#[derive(Debug, Clone)]
pub enum Exchanger {
    /// A browser that knows this attempt's scene, which no stranger does.
    Attempt(Scene),
    /// Anybody at this address; counted by its [`widest_net`].
    Client(IpAddr),
}

impl Exchanger {
    fn key(&self) -> String {
        match self {
            Self::Attempt(scene) => redis_keys::refused_codes_of_attempt(scene),
            Self::Client(client) => {
                redis_keys::refused_codes_of_client(widest_net(*client).address)
            }
        }
    }

    /// How many shares all of it together has. A wide network has a single counter: an attacker who
    /// owns all of it causes no more calls than a few clients, and one who owns a little of it
    /// seldom blocks the others.
    fn shares(&self) -> u32 {
        match self {
            Self::Attempt(_) => 1,
            Self::Client(client) => {
                let Net { factor, .. } = widest_net(*client);
                factor
            }
        }
    }
}

/// Whether it may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Admitted,
    /// It may not, for this long.
    Refused {
        /// Until the window ends.
        retry_after: Duration,
    },
}

/// Reserves a place for an exchange, on all replicas together.
#[derive(Debug, Clone)]
pub struct ReserveExchange {
    /// On whose behalf.
    pub exchanger: Exchanger,
    /// A name that no other reservation has.
    pub reservation: String,
    /// How many codes of theirs WeChat may refuse in a window.
    pub share: u32,
    /// How long a refused code counts.
    pub window: Duration,
}

impl Step for ReserveExchange {
    type Outcome = Admission;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &RESERVE,
            key: self.exchanger.key(),
            arguments: vec![
                self.reservation.clone(),
                (self.share * self.exchanger.shares()).to_string(),
                self.window.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Admission, UnexpectedReply> {
        admission(reply).ok_or(UnexpectedReply {
            step: "ReserveExchange",
        })
    }
}

/// Releases a slot: WeChat accepted the code, or wasn't called. Releasing it again changes nothing.
#[derive(Debug, Clone)]
pub struct GiveBackExchange {
    /// On whose behalf it was reserved.
    pub exchanger: Exchanger,
    /// The name that it was reserved under.
    pub reservation: String,
}

impl Step for GiveBackExchange {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZREM",
            key: self.exchanger.key(),
            arguments: vec![self.reservation.clone()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Reads the answer of [`RESERVE`].
pub(super) fn admission(reply: &[Option<String>]) -> Option<Admission> {
    match words(reply).as_slice() {
        [Some("admitted")] => Some(Admission::Admitted),
        [Some("refused"), Some(milliseconds)] => Some(Admission::Refused {
            retry_after: Duration::from_millis(milliseconds.parse().ok()?),
        }),
        _ => None,
    }
}
