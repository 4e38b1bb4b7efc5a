//! Errors as `application/problem+json` (RFC 9457).

use std::{borrow::Cow, fmt, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError, error as extractor,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{JsonConfig, PathConfig, QueryConfig, ServiceConfig},
};
use login_protocol::problem::ProblemCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::request_bodies;

/// A failure as a client sees it. What an operator should know is logged where it happens.
#[derive(Debug, Clone)]
pub struct Problem {
    code: ProblemCode,
    status: StatusCode,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
    more: Map<String, Value>,
}

/// What went wrong (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body<'a> {
    /// The status in words.
    title: &'a str,
    /// The status.
    status: u16,
    /// What went wrong, for programs.
    code: ProblemCode,
    /// What went wrong, and what to do, in a sentence.
    detail: &'a str,
    #[serde(flatten)]
    #[schema(ignore)]
    more: &'a Map<String, Value>,
}

impl Problem {
    /// A problem whose detail says, in a sentence, what to do.
    pub fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            status: status_of(code),
            detail: detail.into(),
            retry_after: None,
            more: Map::new(),
        }
    }

    /// The same with an extension member (RFC 9457, section 3.2).
    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The same with `Retry-After`, rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The same with another status, for a code that has two.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The problem's stable code.
    pub const fn code(&self) -> ProblemCode {
        self.code
    }
}

fn status_of(code: ProblemCode) -> StatusCode {
    match code {
        ProblemCode::InvalidRequest | ProblemCode::UnknownEvent => StatusCode::BAD_REQUEST,
        ProblemCode::InvalidApiKey | ProblemCode::NotSignedIn => StatusCode::UNAUTHORIZED,
        ProblemCode::ForeignOrigin
        | ProblemCode::SnapshotPage
        | ProblemCode::ConsentMissing
        | ProblemCode::Banned
        | ProblemCode::FollowingRequired
        | ProblemCode::UnknownHost => StatusCode::FORBIDDEN,
        ProblemCode::NotFound
        | ProblemCode::NoLoginAttempt
        | ProblemCode::UnknownSession
        | ProblemCode::UnknownMember
        | ProblemCode::UnknownTicket
        | ProblemCode::UnknownWebhook
        | ProblemCode::NoWebAuthorization
        | ProblemCode::UnknownAccount => StatusCode::NOT_FOUND,
        ProblemCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ProblemCode::LoginNotConfirmed => StatusCode::CONFLICT,
        ProblemCode::LoginExpired
        | ProblemCode::LoginDenied
        | ProblemCode::LoginConsumed
        | ProblemCode::TicketUsed
        | ProblemCode::TicketExpired
        | ProblemCode::EventGone
        | ProblemCode::AuthorizationCodeSpent => StatusCode::GONE,
        ProblemCode::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ProblemCode::TooManyLogins
        | ProblemCode::ProofOfWorkRequired
        | ProblemCode::TooManyWaiting => StatusCode::TOO_MANY_REQUESTS,
        ProblemCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ProblemCode::NotReady
        | ProblemCode::StoreUnavailable
        | ProblemCode::GatewayUnavailable
        | ProblemCode::WechatUnavailable
        | ProblemCode::DailyCodesUsedUp
        | ProblemCode::WechatAnswerUnusable
        | ProblemCode::WechatRefused => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response
            .content_type("application/problem+json")
            .insert_header((header::CACHE_CONTROL, "no-store"));
        if self.code == ProblemCode::InvalidApiKey {
            // RFC 9110, section 11.6.1: a 401 names the scheme that would be accepted.
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(after) = self.retry_after {
            let seconds = after.as_millis().div_ceil(1000).max(1);
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body = Body {
            title,
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            more: &self.more,
        };
        response.body(serde_json::to_string(&body).unwrap_or_default())
    }
}

/// Makes actix-web's own refusals problems as well: malformed bodies, paths and queries, and bodies
/// over `body_limit` bytes.
pub fn configure(config: &mut ServiceConfig, body_limit: usize) {
    config
        .app_data(
            JsonConfig::default()
                .limit(body_limit)
                .error_handler(|error, _| json_refusal(&error).into()),
        )
        .app_data(PathConfig::default().error_handler(|error, _| invalid(&error).into()))
        .app_data(QueryConfig::default().error_handler(|error, _| invalid(&error).into()));
}

/// The response of unknown routes.
pub async fn not_found(_request: HttpRequest) -> Problem {
    Problem::new(ProblemCode::NotFound, "No route matches this path.")
}

/// The response to an unsupported method. `allowed` lists the supported ones, separated by commas
/// (RFC 9110, section 15.5.6).
pub(crate) fn method_not_allowed(allowed: &str) -> HttpResponse {
    let detail = format!("This route accepts these methods: {allowed}.");
    let mut response = Problem::new(ProblemCode::MethodNotAllowed, detail).error_response();
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

impl actix_web::Responder for Problem {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}

fn invalid(error: &dyn fmt::Display) -> Problem {
    Problem::new(
        ProblemCode::InvalidRequest,
        format!("The request is invalid: {error}."),
    )
}

fn json_refusal(error: &extractor::JsonPayloadError) -> Problem {
    use extractor::JsonPayloadError::{ContentType, Overflow, OverflowKnownLength, Payload};

    let too_large = |limit: usize| {
        let detail = format!("The body must not exceed {limit} bytes.");
        Problem::new(ProblemCode::PayloadTooLarge, detail)
    };
    match error {
        Overflow { limit } | OverflowKnownLength { limit, .. } => too_large(*limit),
        Payload(error) => match request_bodies::refusal(error) {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(request_bodies::LARGEST),
            StatusCode::REQUEST_TIMEOUT => {
                let seconds = request_bodies::TIME.as_secs();
                let detail = format!("The body has to arrive within {seconds} seconds.");
                Problem::new(ProblemCode::InvalidRequest, detail)
                    .with_status(StatusCode::REQUEST_TIMEOUT)
            }
            _ => invalid(error),
        },
        ContentType => Problem::new(
            ProblemCode::UnsupportedMediaType,
            "Send the body as application/json.",
        ),
        other => invalid(other),
    }
}
