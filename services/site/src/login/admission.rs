//! Who may begin a login, and what is counted of those who do.

use std::net::IpAddr;

use super::{BeginError, Logins};
use crate::gateway_client::GatewayError;
use login_protocol::{
    gateway_api::ClientLogins,
    steps::{AdmitLogin, GiveBackLogin, GivenBack, LoginAdmission},
};

impl Logins {
    /// Counts a login that is about to start; one that goes on was counted when it started. Returns
    /// how many the client has started lately, unless limits are off.
    ///
    /// # Errors
    ///
    /// It had too many, or Redis is unavailable.
    pub(super) async fn admit(&self, client: IpAddr) -> Result<Option<ClientLogins>, BeginError> {
        if self.per_minute == 0 {
            return Ok(None);
        }
        let step = AdmitLogin {
            site: self.site.realm.site.clone(),
            client,
            per_minute: self.per_minute,
        };
        match self.store.run(&step).await? {
            LoginAdmission::Admitted(begun) => Ok(Some(begun)),
            LoginAdmission::Refused { retry_after } => {
                metrics::counter!("logins_total", "outcome" => "rate_limited").increment(1);
                Err(BeginError::TooManyOfClient { retry_after })
            }
        }
    }

    /// The step that takes a login out of its client's counts, unless nobody is counted.
    pub(super) fn give_back(&self, client: IpAddr, because: GivenBack) -> Option<GiveBackLogin> {
        (self.per_minute > 0).then(|| GiveBackLogin {
            site: self.site.realm.site.clone(),
            client,
            because,
        })
    }

    /// Takes a login out of the counts that was admitted and then couldn't begin: an outage of
    /// WeChat's mustn't use up the day of an office that keeps trying.
    pub(super) async fn could_not_begin(&self, client: IpAddr, error: BeginError) -> BeginError {
        if matches!(
            error,
            BeginError::TooManyWebAuthorizations { .. }
                | BeginError::Gateway(GatewayError::TooManyLogins { .. })
        ) {
            metrics::counter!("logins_total", "outcome" => "held_back").increment(1);
        }
        if let Some(step) = self.give_back(client, GivenBack::NotBegun)
            && let Err(error) = self.store.run(&step).await
        {
            tracing::warn!(%error, "couldn't give back a login that never started; it counts against its client");
        }
        error
    }
}
