//! How many logins one client may start: WeChat's quota of QR codes is finite and shared.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::redis_keys;

static ADMIT: AtomicScript = AtomicScript::new(include_str!("admit_login.lua"));

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one
/// subscriber gets.
pub fn subscriber(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

/// Counts a login against a client's share of the minute, on all replicas together.
#[derive(Debug, Clone)]
pub struct AdmitLogin {
    /// Where the request came from; counted by its [`subscriber`].
    pub client: IpAddr,
    /// How many it may start in a minute.
    pub per_minute: u32,
}

/// Whether the client may start a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Admitted,
    /// It may not, for this long.
    Refused {
        /// Until the client's minute is over.
        retry_after: Duration,
    },
}

impl Step for AdmitLogin {
    type Outcome = Admission;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &ADMIT,
            key: redis_keys::admitted_logins(subscriber(self.client)),
            arguments: vec![self.per_minute.to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Admission, UnexpectedReply> {
        let unexpected = || UnexpectedReply { step: "AdmitLogin" };
        match words(reply).as_slice() {
            [Some("admitted")] => Ok(Admission::Admitted),
            [Some("refused"), Some(milliseconds)] => {
                let milliseconds = milliseconds.parse().map_err(|_| unexpected())?;
                Ok(Admission::Refused {
                    retry_after: Duration::from_millis(milliseconds),
                })
            }
            _ => Err(unexpected()),
        }
    }
}
