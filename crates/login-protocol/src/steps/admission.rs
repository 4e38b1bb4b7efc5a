//! How often something that costs a call to WeChat may be done: its quotas are finite and shared.

use std::{net::IpAddr, time::Duration};

use super::{
    Operation, Step, UnexpectedReply,
    net_shares::{self, Use, Window},
};
use crate::{
    client_nets::{nets, widest_net},
    gateway_api::ClientLogins,
    redis_keys,
    site::SiteId,
};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How many minutes' shares of logins a client has in an hour. Completed ones don't count, so the
/// abandoned ones of a whole office behind one address must fit.
const MINUTES_OF_AN_HOUR: u32 = 10;

/// How many minutes' shares of logins a client has in a day.
const MINUTES_OF_A_DAY: u32 = 40;

/// The window of [`login_windows`] that hour and day begin with. The minute's keeps all that was
/// begun in it.
const HOUR_AND_DAY: usize = 1;

/// Up to how many uncompleted logins a day a client counts as having few. A wider network may have
/// a multiple of it, as with its shares.
const FEW: u32 = 5;

/// More than so many minutes' shares of uncompleted logins in a day are more than people begin.
const HASTY_MINUTES: u32 = 4;

/// How many uses a login that a scan completed gives back: its own, and that of an abandoned one.
/// People complete most of what they start, so whoever shares an address with many of them is never
/// stopped.
const GIVEN_BACK_BY_A_SCAN: u32 = 2;

/// Counts a login against the shares of a client and of its wider networks, across all replicas.
#[derive(Debug, Clone)]
pub struct AdmitLogin {
    /// Where it begins. Each site counts for itself.
    pub site: SiteId,
    /// Where the request came from; counted by its [`nets`].
    pub client: IpAddr,
    /// How many it may start in a minute. Hour and day follow from it.
    pub per_minute: u32,
}

/// Whether a login may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginAdmission {
    /// It may, and this is how many the client has begun lately and not completed.
    Admitted(ClientLogins),
    /// It may, if its browser has done some work for it: the client begins more than people do.
    Hasty,
    /// It may not, for this long.
    Refused {
        /// Until a window ends.
        retry_after: Duration,
    },
}

/// Takes a login out of the hour's and the day's counts of a client. Giving back again takes
/// another one out.
#[derive(Debug, Clone)]
pub struct GiveBackLogin {
    /// Where it began.
    pub site: SiteId,
    /// Where the request came from; counted by its [`nets`].
    pub client: IpAddr,
    /// Why it no longer counts.
    pub because: GivenBack,
}

/// Why a login doesn't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenBack {
    /// Somebody scanned and logged in. No attacker has many of these: each needs a person who
    /// follows.
    Scanned,
    /// Somebody logged in inside WeChat. It costs no code and requires no follow, so one browser
    /// can repeat it at will: it gives back only itself.
    WebAuthorization,
    /// It never began: there was no code for it.
    NotBegun,
}

fn login_windows(per_minute: u32) -> [Window; 3] {
    [
        (MINUTE, 1),
        (HOUR, MINUTES_OF_AN_HOUR),
        (DAY, MINUTES_OF_A_DAY),
    ]
    .map(|(length, minutes)| Window {
        length,
        share: per_minute.saturating_mul(minutes),
    })
}

impl Step for AdmitLogin {
    type Outcome = LoginAdmission;

    fn operation(&self) -> Operation {
        let key = redis_keys::logins_begun(&self.site, widest_net(self.client).address);
        net_shares::admit(key, self.client, &login_windows(self.per_minute))
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<LoginAdmission, UnexpectedReply> {
        match net_shares::admitted(reply) {
            Some(Use::Counted(today)) => {
                let nets = || nets(self.client).into_iter().flatten().zip(&today);
                let each_has_had = |at_most: u32| {
                    nets().all(|(net, begun)| *begun <= at_most.saturating_mul(net.factor))
                };
                Ok(if each_has_had(FEW) {
                    LoginAdmission::Admitted(ClientLogins::Few)
                } else if each_has_had(self.per_minute.saturating_mul(HASTY_MINUTES)) {
                    LoginAdmission::Admitted(ClientLogins::Many)
                } else {
                    LoginAdmission::Hasty
                })
            }
            Some(Use::Refused(retry_after)) => Ok(LoginAdmission::Refused { retry_after }),
            None => Err(UnexpectedReply { step: "AdmitLogin" }),
        }
    }
}

impl Step for GiveBackLogin {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let key = redis_keys::logins_begun(&self.site, widest_net(self.client).address);
        let uses = match self.because {
            GivenBack::Scanned => GIVEN_BACK_BY_A_SCAN,
            GivenBack::WebAuthorization | GivenBack::NotBegun => 1,
        };
        net_shares::give_back(key, self.client, uses, HOUR_AND_DAY)
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
