//! Logging in inside WeChat: a browser that can't scan its own screen goes to WeChat's consent and comes
//! back with a code.
//!
//! The attempt's cookie decides whether a return is listened to. A person who was sent somebody else's
//! way to the consent comes back without it, and the browser of whoever sent it learns nothing: neither
//! is logged in as the other (RFC 6749, section 10.12).

use std::net::IpAddr;

use actix_web::http::StatusCode;
use jiff::Timestamp;
use login_protocol::{
    attempt::AttemptStatus,
    gateway_api::{BeginWebAuthorization, CompleteWebAuthorization},
    problem::ProblemCode,
    scene::BrowserSecret,
};
use service_kit::problem::Problem;
use subtle::ConstantTimeEq as _;
use url::Url;

use super::{Logins, Visit, WORTH_RESUMING, random_bytes};
use crate::session::SessionId;

/// An attempt whose browser is about to go to WeChat.
pub struct Departure {
    /// What the browser's cookie holds.
    pub secret: BrowserSecret,
    /// When the attempt ends.
    pub expires_at: Timestamp,
    /// Where to go, exactly as it is.
    pub authorize_url: String,
}

/// Why a return from WeChat logged nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// This browser didn't begin it, or began another one since.
    Elsewhere,
    /// The person didn't agree.
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
        let (secret, expires_at) = if let Some(known) = self.departed_before(secret).await? {
            known
        } else {
            self.admit(visit.client).await?;
            if let Err(problem) = self.begin_codeless() {
                return Err(self.could_not_begin(visit.client, problem).await);
            }
            let secret = BrowserSecret::from_random(random_bytes()?);
            let opened = self
                .open(visit, secret.scene(), String::new(), String::new())
                .await?;
            (secret, opened.expires_at)
        };
        let request = BeginWebAuthorization {
            scene: secret.scene(),
            redirect_uri: redirect_uri.to_string(),
        };
        let begun = match self.gateway.begin_web_authorization(&request).await {
            Ok(begun) => begun,
            Err(problem) => return Err(self.could_not_begin(visit.client, problem).await),
        };
        Ok(Departure {
            secret,
            expires_at,
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
    ) -> Result<Option<(BrowserSecret, Timestamp)>, Problem> {
        let Some(secret) = secret else {
            return Ok(None);
        };
        let known = self.opened(&secret).await?.filter(|opened| {
            opened.content.is_empty()
                && opened.status == AttemptStatus::Pending
                && opened.expires_at.duration_since(Timestamp::now()) > WORTH_RESUMING
        });
        Ok(known.map(|opened| (secret, opened.expires_at)))
    }

    /// Signs in a browser that comes back from WeChat. The same return a second time, as the back button
    /// or WeChat's own double redirect makes it, leads to the same session.
    ///
    /// # Errors
    ///
    /// Why it was not signed in.
    pub async fn arrive(
        &self,
        secret: Option<&BrowserSecret>,
        client: IpAddr,
        state: &str,
        code: &str,
    ) -> Result<SessionId, Stopped> {
        let secret = secret.ok_or(Stopped::Elsewhere)?;
        let scene = secret.scene();
        let own_state = scene.authorization_state();
        if !bool::from(own_state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(Stopped::Elsewhere);
        }
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
        }
        match self.complete(secret, client).await {
            Ok((session, _)) => Ok(session),
            Err(problem) => Err(stopped(problem.code())),
        }
    }
}

fn stopped(code: ProblemCode) -> Stopped {
    match code {
        ProblemCode::SnapshotPage => Stopped::Snapshot,
        ProblemCode::AuthorizationCodeSpent => Stopped::SpentCode,
        ProblemCode::LoginNotConfirmed
        | ProblemCode::LoginExpired
        | ProblemCode::LoginDenied
        | ProblemCode::LoginConsumed => Stopped::Over,
        _ => Stopped::Unavailable,
    }
}
