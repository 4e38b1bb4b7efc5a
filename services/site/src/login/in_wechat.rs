//! Logging in inside WeChat: a browser that can't scan its own screen goes to WeChat's consent and comes
//! back with a code.
//!
//! The attempt's cookie decides whether a return is listened to. A person who was sent somebody else's
//! way to the consent comes back without it, and the browser of whoever sent it learns nothing: neither
//! is logged in as the other (RFC 6749, section 10.12). A code that isn't listened to would be good for five
//! minutes, for whoever reads it in a log, so the gateway is asked to discard it.

use std::{net::IpAddr, time::Duration};

use actix_web::http::StatusCode;
use jiff::Timestamp;
use login_protocol::{
    attempt::AttemptStatus,
    gateway_api::{BeginWebAuthorization, CompleteWebAuthorization},
    problem::ProblemCode,
    scene::BrowserSecret,
    steps::GivenBack,
};
use service_kit::problem::Problem;
use subtle::ConstantTimeEq as _;
use url::Url;

use super::{Living, Logins, Visit, WORTH_RESUMING, random_bytes};
use crate::session::SessionId;

/// An attempt whose browser is about to go to WeChat.
pub struct Departure {
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
pub struct Return<'a> {
    /// The secret of its attempt, if it has one.
    pub secret: Option<&'a BrowserSecret>,
    /// Where it comes from.
    pub client: IpAddr,
    /// The state of the attempt that was begun, if WeChat sent it.
    pub state: &'a str,
    /// WeChat's code; empty if the person declined.
    pub code: &'a str,
}

/// Why a return from WeChat logged nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// This browser didn't begin it, or began another one since.
    Elsewhere,
    /// The person didn't agree, or wasn't asked.
    Declined,
    /// WeChat opened the page as a snapshot, whose person isn't real.
    Snapshot,
    /// The attempt's time ran out, or it was completed long ago.
    Over,
    /// The code was spent or too old.
    SpentCode,
    /// WeChat, the gateway or Redis failed.
    Unavailable,
}

impl Logins {
    /// Starts an attempt without a code, or takes up the one that this browser has, so that coming back
    /// from the consent and going there again is one attempt.
    ///
    /// # Errors
    ///
    /// Too many logins from this client; Redis or the gateway unavailable.
    pub async fn depart(
        &self,
        visit: Visit<'_>,
        secret: Option<BrowserSecret>,
        redirect_uri: &Url,
    ) -> Result<Departure, Problem> {
        let mut was_admitted = false;
        let (secret, living) = if let Some(known) = self.departed_before(secret).await? {
            known
        } else {
            self.admit(visit.client).await?;
            was_admitted = true;
            if let Err(problem) = self.begin_codeless() {
                return Err(self.could_not_begin(visit.client, problem).await);
            }
            let secret = BrowserSecret::from_random(random_bytes()?);
            let living = self
                .open(visit, secret.scene(), String::new(), String::new())
                .await?;
            (secret, living)
        };
        let request = BeginWebAuthorization {
            scene: secret.scene(),
            redirect_uri: redirect_uri.to_string(),
        };
        let begun = match self.gateway.begin_web_authorization(&request).await {
            Ok(begun) => begun,
            Err(problem) if was_admitted => {
                return Err(self.could_not_begin(visit.client, problem).await);
            }
            Err(problem) => return Err(problem),
        };
        Ok(Departure {
            secret,
            expires_at: living.opened.expires_at,
            left: living.left,
            authorize_url: begun.authorize_url,
        })
    }

    /// Counts an attempt without a code, also where no client is limited.
    fn begin_codeless(&self) -> Result<(), Problem> {
        self.codeless.begin().map_err(|retry_after| {
            let detail = "Too many people are logging in at once. Try again later.";
            Problem::new(ProblemCode::TooManyLogins, detail)
                .with_status(StatusCode::SERVICE_UNAVAILABLE)
                .retry_after(retry_after)
        })
    }

    async fn departed_before(
        &self,
        secret: Option<BrowserSecret>,
    ) -> Result<Option<(BrowserSecret, Living)>, Problem> {
        let Some(secret) = secret else {
            return Ok(None);
        };
        let known = self.living(&secret).await?.filter(|living| {
            living.opened.content.is_empty()
                && living.opened.status == AttemptStatus::Pending
                && living.left > WORTH_RESUMING
        });
        Ok(known.map(|living| (secret, living)))
    }

    /// Signs in a browser that comes back from WeChat. The same return a second time, as the back button
    /// or WeChat's own double redirect makes it, leads to the same session.
    ///
    /// # Errors
    ///
    /// Why it was not signed in.
    pub async fn arrive(&self, returned: Return<'_>) -> Result<SessionId, Stopped> {
        let Return { secret, code, .. } = returned;
        let Some(secret) = secret.filter(|secret| began(secret, returned.state)) else {
            self.stray_codes.discard(&returned, None);
            return Err(Stopped::Elsewhere);
        };
        let scene = secret.scene();
        let (status, _) = self
            .status(secret)
            .await
            .map_err(|_| Stopped::Unavailable)?;
        if status == AttemptStatus::Pending {
            // WeChat sends a person who declined back without a code, if at all.
            if code.is_empty() {
                return Err(Stopped::Declined);
            }
            let request = CompleteWebAuthorization {
                scene,
                code: code.to_owned(),
            };
            let completed = self.gateway.complete_web_authorization(&request).await;
            completed.map_err(|problem| stopped(problem.code()))?;
        } else {
            // Usually it is the code that the attempt was decided by, and the gateway knows.
            self.stray_codes.discard(&returned, Some(scene));
        }
        match self
            .complete(secret, returned.client, GivenBack::InsideWechat)
            .await
        {
            Ok((session, _)) => Ok(session),
            Err(problem) => Err(stopped(problem.code())),
        }
    }
}

/// Whether this browser went to WeChat with this state.
fn began(secret: &BrowserSecret, state: &str) -> bool {
    let own = secret.scene().authorization_state();
    own.as_bytes().ct_eq(state.as_bytes()).into()
}

fn stopped(code: ProblemCode) -> Stopped {
    match code {
        ProblemCode::ConsentMissing => Stopped::Declined,
        ProblemCode::SnapshotPage => Stopped::Snapshot,
        ProblemCode::AuthorizationCodeSpent => Stopped::SpentCode,
        ProblemCode::LoginNotConfirmed
        | ProblemCode::LoginExpired
        | ProblemCode::LoginDenied
        | ProblemCode::LoginConsumed => Stopped::Over,
        _ => Stopped::Unavailable,
    }
}
