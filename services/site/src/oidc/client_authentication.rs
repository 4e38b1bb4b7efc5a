//! Which client asks: by its secret in the header or in the form, or by its name alone where it has
//! no secret (RFC 6749, section 2.3; OpenID Connect Core 1.0, section 9).

use std::{net::IpAddr, sync::Arc};

use actix_web::{HttpRequest, http::header::AUTHORIZATION};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use super::{clients::Client, parameters::Parameters, provider::Provider, refusal::Refusal};

/// What a request says of its client, in each of its readings.
struct Credentials {
    ids: Vec<String>,
    /// None where the request has no secret.
    secrets: Vec<String>,
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
    let named = named(provider, request, Some(parameters)).map(|client| client.id.as_str());
    if let Some(wait) = provider.failures.wait(address, named, now) {
        return Err(Refusal::too_many("too_many_failures", wait));
    }
    let found = credentials(request, parameters)
        .and_then(|credentials| authenticate(provider, &credentials));
    let client = found.inspect_err(|refusal| {
        if refusal.error == "invalid_client" {
            provider.failures.add(address, named, now);
        }
    })?;
    let wait = provider.failures.admit(address, &client.id, now);
    wait.map_or(Ok(client), |wait| {
        Err(Refusal::too_many("too_many_requests", wait))
    })
}

/// The client that a request names, whether it is that client or not: for limits, and for whoever
/// looks for a refusal in the log.
pub(super) fn named<'a>(
    provider: &'a Provider,
    request: &HttpRequest,
    parameters: Option<&Parameters>,
) -> Option<&'a Arc<Client>> {
    let header = request.headers().get(AUTHORIZATION);
    let basic = header.and_then(|header| basic(header.to_str().ok()?));
    let ids = basic.map(|basic| basic.ids).unwrap_or_default();
    let in_header = ids.iter().find_map(|id| provider.clients.with_id(id));
    in_header.or_else(|| provider.clients.with_id(parameters?.get("client_id")?))
}

fn authenticate(provider: &Provider, credentials: &Credentials) -> Result<Arc<Client>, Refusal> {
    let mut ids = credentials.ids.iter();
    let Some(client) = ids.find_map(|id| provider.clients.with_id(id)) else {
        let wrong = "no client has this client_id";
        return Err(Refusal::invalid_client("unknown_client", wrong));
    };
    let has_secret = !credentials.secrets.is_empty();
    match (client.is_public(), has_secret) {
        (true, false) => Ok(Arc::clone(client)),
        (false, false) => Err(Refusal::invalid_client(
            "no_secret",
            "this client has a secret, and the request has none",
        )),
        (true, true) => Err(Refusal::invalid_client(
            "needless_secret",
            "this client has no secret in the settings, and the request has one",
        )),
        (false, true) if client.has_one_of(&credentials.secrets) => Ok(Arc::clone(client)),
        (false, true) => Err(Refusal::invalid_client(
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
            ids: vec![id.to_owned()],
            secrets: secret_in_form.into_iter().map(str::to_owned).collect(),
        });
    };
    let basic = basic(header.to_str().unwrap_or_default()).filter(|_| headers.next().is_none());
    let Some(basic) = basic else {
        let wrong = "the Authorization header can't be read: it has to be Basic";
        return Err(Refusal::invalid_client("unreadable_authorization", wrong));
    };
    if secret_in_form.is_some() || in_form.is_some_and(|id| !basic.ids.iter().any(|own| own == id))
    {
        let wrong = "the request authenticates its client in more than one way";
        return Err(Refusal::invalid_request("two_authentications", wrong));
    }
    Ok(basic)
}

/// Name and secret in base64. They have to be form-encoded each (RFC 6749, section 2.3.1), and many
/// clients send them as they are: either reading is good.
fn basic(header: &str) -> Option<Credentials> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    let secrets = if secret.is_empty() {
        Vec::new()
    } else {
        readings(secret)
    };
    Some(Credentials {
        ids: readings(id),
        secrets,
    })
}

/// What a text says, form-encoded and as it is.
fn readings(text: &str) -> Vec<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok();
    let decoded = decoded.map(std::borrow::Cow::into_owned);
    let mut readings: Vec<String> = decoded.into_iter().collect();
    if readings.first().is_none_or(|decoded| decoded != text) {
        readings.push(text.to_owned());
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let read = basic(&format!("Basic {}", STANDARD.encode(text))).unwrap();
        (read.ids, read.secrets)
    }

    #[test]
    fn name_and_secret_are_read_form_encoded_and_as_they_are() {
        for (sent, secrets) in [
            ("a", vec!["a"]),
            ("a%2Bb%25c", vec!["a+b%c", "a%2Bb%25c"]),
            ("a+b%c", vec!["a b%c", "a+b%c"]),
            ("a%41:b", vec!["aA:b", "a%41:b"]),
            // No UTF-8 when it is decoded.
            ("a%ff", vec!["a%ff"]),
            ("", vec![]),
        ] {
            let (ids, read) = read(&format!("my+wiki:{sent}"));
            assert_eq!(ids, ["my wiki", "my+wiki"]);
            assert_eq!(read, secrets, "{sent}");
        }
    }
}
