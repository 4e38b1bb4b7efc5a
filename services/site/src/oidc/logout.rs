//! `GET`, `POST /oidc/logout`: RP-Initiated Logout 1.0.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header::LOCATION},
    web::{Data, Payload},
};
use service_kit::redis::StoreError;

use super::{
    clients::Client, id_token, pages, parameters::Parameters, paths, provider::Provider,
    refusal::Refusal,
};
use crate::{
    cookies::Cookies,
    sessions::{identifier::SessionId, store::Sessions},
};

const ENDPOINT: &str = "logout";

/// Where the visitor goes afterwards.
struct Afterwards<'a> {
    client: Option<Arc<Client>>,
    /// One of the client's addresses, letter for letter.
    uri: Option<&'a str>,
    state: Option<&'a str>,
}

/// Signs out if the client proves that it means this session; otherwise asks.
pub(super) async fn logout(
    request: HttpRequest,
    body: Payload,
    provider: Data<Provider>,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> HttpResponse {
    if request.method() == Method::POST {
        // A form of another site's page comes without our cookies; a redirect brings them.
        return match Parameters::of_form(&request, body).await {
            Ok(form) => {
                let path = paths::beside(paths::LOGOUT);
                HttpResponse::SeeOther()
                    .insert_header((LOCATION, format!("{path}?{}", form.to_query())))
                    .finish()
            }
            Err(refusal) => refused(&provider, &refusal, None),
        };
    }
    let parameters = Parameters::of_query(&request);
    if let Err(refusal) = parameters.refuse_doubled() {
        return refused(&provider, &refusal, named(&provider, &parameters, None));
    }
    let session = cookies.session(&request);
    let hint = parameters
        .get("id_token_hint")
        .and_then(|hint| id_token::hint(&provider, hint));
    let is_of_this_session = session
        .as_ref()
        .zip(hint.as_ref())
        .is_some_and(|(own, hint)| {
            let client = provider.clients.with_id(&hint.aud);
            client.is_some_and(|client| id_token::session_name(client, &own.sha256()) == hint.sid)
        });
    // With a forged hint, or another session's, the client has proved nothing.
    let by_hint = hint.as_ref().map(|hint| hint.aud.as_str());
    let is_unreadable = hint.is_none() && parameters.get("id_token_hint").is_some();
    let afterwards = match afterwards(&provider, &parameters, by_hint, is_unreadable) {
        Ok(afterwards) => afterwards,
        Err(refusal) => {
            return refused(&provider, &refusal, named(&provider, &parameters, by_hint));
        }
    };
    let is_signed_in = match is_signed_in(session.as_ref(), &sessions, &provider).await {
        Ok(is_signed_in) => is_signed_in,
        Err(error) => return refused(&provider, &error.into(), afterwards.client.as_ref()),
    };
    let Some(session) = session.filter(|_| is_signed_in) else {
        return leave(&provider, &cookies, &afterwards);
    };
    if is_of_this_session {
        return sign_out(
            &request,
            &provider,
            &sessions,
            &cookies,
            &session,
            &afterwards,
        )
        .await;
    }
    let mut fields = Vec::new();
    if let (Some(client), Some(uri)) = (&afterwards.client, afterwards.uri) {
        fields.push(("client_id", client.id.as_str()));
        fields.push(("post_logout_redirect_uri", uri));
        fields.extend(afterwards.state.map(|state| ("state", state)));
    }
    let client = afterwards.client.as_ref();
    let name = client.map(|client| client.display_name.as_str());
    let action = provider.public_url.path_of(paths::LOGOUT_CONFIRMED);
    pages::ask_sign_out(&provider, &action, name, &fields, afterwards.uri)
}

/// `POST /oidc/logout/confirmed`: the visitor wants to sign out. A form of ours alone posts here.
pub(super) async fn confirmed(
    request: HttpRequest,
    body: Payload,
    provider: Data<Provider>,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> HttpResponse {
    let form = Parameters::of_form(&request, body).await;
    let form = match form {
        Ok(form) => form,
        Err(refusal) => return refused(&provider, &refusal, None),
    };
    let checked = form.refuse_doubled();
    let checked = checked.and_then(|()| afterwards(&provider, &form, None, false));
    let afterwards = match checked {
        Ok(afterwards) => afterwards,
        Err(refusal) => return refused(&provider, &refusal, named(&provider, &form, None)),
    };
    match cookies.session(&request) {
        Some(session) => {
            sign_out(
                &request,
                &provider,
                &sessions,
                &cookies,
                &session,
                &afterwards,
            )
            .await
        }
        None => leave(&provider, &cookies, &afterwards),
    }
}

/// The client, by its hint or by its name.
fn named<'a>(
    provider: &'a Provider,
    parameters: &Parameters,
    by_hint: Option<&str>,
) -> Option<&'a Arc<Client>> {
    let id = by_hint.or_else(|| parameters.get("client_id"))?;
    provider.clients.with_id(id)
}

