//! Authorisation codes that arrived where they are of no use: in a browser that started nothing, or
//! for a login that has ended. Each would stay valid for five minutes, for whoever reads it in a
//! log, so it is exchanged and discarded.

use std::{net::IpAddr, sync::Arc};

use login_protocol::{account::AccountName, scene::Scene, steps::Exchanger};
use serde::{Deserialize, Serialize};
use service_kit::request_id;
use tokio::sync::Semaphore;

use super::web_authorization::{AuthorizationError, Scope, WebAuthorization};

/// Codes that no page requested are valid for nothing else.
const PURPOSE: &str = "stray";

/// What is kept of a code that was thrown away.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It is invalid for everybody.
    ThrownAway,
}

/// How many are discarded concurrently. Nobody waits for it, and strangers can submit many.
const AT_ONCE: usize = 32;

/// Invalidates stray codes.
pub struct StrayCodes {
    authorization: Arc<WebAuthorization>,
    places: Arc<Semaphore>,
}

impl StrayCodes {
    /// Those of this account.
    pub fn new(authorization: Arc<WebAuthorization>) -> Self {
        Self {
            authorization,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Discards a code from this IP address, in the background, unless codes from there were
    /// refused too often: anybody can invent them.
    pub fn of_client(&self, client: IpAddr, code: String) {
        self.throw_away(PURPOSE.to_owned(), Exchanger::Client(client), code);
    }

    /// Discards a code from this attempt's browser, in the background. The code that decided the
    /// attempt is already used and costs no call.
    pub fn of_attempt(&self, scene: Scene, code: String) {
        self.throw_away(scene.as_str().to_owned(), Exchanger::Attempt(scene), code);
    }

    fn throw_away(&self, purpose: String, exchanger: Exchanger, code: String) {
        if code.is_empty() {
            return;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            count(self.authorization.account(), "dropped");
            return;
        };
        let authorization = Arc::clone(&self.authorization);
        let exchange = {
            let (authorization, code) = (Arc::clone(&authorization), code.clone());
            async move {
                let recognised = authorization.recognise(exchanger, &code, Scope::Base).await;
                count(
                    authorization.account(),
                    outcome(recognised.as_ref().map(drop)),
                );
                recognised.map(|_| Outcome::ThrownAway)
            }
        };
        tokio::spawn(request_id::carried(async move {
            let thrown_away = authorization.once_per_code(&purpose, &code, exchange);
            if let Err(error @ (AuthorizationError::Store(_) | AuthorizationError::Randomness(_))) =
                thrown_away.await
            {
                tracing::warn!(%error, "can't discard a stray authorisation code");
            }
            drop(place);
        }));
    }
}

const fn outcome(recognised: Result<(), &AuthorizationError>) -> &'static str {
    match recognised {
        Ok(()) | Err(AuthorizationError::Snapshot | AuthorizationError::ConsentMissing) => "spent",
        Err(AuthorizationError::SpentCode) => "refused",
        Err(AuthorizationError::TooMany { .. }) => "too_many",
        Err(AuthorizationError::Wechat(_)) => "wechat_failed",
        Err(AuthorizationError::Store(_)) => "store_failed",
        Err(AuthorizationError::Randomness(_)) => "no_randomness",
    }
}

fn count(account: &AccountName, outcome: &'static str) {
    let account = account.label();
    metrics::counter!("wechat_stray_codes_total", "outcome" => outcome, "account" => account)
        .increment(1);
}
