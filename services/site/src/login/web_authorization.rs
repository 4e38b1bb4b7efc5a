//! Logging in by web authorisation: a browser inside WeChat, which can't scan its own screen, goes
//! to WeChat's consent and comes back with a code (RFC 6749, section 4.1).
//!
//! The attempt's cookie decides whether a callback is accepted. A person who opened somebody else's
//! authorisation link comes back without it, and the sender's browser learns nothing: neither is
//! logged in as the other (RFC 6749, section 10.12). A rejected code would stay valid for five
//! minutes, for whoever reads it in a log, so the gateway is asked to discard it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    attempt::AttemptStatus,
    gateway_api::{BeginWebAuthorization, CompleteWebAuthorization},
    method::Method,
    scene::{BrowserSecret, Scene},
    site::Site,
    steps::{Purpose, TicketDelivery},
};
use service_kit::{
    random::{self, NoRandomness},
    redis::StoreError,
};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use url::Url;

use super::{
    BeginError, CompleteError, Completion, Living, Logins, Visit, WORTH_RESUMING, shown::Shown,
};
use crate::{gateway_client::GatewayError, sessions::identifier::SessionId};

/// An attempt whose browser is about to go to WeChat.
pub struct AuthorizationRequest {
    /// What the browser's cookie holds.
    pub secret: BrowserSecret,
    /// When the attempt ends, by Redis' clock.
    pub expires_at: Timestamp,
    /// How long it is until then.
    pub left: Duration,
    /// Where to go, exactly as it is.
    pub authorize_url: String,
}

/// What a browser comes back from WeChat with.
#[derive(Clone, Copy)]
pub struct AuthorizationResponse<'a> {
    /// The secret of its attempt, if it has one.
    pub secret: Option<&'a BrowserSecret>,
    /// The session that it has, if it has one.
    pub session: Option<&'a SessionId>,
    /// Where it comes from.
    pub visit: Visit<'a>,
    /// The state of the attempt that was begun, if WeChat sent it.
    pub state: &'a str,
    /// WeChat's code; empty if the person declined.
    pub code: &'a str,
    /// What its login is for.
    pub purpose: Purpose,
}

/// Why a callback logged nobody in.
#[derive(Debug, thiserror::Error)]
pub enum WebAuthorizationError {
    /// This browser didn't begin it, or began another one since.
    #[error("the state belongs to no attempt of this browser")]
    StateMismatch,
    /// The person didn't agree, or wasn't asked.
    #[error("there is no consent")]
    ConsentMissing,
    /// WeChat opened the page as a snapshot, whose user isn't real.
    #[error("the page was opened as a snapshot")]
    Snapshot,
    /// The attempt's time ran out, or it was completed long ago.
    #[error("the attempt is over")]
    AttemptOver,
    /// The code was spent or too old.
    #[error("the code was already used or has expired")]
    SpentCode,
    /// The person doesn't follow the account, and the site asks for that.
    #[error("the user doesn't follow the account")]
    FollowingRequired,
    /// The owner banned the person.
    #[error("the user is banned")]
    Banned,
    /// The gateway failed, or WeChat behind it.
    #[error(transparent)]
    Gateway(GatewayError),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no session to be had.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl From<GatewayError> for WebAuthorizationError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::ConsentMissing => Self::ConsentMissing,
            GatewayError::Snapshot => Self::Snapshot,
            GatewayError::SpentCode => Self::SpentCode,
            GatewayError::AttemptOver => Self::AttemptOver,
            GatewayError::Banned => Self::Banned,
            error => Self::Gateway(error),
        }
    }
}

impl From<CompleteError> for WebAuthorizationError {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::NotRedeemable(_) | CompleteError::SignedOutEverywhere => {
                Self::AttemptOver
            }
            CompleteError::Banned => Self::Banned,
            CompleteError::FollowingRequired => Self::FollowingRequired,
            CompleteError::Store(error) => Self::Store(error),
            CompleteError::Randomness(error) => Self::Randomness(error),
        }
    }
}

