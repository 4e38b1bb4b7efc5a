//! ID tokens and logout tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    clients::Client, grant_record::GrantRecord, provider::Provider, signing_keys::NoKeys,
    tokens::Token,
};
use crate::settings::oidc::SubjectType;

/// A session as a client knows it (`sid`): nothing that leads to its cookie. Where no other client
/// sees the same subject, none sees the same session either.
pub(super) fn session_name(client: &Client, session_sha256: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(b"wechat-login sid\0");
    digest.update(session_sha256);
    if client.subject_type == SubjectType::Pairwise {
        digest.update(b"\0");
        digest.update(&client.id);
    }
    URL_SAFE_NO_PAD.encode(&digest.finalize()[..16])
}

#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    amr: [&'a str; 2],
    at_hash: String,
    sid: &'a str,
}

/// What an `id_token_hint` says.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Hint {
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) sid: String,
}

/// The half of the access token's hash that binds it to the ID token (OpenID Connect Core 1.0,
/// section 3.1.3.6).
fn half_hash(token: &Token) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(token.expose())[..16])
}

/// Signs the ID token of a grant.
///
/// # Errors
///
/// There are no keys yet.
pub(super) fn sign(
    provider: &Provider,
    client: &Client,
    record: &GrantRecord,
    sub: &str,
    access: &Token,
    now: Timestamp,
) -> Result<String, NoKeys> {
    let lifetime = i64::try_from(provider.access_token_lifetime.as_secs()).unwrap_or(i64::MAX);
    let claims = IdToken {
        iss: &provider.issuer,
        sub,
        aud: &client.id,
        exp: now.as_second() + lifetime,
        iat: now.as_second(),
        auth_time: record.auth_time,
        nonce: record.nonce.as_deref(),
        amr: ["wechat", record.method.as_str()],
        at_hash: half_hash(access),
        sid: &record.sid,
    };
    provider.keys.sign(client.algorithm, "JWT", &claims)
}

/// What an ID token says that this site signed for one of its clients; `None` of any other text.
pub(super) fn hint(provider: &Provider, token: &str) -> Option<Hint> {
    let hint: Hint = provider.keys.verify(&provider.issuer, token)?;
    provider.clients.with_id(&hint.aud)?;
    Some(hint)
}

/// How long a logout token is good: it is used at once.
const LOGOUT_TOKEN_SECONDS: i64 = 120;

/// Signs a logout token (Back-Channel Logout 1.0, section 2.4). It has no nonce.
///
/// # Errors
///
/// There are no keys yet.
pub(super) fn sign_logout(
    provider: &Provider,
    client: &Client,
    sub: &str,
    sid: &str,
    id: &str,
) -> Result<String, NoKeys> {
    let now = provider.clock.now().as_second();
    let claims = json!({
        "iss": provider.issuer,
        "sub": sub,
        "aud": client.id,
        "iat": now,
        "exp": now + LOGOUT_TOKEN_SECONDS,
        "jti": id,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        "sid": sid,
    });
    provider.keys.sign(client.algorithm, "logout+jwt", &claims)
}
