//! An authorization request, read and checked (OpenID Connect Core 1.0, section 3.1.2.1).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    claims::SCOPES, clients::Client, grant_record::has_scope, id_token, parameters::Parameters,
    provider::Provider, refusal::Refusal,
};
use crate::settings::oidc::SubjectType;

/// The longest `state` and `nonce`, in bytes.
const LONGEST: usize = 4096;

/// How many characters the SHA-256 of a code verifier has in base64url.
const CHALLENGE_CHARACTERS: usize = 43;

/// How the answer goes to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResponseMode {
    /// In the query of the redirect URI.
    Query,
    /// As a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// Where the answer goes, whatever it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ReturnAddress {
    /// One of the client's, letter for letter.
    pub(super) redirect_uri: String,
    pub(super) response_mode: ResponseMode,
    /// The client's own value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
}

/// A request that can be served.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AuthorizationRequest {
    /// The client's name in the settings.
    pub(super) client: String,
    pub(super) to: ReturnAddress,
    pub(super) scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code_challenge: Option<String>,
    /// `prompt=none`: no page may be shown.
    pub(super) is_silent: bool,
    /// `prompt=login` or `max_age=0`: a session from before is none.
    pub(super) wants_login: bool,
    /// How long ago the login may be, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_age: Option<u64>,
    /// The subject that the client expects, as it sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<Expected>,
    /// Whether the page is to be English, if the client said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<Language>,
}

/// Whom the client expects, by its `id_token_hint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expected {
    /// Whoever it sees as this subject.
    Subject(String),
    /// The hint isn't an ID token of ours for this client: nobody can be whom it names.
    Nobody,
}

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Language {
    Chinese,
    English,
}

/// Why a request can't be served.
#[derive(Debug)]
pub(super) enum Unservable {
    /// Nobody knows where to send an answer: the visitor reads what is wrong.
    Page(Box<Refusal>, Option<Arc<Client>>),
    /// The client is told.
    Answer(Box<(Refusal, ReturnAddress)>, Arc<Client>),
}

/// Reads a request.
///
/// # Errors
///
/// Why it can't be served, and who is told.
pub(super) fn read(
    provider: &Provider,
    parameters: &Parameters,
) -> Result<AuthorizationRequest, Unservable> {
    let (client, redirect_uri) = addressee(provider, parameters)?;
    let state = parameters.get("state");
    let is_too_long = |text: Option<&str>| text.is_some_and(|text| text.len() > LONGEST);
    let state_is_unusable = is_too_long(state) || parameters.is_doubled("state");
    let mut to = ReturnAddress {
        redirect_uri,
        response_mode: ResponseMode::Query,
        state: state.filter(|_| !state_is_unusable).map(str::to_owned),
    };
    let mode = response_mode(parameters, &to.redirect_uri).map(|mode| to.response_mode = mode);
    let checked = mode.and_then(|()| {
        if is_too_long(state) || is_too_long(parameters.get("nonce")) {
            let wrong = format!("state and nonce must not exceed {LONGEST} bytes");
            return Err(Refusal::invalid_request("too_long", wrong));
        }
        request(provider, parameters, &client, to.clone())
    });
    checked.map_err(|refusal| Unservable::Answer(Box::new((refusal, to)), client))
}

/// The client and its redirect URI. A browser is sent nowhere else.
fn addressee(
    provider: &Provider,
    parameters: &Parameters,
) -> Result<(Arc<Client>, String), Unservable> {
    let page = |reason, wrong: &str, client| {
        Unservable::Page(Box::new(Refusal::invalid_request(reason, wrong)), client)
    };
    let single = |name| {
        parameters
            .get(name)
            .filter(|_| !parameters.is_doubled(name))
    };
    let Some(id) = single("client_id") else {
        return Err(page(
            "no_client",
            "client_id is missing, or there more than once",
            None,
        ));
    };
    let Some(client) = provider.clients.with_id(id) else {
        return Err(page("unknown_client", "no client has this client_id", None));
    };
    let client = Arc::clone(client);
    let Some(uri) = single("redirect_uri") else {
        let wrong = "redirect_uri is missing, or there more than once";
        return Err(page("no_redirect_uri", wrong, Some(client)));
    };
    if !client.redirect_uris.iter().any(|known| known == uri) {
        let wrong = "redirect_uri is none of this client's REDIRECT_URIS, letter for letter";
        return Err(page("unknown_redirect_uri", wrong, Some(client)));
    }
    Ok((client, uri.to_owned()))
}

fn response_mode(parameters: &Parameters, redirect_uri: &str) -> Result<ResponseMode, Refusal> {
    let is_on_the_web = ["https:", "http:"]
        .iter()
        .any(|scheme| redirect_uri.starts_with(scheme));
    match parameters.get("response_mode") {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("form_post") if is_on_the_web => Ok(ResponseMode::FormPost),
        Some("form_post") => Err(Refusal::invalid_request(
            "response_mode",
            "a form can be posted to an address of https or http alone, not to an app's",
        )),
        Some(_) => Err(Refusal::invalid_request(
            "response_mode",
            "response_mode has to be query or form_post",
        )),
    }
}