impl Logins {
    /// Starts an attempt by web authorisation, or takes up the one that this browser has, so that
    /// coming back from the consent and going there again is one attempt.
    ///
    /// # Errors
    ///
    /// Too many logins from this client, or of all; Redis or the gateway unavailable.
    pub async fn begin_web_authorization(
        &self,
        visit: Visit<'_>,
        secret: Option<BrowserSecret>,
        redirect_uri: &Url,
        client: Option<&Arc<Site>>,
    ) -> Result<AuthorizationRequest, BeginError> {
        let site = client.unwrap_or(&self.site);
        let mut was_admitted = false;
        let (secret, living) = if let Some(known) = self.begun_before(secret, site).await? {
            known
        } else {
            self.admit_client(visit.client).await?;
            was_admitted = true;
            if let Err(retry_after) = self.web_authorizations.begin(Instant::now()) {
                let error = BeginError::TooManyWebAuthorizations { retry_after };
                return Err(self.could_not_begin(visit.client, error).await);
            }
            let secret = BrowserSecret::from_random(random::bytes()?);
            let living = self
                .open(
                    visit,
                    secret.scene(),
                    Shown::nothing(Method::WebAuthorization),
                    site,
                )
                .await?;
            (secret, living)
        };
        let request = BeginWebAuthorization {
            scene: secret.scene(),
            redirect_uri: redirect_uri.to_string(),
            account: site.realm.account.clone(),
        };
        let begun = match self.gateway.begin_web_authorization(&request).await {
            Ok(begun) => begun,
            Err(error) if was_admitted => {
                return Err(self.could_not_begin(visit.client, error.into()).await);
            }
            Err(error) => return Err(error.into()),
        };
        Ok(AuthorizationRequest {
            secret,
            expires_at: living.opened.expires_at,
            left: living.left,
            authorize_url: begun.authorize_url,
        })
    }

    async fn begun_before(
        &self,
        secret: Option<BrowserSecret>,
        site: &Site,
    ) -> Result<Option<(BrowserSecret, Living)>, StoreError> {
        let Some(secret) = secret else {
            return Ok(None);
        };
        let known = self.living(&secret, site).await?.filter(|living| {
            living.opened.method == Method::WebAuthorization
                && living.opened.status == AttemptStatus::Pending
                && living.left > WORTH_RESUMING
        });
        Ok(known.map(|living| (secret, living)))
    }

    /// Signs in a browser that comes back from WeChat. The same callback a second time, as the back
    /// button or WeChat's own double redirect makes it, leads to the same session. A login for a
    /// ticket alone is confirmed and no more: the page completes it, and no ticket is in a URL.
    ///
    /// # Errors
    ///
    /// Why it was not signed in.
    pub async fn complete_web_authorization(
        &self,
        response: AuthorizationResponse<'_>,
    ) -> Result<Option<SessionId>, WebAuthorizationError> {
        let Some(secret) = response
            .secret
            .filter(|secret| began(secret, response.state))
        else {
            self.stray_codes.discard(&response, None);
            return Err(WebAuthorizationError::StateMismatch);
        };
        let scene = secret.scene();
        let (status, _) = self.status(secret).await?;
        if status == AttemptStatus::Pending {
            self.exchange(secret, scene, response.code).await?;
        } else {
            // Usually it is the code that the attempt was decided by, and the gateway knows.
            self.stray_codes.discard(&response, Some(scene));
        }
        if response.purpose == Purpose::Ticket {
            return match status {
                AttemptStatus::Pending | AttemptStatus::Confirmed | AttemptStatus::Consumed => {
                    Ok(None)
                }
                AttemptStatus::Scanned | AttemptStatus::Denied | AttemptStatus::Expired => {
                    Err(WebAuthorizationError::AttemptOver)
                }
            };
        }
        let completion = Completion {
            secret,
            previous: response.session,
            visit: response.visit,
            purpose: Purpose::Session,
            delivery: TicketDelivery::OnReturn,
            told_at: None,
        };
        Ok(self.complete(completion).await?.session)
    }

    /// Has the attempt confirmed for the person with this code.
    async fn exchange(
        &self,
        secret: &BrowserSecret,
        scene: Scene,
        code: &str,
    ) -> Result<(), WebAuthorizationError> {
        // WeChat sends a person who declined back without a code, if at all.
        if code.is_empty() {
            return Err(WebAuthorizationError::ConsentMissing);
        }
        let request = CompleteWebAuthorization {
            scene,
            code: code.to_owned(),
            account: self.realm_of(secret).await?.account,
        };
        match self.gateway.complete_web_authorization(&request).await {
            Ok(_) => Ok(()),
            // Another request may have submitted the same code to a gateway of another version,
            // whose record of it means nothing here. Then the attempt's status is the outcome.
            Err(error @ (GatewayError::SpentCode | GatewayError::AttemptOver)) => {
                let (status, _) = self.status(secret).await?;
                if status == AttemptStatus::Confirmed {
                    return Ok(());
                }
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether this browser went to WeChat with this state.
fn began(secret: &BrowserSecret, state: &str) -> bool {
    let own = secret.scene().authorization_state();
    own.as_bytes().ct_eq(state.as_bytes()).into()
}
