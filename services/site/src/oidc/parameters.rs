//! The parameters of a request: a query, or a form (RFC 6749, sections 3.1 and 3.2).

use std::{collections::HashSet, fmt};

use actix_web::{
    HttpRequest,
    http::{StatusCode, header::CONTENT_TYPE},
    web::Payload,
};
use service_kit::request_bodies;
use url::form_urlencoded;

use super::refusal::Refusal;

/// Names and values. A parameter without a value counts as omitted. Its `Debug` form is redacted.
pub(super) struct Parameters(Vec<(String, String)>);

/// Whether a parameter is one of the specifications that are followed here.
fn is_known(name: &str) -> bool {
    matches!(
        name,
        // OpenID Connect Core 1.0, section 3.1.2.1; RFC 7636.
        "response_type" | "response_mode" | "client_id" | "redirect_uri" | "scope" | "state"
            | "nonce" | "display" | "prompt" | "max_age" | "ui_locales" | "claims_locales"
            | "id_token_hint" | "login_hint" | "acr_values" | "claims" | "request"
            | "request_uri" | "registration" | "code_challenge" | "code_challenge_method"
            // RFC 6749, 6750, 7009, 7523, 7662.
            | "client_secret" | "client_assertion" | "client_assertion_type" | "grant_type"
            | "code" | "code_verifier" | "refresh_token" | "access_token" | "token"
            | "token_type_hint"
            // RP-Initiated Logout 1.0.
            | "post_logout_redirect_uri" | "logout_hint"
    )
}

impl fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Parameters(…)")
    }
}

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).into_owned();
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Those of a request's query.
    pub(super) fn of_query(request: &HttpRequest) -> Self {
        Self::parse(request.query_string().as_bytes())
    }

    /// Whether a request's body is a form, by what it says.
    pub(super) fn are_in_form(request: &HttpRequest) -> bool {
        let media_type = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.split(';').next().unwrap_or_default().trim());
        media_type
            .is_some_and(|name| name.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    }

    /// Those of a form.
    ///
    /// # Errors
    ///
    /// It is no form, or can't be read.
    pub(super) async fn of_form(request: &HttpRequest, body: Payload) -> Result<Self, Refusal> {
        if !Self::are_in_form(request) {
            let wrong = "the body has to be application/x-www-form-urlencoded";
            return Err(Refusal::invalid_request("no_form", wrong));
        }
        let body = request_bodies::read(body).await.map_err(|status| {
            Refusal::invalid_request("unreadable_body", "the body can't be read").with_status(
                match status {
                    StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
                    _ => StatusCode::BAD_REQUEST,
                },
            )
        })?;
        Ok(Self::parse(&body))
    }

    /// A parameter; the first one if there are several.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        values.next().map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is there more than once.
    pub(super) fn is_doubled(&self, name: &str) -> bool {
        self.0.iter().filter(|(known, _)| known == name).count() > 1
    }

    /// Refuses parameters that are there more than once (RFC 6749, section 3.1), of those that are
    /// known: an extension's may be repeated (`resource`, RFC 8707, section 2).
    ///
    /// # Errors
    ///
    /// There is one.
    pub(super) fn refuse_doubled(&self) -> Result<(), Refusal> {
        let mut names = HashSet::with_capacity(self.0.len());
        let mut known = self.0.iter().filter(|(name, _)| is_known(name));
        let doubled = !known.all(|(name, _)| names.insert(name));
        if doubled {
            let wrong = "a parameter must not be there more than once";
            return Err(Refusal::invalid_request("doubled_parameter", wrong));
        }
        Ok(())
    }

    /// All of them as a query.
    pub(super) fn to_query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}
