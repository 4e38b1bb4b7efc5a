//! How often something that costs a call to WeChat may be done: its quotas are finite and shared.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::redis_keys;

/// Of what a client may start.
const MINUTE: Duration = Duration::from_mins(1);

static ADMIT: AtomicScript = AtomicScript::new(include_str!("admit.lua"));

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

/// Whether it may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Admitted,
    /// It may not, for this long.
    Refused {
        /// Until the window is over.
        retry_after: Duration,
    },
}

impl Step for AdmitLogin {
    type Outcome = Admission;

    fn operation(&self) -> Operation {
        let key = redis_keys::admitted_logins(subscriber(self.client));
        counted(key, self.per_minute, MINUTE)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Admission, UnexpectedReply> {
        admission(reply).ok_or(UnexpectedReply { step: "AdmitLogin" })
    }
}

fn counted(key: String, share: u32, window: Duration) -> Operation {
    Operation::Script {
        script: &ADMIT,
        key,
        arguments: vec![share.to_string(), window.as_millis().to_string()],
    }
}

pub(super) fn admission(reply: &[Option<String>]) -> Option<Admission> {
    match words(reply).as_slice() {
        [Some("admitted")] => Some(Admission::Admitted),
        [Some("refused"), Some(milliseconds)] => Some(Admission::Refused {
            retry_after: Duration::from_millis(milliseconds.parse().ok()?),
        }),
        _ => None,
    }
}
