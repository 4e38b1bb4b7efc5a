//! Back-Channel Logout 1.0: clients hear that a session has ended. Nobody waits for it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper::{
    HeaderMap, Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use service_kit::random;

use super::{clients::Client, id_token, provider::Provider};

/// How long after a failure the client is told again. With five seconds for each try, the last one
/// is over within a minute.
const AGAIN_AFTER: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(8),
    Duration::from_secs(25),
];

/// How many logouts may wait for one client. Whoever can't be told of so many is away.
const MOST_WAITING: usize = 1000;

/// As much as is read of a client's answer, in bytes.
const LARGEST: usize = 16 * 1024;

/// A session that has ended, as a client knows it.
pub(super) struct Ended {
    /// The subject that the client sees.
    pub(super) sub: String,
    /// The session's name.
    pub(super) sid: String,
}

/// Tells a client, in the background, if it wants to know.
pub(super) fn tell(provider: &Provider, client: &Arc<Client>, ended: &Ended) {
    let Some(backchannel) = &client.backchannel else {
        return;
    };
    let token = random::name()
        .map_err(|error| error.to_string())
        .and_then(|id| {
            let Ended { sub, sid } = ended;
            let signed = id_token::sign_logout(provider, client, sub, sid, &id);
            signed.map_err(|error| error.to_string())
        });
    let token = match token {
        Ok(token) => token,
        Err(error) => {
            tracing::error!(%error, client = client.name.as_str(), "a client can't be told of a logout");
            return;
        }
    };
    if backchannel.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
        backchannel.waiting.fetch_sub(1, Ordering::Relaxed);
        count(client, "dropped");
        return;
    }
    let client = Arc::clone(client);
    actix_web::rt::spawn(async move {
        deliver(&client, token).await;
        if let Some(backchannel) = &client.backchannel {
            backchannel.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    });
}

async fn deliver(client: &Client, token: String) {
    // A JWT has no character that a form would encode.
    let body = format!("logout_token={token}");
    let mut waits = AGAIN_AFTER.into_iter();
    loop {
        let Err(error) = post(client, &body).await else {
            count(client, "told");
            return;
        };
        let Some(wait) = waits.next() else {
            count(client, "failed");
            tracing::warn!(
                client = client.name.as_str(),
                error,
                "a client couldn't be told of a logout: look at its BACKCHANNEL_LOGOUT_URI"
            );
            return;
        };
        tokio::time::sleep(wait).await;
    }
}

async fn post(client: &Client, body: &str) -> Result<(), String> {
    let Some(backchannel) = &client.backchannel else {
        return Ok(());
    };
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
    let body = body.to_owned().into();
    let path = &backchannel.path;
    let answer = backchannel
        .calls
        .call(Method::POST, path, headers, body, LARGEST)
        .await
        .map_err(|error| error.to_string())?;
    // Section 2.8 says 200; many frameworks answer 204 to an empty body.
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(format!("it answered {}", answer.status.as_u16()))
    }
}

fn count(client: &Client, outcome: &'static str) {
    let client = client.name.as_str().to_owned();
    metrics::counter!("oidc_logouts_told_total", "client" => client, "outcome" => outcome)
        .increment(1);
}
