//! One visitor's login, from the QR code to the session.

use std::{net::IpAddr, sync::Arc, time::Duration};

use login_protocol::{
    account::AccountName,
    site::Site,
    steps::{OpenedAttempt, REDEMPTION_WINDOW, SessionLifetime},
};
use service_kit::{bans::BanKeys, redis::Store};
use tokio::time::Instant;

use crate::{
    gateway_client::GatewayClient, login_methods::LoginMethods, sessions::rules::SessionRules,
};

mod admission;
mod attempts;
mod error;
mod pace;
mod proof_of_work;
mod redemption;
mod shown;
mod steps;
mod stray_codes;
mod web_authorization;
mod web_authorization_limit;

pub use attempts::{Followed, Wish};
pub use error::{BeginError, CompleteError};
pub use proof_of_work::{Challenge, ProofsOfWork};
pub use redemption::{Completed, Completion};
use shown::Shown;
use steps::LoginSteps;
use stray_codes::StrayCodes;
pub use web_authorization::{AuthorizationRequest, AuthorizationResponse, WebAuthorizationError};
use web_authorization_limit::WebAuthorizationLimit;

/// An attempt with less left than this isn't worth showing again after a reload.
const WORTH_RESUMING: Duration = Duration::from_secs(15);

/// Logins on this site.
pub struct Logins {
    site: Arc<Site>,
    /// Further accounts that visitors of this site's clients log in to.
    other_accounts: Vec<AccountName>,
    store: Arc<Store>,
    gateway: Arc<GatewayClient>,
    stray_codes: StrayCodes,
    methods: LoginMethods,
    attempt_lifetime_seconds: u32,
    session_lifetime: SessionLifetime,
    rules: SessionRules,
    ban_keys: BanKeys,
    per_minute: u32,
    work: ProofsOfWork,
    web_authorizations: WebAuthorizationLimit,
    steps: LoginSteps,
}

/// How long things live and how many are allowed.
pub struct LoginLimits {
    /// An attempt's lifetime.
    pub attempt_lifetime_seconds: u32,
    /// A session's lifetime.
    pub session_lifetime: SessionLifetime,
    /// Logins that one client may start in a minute; 0 is no limit.
    pub per_minute: u32,
    /// What work browsers do before one begins.
    pub work: ProofsOfWork,
    /// Attempts by web authorisation that this process may start in the time that one lives; 0 is
    /// no limit.
    pub web_authorizations: u32,
}

/// An attempt, and how long it will live: Redis' time left, because the clocks of Redis and of the
/// sites differ.
#[derive(Debug, Clone)]
pub struct Living {
    /// The attempt.
    pub opened: OpenedAttempt,
    /// How long it will live.
    pub left: Duration,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// Its `User-Agent`; empty without one.
    pub user_agent: &'a str,
}

impl Logins {
    /// Logins at this site with these limits; its clients may name other accounts.
    pub fn new(
        site: Arc<Site>,
        other_accounts: Vec<AccountName>,
        store: Arc<Store>,
        gateway: Arc<GatewayClient>,
        limits: LoginLimits,
        rules: SessionRules,
        methods: LoginMethods,
    ) -> Self {
        let LoginLimits {
            attempt_lifetime_seconds,
            session_lifetime,
            per_minute,
            work,
            web_authorizations,
        } = limits;
        Self {
            steps: LoginSteps::new(&site.realm.account, &other_accounts),
            stray_codes: StrayCodes::new(site.realm.account.clone(), Arc::clone(&gateway)),
            site,
            other_accounts,
            store,
            gateway,
            methods,
            attempt_lifetime_seconds,
            session_lifetime,
            rules,
            ban_keys: BanKeys::default(),
            per_minute,
            work,
            web_authorizations: WebAuthorizationLimit::new(
                web_authorizations,
                Duration::from_secs(attempt_lifetime_seconds.into()),
                Instant::now(),
            ),
        }
    }

    /// The ways to log in that this site offers.
    pub const fn methods(&self) -> &LoginMethods {
        &self.methods
    }

    /// How long the attempt's cookie is of use: the attempt, and the time to redeem it.
    pub fn cookie_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.attempt_lifetime_seconds)) + REDEMPTION_WINDOW
    }
}
