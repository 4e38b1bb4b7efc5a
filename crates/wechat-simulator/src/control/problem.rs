//! The control API's failures, as `application/problem+json` (RFC 9457).

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::account::SetupRefused;
use crate::journeys::JourneyError;
use crate::phone_browser::open_error::OpenError;

/// A failure with a stable code.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    /// 400: the request makes no sense.
    pub(super) fn invalid(detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", &detail)
    }

    /// 404: there is no such thing.
    pub(super) fn unknown(code: &'static str, detail: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, &detail)
    }

    fn new(status: StatusCode, code: &'static str, detail: &dyn fmt::Display) -> Self {
        Self {
            status,
            code,
            detail: detail.to_string(),
        }
    }
}

impl From<JourneyError> for Problem {
    fn from(error: JourneyError) -> Self {
        let (status, code) = match error {
            JourneyError::UnknownPerson => (StatusCode::NOT_FOUND, "unknown_person"),
            JourneyError::UnknownCode => (StatusCode::NOT_FOUND, "unknown_code"),
            JourneyError::ExpiredCode => (StatusCode::GONE, "expired_code"),
            JourneyError::NotFollowing => (StatusCode::CONFLICT, "not_following"),
            JourneyError::FollowsAlready => (StatusCode::CONFLICT, "follows_already"),
            JourneyError::Text => (StatusCode::BAD_REQUEST, "invalid_request"),
        };
        Self::new(status, code, &error)
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        let (status, code) = match error {
            OpenError::Address => (StatusCode::BAD_REQUEST, "invalid_request"),
            OpenError::TooManySteps => (StatusCode::BAD_GATEWAY, "too_many_redirects"),
            OpenError::Unreachable => (StatusCode::BAD_GATEWAY, "unreachable"),
            OpenError::SeveralForms => (StatusCode::CONFLICT, "several_forms"),
            OpenError::NoSuchButton => (StatusCode::CONFLICT, "no_such_button"),
        };
        Self::new(status, code, &error)
    }
}

impl From<SetupRefused> for Problem {
    fn from(error: SetupRefused) -> Self {
        Self::invalid(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let body = json!({
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        HttpResponse::build(self.status)
            .content_type("application/problem+json")
            .body(body.to_string())
    }
}
