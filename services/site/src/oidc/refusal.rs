//! Refusals of the provider: OAuth's error codes, counted by reason, and logged for the client's
//! operator.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use serde_json::json;
use service_kit::{random::NoRandomness, redis::StoreError, subjects::SubjectError};

use super::signing_keys::NoKeys;

/// When to ask again while Redis is away.
const SOON: Duration = Duration::from_secs(2);

/// Why a request is refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// OAuth's code (RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core 1.0, section 3.1.2.6).
    pub(super) error: &'static str,
    /// What is wrong, for the client's developer: visible ASCII without quotation marks.
    pub(super) description: String,
    /// The same for metrics.
    pub(super) reason: &'static str,
    status: StatusCode,
    retry_after: Option<Duration>,
    challenge: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(
        error: &'static str,
        reason: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self {
            error,
            description: description.into(),
            reason,
            status: StatusCode::BAD_REQUEST,
            retry_after: None,
            challenge: None,
        }
    }

    pub(super) fn invalid_request(reason: &'static str, description: impl Into<String>) -> Self {
        Self::new("invalid_request", reason, description)
    }

    pub(super) fn invalid_grant(reason: &'static str, description: impl Into<String>) -> Self {
        Self::new("invalid_grant", reason, description)
    }

    /// The client isn't who it says it is (RFC 6749, section 5.2).
    pub(super) fn invalid_client(reason: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Basic realm=\"token\", charset=\"UTF-8\""),
            ..Self::new("invalid_client", reason, description)
        }
    }

    /// The access token is none, or is over (RFC 6750, section 3.1).
    pub(super) fn invalid_token(reason: &'static str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(
                "Bearer error=\"invalid_token\", error_description=\"the access token is unknown or has expired\"",
            ),
            ..Self::new(
                "invalid_token",
                reason,
                "the access token is unknown or has expired",
            )
        }
    }

    /// There is no access token (RFC 6750, section 3: then the challenge names no error).
    pub(super) fn no_token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Bearer"),
            ..Self::new("invalid_token", "no_token", "there is no access token")
        }
    }

    /// Something that this depends on is away.
    pub(super) fn unavailable(reason: &'static str) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: Some(SOON),
            ..Self::new(
                "temporarily_unavailable",
                reason,
                "the login service is unavailable right now; try again in a moment",
            )
        }
    }

    /// Too many requests: `too_many_failures` or `too_many_requests`.
    pub(super) fn too_many(reason: &'static str, retry_after: Duration) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after: Some(retry_after),
            ..Self::new(
                "temporarily_unavailable",
                reason,
                "too many requests from this client; try again later",
            )
        }
    }

    /// A request for what an access token opens is told how to ask (RFC 6750, sections 3 and 3.1).
    pub(super) fn in_terms_of_bearer_tokens(mut self) -> Self {
        if self.error == "invalid_request" {
            self.challenge = Some("Bearer error=\"invalid_request\"");
        }
        self
    }

    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Counts it, and says in the log what is wrong. A client is named as in the settings.
    pub(super) fn note(&self, endpoint: &'static str, client: Option<&str>) {
        let counted = client.unwrap_or("unknown").to_owned();
        metrics::counter!(
            "oidc_refusals_total",
            "endpoint" => endpoint,
            "client" => counted,
            "reason" => self.reason
        )
        .increment(1);
        let Self {
            error,
            description,
            reason,
            ..
        } = self;
        tracing::info!(
            endpoint,
            client,
            error,
            reason,
            description,
            "an OpenID Connect request was refused"
        );
    }

    /// As JSON (RFC 6749, section 5.2).
    pub(super) fn to_json(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((PRAGMA, HeaderValue::from_static("no-cache")));
        if let Some(challenge) = self.challenge {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        if let Some(after) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds(after)));
        }
        response.json(json!({ "error": self.error, "error_description": self.description }))
    }
}

/// Whole seconds, rounded up, for `Retry-After`.
pub(super) fn seconds(after: Duration) -> String {
    after.as_millis().div_ceil(1000).max(1).to_string()
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        error.log();
        Self::unavailable("store_unavailable")
    }
}

impl From<NoRandomness> for Refusal {
    fn from(error: NoRandomness) -> Self {
        error.log();
        Self::unavailable("no_randomness")
    }
}

impl From<SubjectError> for Refusal {
    fn from(error: SubjectError) -> Self {
        match error {
            SubjectError::Store(error) => error.into(),
            SubjectError::Randomness(error) => error.into(),
        }
    }
}

impl From<NoKeys> for Refusal {
    fn from(error: NoKeys) -> Self {
        tracing::error!(%error, "a request can't be served");
        Self::unavailable("no_signing_keys")
    }
}