fn request(
    provider: &Provider,
    parameters: &Parameters,
    client: &Client,
    to: ReturnAddress,
) -> Result<AuthorizationRequest, Refusal> {
    parameters.refuse_doubled()?;
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if parameters.get(name).is_some() {
            let wrong = format!("the parameter {name} isn't supported");
            return Err(Refusal::new(error, error, wrong));
        }
    }
    match parameters.get("response_type") {
        Some("code") => {}
        None => {
            let wrong = "response_type is missing";
            return Err(Refusal::invalid_request("no_response_type", wrong));
        }
        Some(_) => {
            let error = "unsupported_response_type";
            return Err(Refusal::new(error, error, "response_type has to be code"));
        }
    }
    let (is_silent, wants_login) = prompt(parameters)?;
    let max_age = max_age(parameters)?;
    Ok(AuthorizationRequest {
        client: client.name.as_str().to_owned(),
        to,
        scope: scope(parameters, client)?,
        nonce: parameters.get("nonce").map(str::to_owned),
        code_challenge: code_challenge(parameters, client)?,
        is_silent,
        wants_login: wants_login || max_age == Some(0),
        max_age,
        expected: parameters.get("id_token_hint").map(|hint| {
            let said = id_token::hint(provider, hint).filter(|hint| hint.aud == client.id);
            said.map_or(Expected::Nobody, |hint| Expected::Subject(hint.sub))
        }),
        language: parameters.get("ui_locales").and_then(language),
    })
}

/// What is granted: all that is known of what was asked for (section 3.1.2.1: others are ignored).
fn scope(parameters: &Parameters, client: &Client) -> Result<String, Refusal> {
    let asked = parameters.get("scope").unwrap_or_default();
    if !has_scope(asked, "openid") {
        let wrong = "scope has to contain openid";
        return Err(Refusal::new("invalid_scope", "no_openid", wrong));
    }
    if client.subject_type == SubjectType::Pairwise && has_scope(asked, "wechat") {
        let wrong = "the scope wechat is refused to a client with SUBJECT_TYPE pairwise";
        return Err(Refusal::new("invalid_scope", "wechat_for_pairwise", wrong));
    }
    let granted: Vec<&str> = SCOPES
        .into_iter()
        .filter(|scope| has_scope(asked, scope))
        .collect();
    Ok(granted.join(" "))
}

/// The challenge of PKCE (RFC 7636). A client without a secret has nothing else to prove that the
/// code is its own.
fn code_challenge(parameters: &Parameters, client: &Client) -> Result<Option<String>, Refusal> {
    let challenge = parameters.get("code_challenge");
    let method = parameters.get("code_challenge_method");
    let Some(challenge) = challenge else {
        if method.is_some() {
            let wrong = "code_challenge_method is there without code_challenge";
            return Err(Refusal::invalid_request("no_code_challenge", wrong));
        }
        if client.is_public() {
            let wrong = "code_challenge is missing: a client without a secret has to use PKCE";
            return Err(Refusal::invalid_request("no_code_challenge", wrong));
        }
        return Ok(None);
    };
    if method != Some("S256") {
        let wrong = "code_challenge_method has to be S256";
        return Err(Refusal::invalid_request("code_challenge_method", wrong));
    }
    let well_formed = challenge.len() == CHALLENGE_CHARACTERS
        && challenge
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !well_formed {
        let wrong = "code_challenge has to be a SHA-256 in base64url without padding";
        return Err(Refusal::invalid_request("code_challenge", wrong));
    }
    Ok(Some(challenge.to_owned()))
}

/// Whether no page may be shown, and whether a session from before is none. Consent is the login
/// itself, so `consent` asks for nothing more.
fn prompt(parameters: &Parameters) -> Result<(bool, bool), Refusal> {
    let prompts: Vec<&str> = parameters
        .get("prompt")
        .unwrap_or_default()
        .split(' ')
        .filter(|prompt| !prompt.is_empty())
        .collect();
    let is_silent = prompts.contains(&"none");
    if is_silent && prompts.len() > 1 {
        let wrong = "prompt=none can't be together with other values";
        return Err(Refusal::invalid_request("prompt", wrong));
    }
    let wants_login = prompts.contains(&"login") || prompts.contains(&"select_account");
    Ok((is_silent, wants_login))
}

fn max_age(parameters: &Parameters) -> Result<Option<u64>, Refusal> {
    let Some(text) = parameters.get("max_age") else {
        return Ok(None);
    };
    let is_number = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        let wrong = "max_age has to be a number of seconds";
        return Err(Refusal::invalid_request("max_age", wrong));
    }
    // Longer than any number of ours is longer than any session.
    Ok(Some(text.parse().unwrap_or(u64::MAX)))
}

/// The first language of the list that the page can speak.
fn language(locales: &str) -> Option<Language> {
    locales.split(' ').find_map(|locale| {
        let language = locale.split('-').next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            Some(Language::Chinese)
        } else if language.eq_ignore_ascii_case("en") {
            Some(Language::English)
        } else {
            None
        }
    })
}
