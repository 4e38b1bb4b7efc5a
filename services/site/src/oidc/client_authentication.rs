//! Which client asks: by its secret in the header or in the form, or by its name alone where it has
//! no secret (RFC 6749, section 2.3; OpenID Connect Core 1.0, section 9).

use std::{net::IpAddr, sync::Arc};

use actix_web::{HttpRequest, http::header::AUTHORIZATION};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use super::{clients::Client, parameters::Parameters, provider::Provider, refusal::Refusal};

/// What a request says of its client.
struct Credentials {
    id: String,
    secret: Option<String>,
}

/// The client that sent a request.
///
/// # Errors
///
/// It isn't who it says it is, or it or its address asked too often.
pub(super) fn client(
    provider: &Provider,
    request: &HttpRequest,
    parameters: &Parameters,
    address: IpAddr,
) -> Result<Arc<Client>, Refusal> {
    let now = Instant::now();
    if let Some(wait) = provider.failures.wait(address, now) {
        return Err(Refusal::too_many("too_many_failures", wait));
    }
    let found = credentials(request, parameters)
        .and_then(|credentials| authenticate(provider, &credentials));
    let client = found.inspect_err(|refusal| {
        if refusal.error == "invalid_client" {
            provider.failures.add(address, now);
        }
    })?;
    let wait = provider.failures.admit(address, &client.id, now);
    wait.map_or(Ok(client), |wait| {
        Err(Refusal::too_many("too_many_requests", wait))
    })
}

fn authenticate(provider: &Provider, credentials: &Credentials) -> Result<Arc<Client>, Refusal> {
    let Some(client) = provider.clients.with_id(&credentials.id) else {
        let wrong = "no client has this client_id";
        return Err(Refusal::invalid_client("unknown_client", wrong));
    };
    match &credentials.secret {
        None if client.is_public() => Ok(Arc::clone(client)),
        None => Err(Refusal::invalid_client(
            "no_secret",
            "this client has a secret, and the request has none",
        )),
        Some(_) if client.is_public() => Err(Refusal::invalid_client(
            "needless_secret",
            "this client has no secret in the settings, and the request has one",
        )),
        Some(secret) if client.has_secret(secret) => Ok(Arc::clone(client)),
        Some(_) => Err(Refusal::invalid_client(
            "wrong_secret",
            "the client's secret is wrong",
        )),
    }
}

fn credentials(request: &HttpRequest, parameters: &Parameters) -> Result<Credentials, Refusal> {
    let in_form = parameters.get("client_id");
    let secret_in_form = parameters.get("client_secret");
    if parameters.get("client_assertion").is_some() {
        let wrong =
            "client_secret_basic, client_secret_post and none are the methods of authentication";
        return Err(Refusal::invalid_client("assertion", wrong));
    }
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else {
        let Some(id) = in_form else {
            let wrong = "the request names no client";
            return Err(Refusal::invalid_client("no_client", wrong));
        };
        return Ok(Credentials {
            id: id.to_owned(),
            secret: secret_in_form.map(str::to_owned),
        });
    };
    let basic = basic(header.to_str().unwrap_or_default()).filter(|_| headers.next().is_none());
    let Some(basic) = basic else {
        let wrong = "the Authorization header can't be read: it has to be Basic";
        return Err(Refusal::invalid_client("unreadable_authorization", wrong));
    };
    if secret_in_form.is_some() || in_form.is_some_and(|id| id != basic.id) {
        let wrong = "the request authenticates its client in more than one way";
        return Err(Refusal::invalid_request("two_authentications", wrong));
    }
    Ok(basic)
}

/// Name and secret, form-encoded each, in base64 (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<Credentials> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    Some(Credentials {
        id: decoded(id)?,
        secret: Some(decoded(secret)?).filter(|secret| !secret.is_empty()),
    })
}