/// Where the client, by its hint or by its name, may send the visitor. Whom a hint would name that
/// can't be read any more, nobody knows: then the visitor stays here.
fn afterwards<'a>(
    provider: &Provider,
    parameters: &'a Parameters,
    by_hint: Option<&str>,
    hint_is_unreadable: bool,
) -> Result<Afterwards<'a>, Refusal> {
    let client_id = parameters.get("client_id");
    if let (Some(client_id), Some(by_hint)) = (client_id, by_hint)
        && client_id != by_hint
    {
        let wrong = "client_id isn't the client of id_token_hint";
        return Err(Refusal::invalid_request("other_client", wrong));
    }
    let client = named(provider, parameters, by_hint).cloned();
    let is_nobodys = hint_is_unreadable && client_id.is_none();
    let uri = parameters.get("post_logout_redirect_uri");
    let uri = uri.filter(|_| !is_nobodys);
    if let Some(uri) = uri {
        let is_known = client.as_ref().is_some_and(|client| {
            let known = &client.post_logout_redirect_uris;
            known.iter().any(|known| known == uri)
        });
        if !is_known {
            let wrong = "post_logout_redirect_uri is none of this client's POST_LOGOUT_REDIRECT_URIS, letter for \
                         letter, or the request names no client by client_id or a good id_token_hint";
            return Err(Refusal::invalid_request("unknown_redirect_uri", wrong));
        }
    }
    Ok(Afterwards {
        client,
        uri,
        state: parameters.get("state"),
    })
}

/// Whether the session is good at any account that this provider's clients use.
async fn is_signed_in(
    session: Option<&SessionId>,
    sessions: &Sessions,
    provider: &Provider,
) -> Result<bool, StoreError> {
    let Some(session) = session else {
        return Ok(false);
    };
    if sessions.is_good(session).await? {
        return Ok(true);
    }
    for others in provider.clients.other_sessions() {
        if others.is_good(session).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn sign_out(
    request: &HttpRequest,
    provider: &Provider,
    sessions: &Sessions,
    cookies: &Cookies,
    session: &SessionId,
    afterwards: &Afterwards<'_>,
) -> HttpResponse {
    let attempt = cookies.attempt(request);
    let ended = async {
        sessions.sign_out(session, attempt.as_ref()).await?;
        provider.session_ended(&session.sha256()).await
    };
    match ended.await {
        Ok(()) => leave(provider, cookies, afterwards),
        Err(error) => refused(provider, &error.into(), afterwards.client.as_ref()),
    }
}

/// The visitor is signed out: back to the client, or a page that says so.
fn leave(provider: &Provider, cookies: &Cookies, afterwards: &Afterwards<'_>) -> HttpResponse {
    let mut response = match afterwards.uri {
        Some(uri) => {
            let state = afterwards.state.map(|state| [("state", state)]);
            let address = state.map(|state| pages::with_query(uri, &state));
            HttpResponse::SeeOther()
                .insert_header((LOCATION, address.as_deref().unwrap_or(uri)))
                .finish()
        }
        None => pages::signed_out(provider),
    };
    for cookie in [cookies.clear_session(), cookies.clear_attempt()] {
        // Ours can always be written.
        let _ = response.add_cookie(&cookie);
    }
    response
}

fn refused(provider: &Provider, refusal: &Refusal, client: Option<&Arc<Client>>) -> HttpResponse {
    refusal.note(ENDPOINT, client.map(|client| client.name.as_str()));
    pages::refused(provider, refusal)
}
