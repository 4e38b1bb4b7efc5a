//! Back-Channel Logout 1.0: a client is told that a session has ended.

use std::time::Duration;

use hyper::{
    HeaderMap, Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use login_protocol::steps::oidc::Logout;
use service_kit::http_calls::CallError;

use super::{
    clients::{Backchannel, Client},
    id_token,
    provider::Provider,
    signing_keys::NoKeys,
};

/// How long after a failure the client is told again. With five seconds for each try, the last one
/// is over within a minute.
pub(super) const AGAIN_AFTER: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(8),
    Duration::from_secs(25),
];

/// As much as is read of a client's answer, in bytes.
const LARGEST: usize = 16 * 1024;

/// Why a client hasn't taken note.
#[derive(Debug, thiserror::Error)]
pub(super) enum TellError {
    /// There is nothing to sign with yet.
    #[error(transparent)]
    Keys(#[from] NoKeys),
    /// It didn't answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It answered something else than success.
    #[error("it answered {0}")]
    Refused(u16),
}

/// Tells a client, once.
///
/// # Errors
///
/// Why it hasn't taken note.
pub(super) async fn tell(
    provider: &Provider,
    client: &Client,
    backchannel: &Backchannel,
    logout: &Logout,
) -> Result<(), TellError> {
    let Logout { sub, sid, id, .. } = logout;
    let token = id_token::sign_logout(provider, client, sub, sid, id)?;
    // A JWT has no character that a form would encode.
    let body = format!("logout_token={token}").into();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
    let Backchannel { calls, path, .. } = backchannel;
    let answer = calls
        .call(Method::POST, path, headers, body, LARGEST)
        .await?;
    // Section 2.8 says 200; many frameworks answer 204 to an empty body.
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(TellError::Refused(answer.status.as_u16()))
    }
}

/// Counts what became of telling a client.
pub(super) fn count(client: &str, outcome: &'static str) {
    let client = client.to_owned();
    metrics::counter!("oidc_logouts_told_total", "client" => client, "outcome" => outcome)
        .increment(1);
}
