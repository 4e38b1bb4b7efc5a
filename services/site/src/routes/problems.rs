//! Turns errors into problems for browsers and log lines for operators: once, here.

use std::time::Duration;

use actix_web::http::StatusCode;
use login_protocol::{attempt::AttemptStatus, problem::ProblemCode};
use service_kit::problem::Problem;

use crate::{
    account_pictures::PictureError,
    gateway_client::GatewayError,
    login::{BeginError, CompleteError, WebAuthorizationError},
    tickets::TicketError,
};

/// When to ask a gateway again that doesn't say.
const SOON: Duration = Duration::from_secs(5);

const TOO_MANY_FROM_HERE: &str =
    "Too many logins were started from this IP address. Wait a moment and try again.";
const CANT_BE_COMPLETED: &str = "This login can't be completed. Start again.";

/// An internal error that isn't the visitor's doing.
pub(super) fn internal() -> Problem {
    Problem::new(
        ProblemCode::Internal,
        "Something went wrong here. Try again later.",
    )
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::MethodNotOffered => {
                let detail = "This site doesn't offer that method.";
                Self::new(ProblemCode::InvalidRequest, detail)
            }
            BeginError::TooManyOfClient { retry_after } => {
                Self::new(ProblemCode::TooManyLogins, TOO_MANY_FROM_HERE).retry_after(retry_after)
            }
            BeginError::WorkRequired {
                challenge,
                room_after,
            } => {
                let detail = "Too many logins are being started. Solve `challenge`, and send the result as `proof`.";
                let challenge = serde_json::to_value(challenge).unwrap_or_default();
                let problem = Self::new(ProblemCode::ProofOfWorkRequired, detail);
                let problem = problem.with_member("challenge", challenge);
                match room_after {
                    Some(after) => problem.retry_after(after),
                    None => problem,
                }
            }
            BeginError::TooManyWebAuthorizations { retry_after } => {
                let detail = "Too many people are logging in at once. Try again later.";
                Self::new(ProblemCode::TooManyLogins, detail)
                    .with_status(StatusCode::SERVICE_UNAVAILABLE)
                    .retry_after(retry_after)
            }
            BeginError::Gateway(error) => error.into(),
            BeginError::Store(error) => error.into(),
            BeginError::Randomness(error) => error.into(),
        }
    }
}

impl From<PictureError> for Problem {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Busy => unavailable(None, None),
            PictureError::Gateway(error) => error.into(),
        }
    }
}

impl From<CompleteError> for Problem {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::NotRedeemable(status) => not_redeemable(status),
            CompleteError::Banned => banned(),
            CompleteError::SignedOutEverywhere => Self::new(
                ProblemCode::LoginExpired,
                "The user signed out everywhere after confirming this login. Start again.",
            ),
            CompleteError::FollowingRequired => Self::new(
                ProblemCode::FollowingRequired,
                "Only followers of the official account can log in here. Follow it, and start again.",
            ),
            CompleteError::Store(error) => error.into(),
            CompleteError::Randomness(error) => error.into(),
        }
    }
}

impl From<TicketError> for Problem {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Unknown => Self::new(
                ProblemCode::UnknownTicket,
                "There is no such ticket, or its time has been over for long.",
            ),
            TicketError::Used => Self::new(
                ProblemCode::TicketUsed,
                "This ticket was redeemed before. A new login brings a new one.",
            ),
            TicketError::Expired => Self::new(
                ProblemCode::TicketExpired,
                "This ticket wasn't redeemed within a minute. A new login brings a new one.",
            ),
            TicketError::SignedOutEverywhere => Self::new(
                ProblemCode::TicketExpired,
                "The user signed out everywhere after this login. A new login brings a new ticket.",
            ),
            TicketError::NotFollowing => Self::new(
                ProblemCode::TicketExpired,
                "The user has unfollowed the official account since this login, and only followers \
                 can log in here. A new login brings a new ticket.",
            ),
            TicketError::Subject(error) => error.into(),
        }
    }
}

/// Tickets were asked for where there are none, or in words that mean nothing.
pub(super) fn no_such_completion(has_tickets: bool) -> Problem {
    let detail = if has_tickets {
        "The parameter `session` is `none` or left out."
    } else {
        "This site issues no tickets: its operator has to set SITE__INTERNAL__API_KEY."
    };
    Problem::new(ProblemCode::InvalidRequest, detail)
}

fn not_redeemable(status: AttemptStatus) -> Problem {
    match status {
        AttemptStatus::Pending | AttemptStatus::Scanned | AttemptStatus::Confirmed => Problem::new(
            ProblemCode::LoginNotConfirmed,
            "Nobody has confirmed this login yet.",
        ),
        AttemptStatus::Denied => Problem::new(
            ProblemCode::LoginDenied,
            "The login was refused on the phone. Start again.",
        ),
        AttemptStatus::Expired => Problem::new(
            ProblemCode::LoginExpired,
            "The login expired or was cancelled. Start again.",
        ),
        AttemptStatus::Consumed => Problem::new(
            ProblemCode::LoginConsumed,
            "This login has already been completed. Start again.",
        ),
    }
}

impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        log(&error);
        match error {
            GatewayError::TooManyLogins { retry_after } => {
                let problem = Self::new(ProblemCode::TooManyLogins, TOO_MANY_FROM_HERE);
                match retry_after {
                    Some(after) => problem.retry_after(after),
                    None => problem,
                }
            }
            GatewayError::SpentCode => {
                Self::new(ProblemCode::AuthorizationCodeSpent, CANT_BE_COMPLETED)
            }
            GatewayError::Snapshot => Self::new(ProblemCode::SnapshotPage, CANT_BE_COMPLETED),
            GatewayError::ConsentMissing => {
                Self::new(ProblemCode::ConsentMissing, CANT_BE_COMPLETED)
            }
            GatewayError::AttemptOver => Self::new(ProblemCode::LoginExpired, CANT_BE_COMPLETED),
            GatewayError::Banned => banned(),
            GatewayError::NoWebAuthorization => Self::new(
                ProblemCode::NoWebAuthorization,
                "This account has no web authorisation. Log in by another method.",
            ),
            GatewayError::Refused {
                code, retry_after, ..
            } => unavailable(code.filter(|code| concerns_wechat(*code)), retry_after),
            GatewayError::ApiKey | GatewayError::Unreachable(_) => unavailable(None, None),
        }
    }
}

fn banned() -> Problem {
    let detail = "The account's owner has banned this person.";
    Problem::new(ProblemCode::Banned, detail)
}

/// Whether this problem of the gateway is passed on to browsers.
const fn concerns_wechat(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::WechatUnavailable
            | ProblemCode::WechatAnswerUnusable
            | ProblemCode::WechatRefused
            | ProblemCode::DailyCodesUsedUp
    )
}

fn unavailable(code: Option<ProblemCode>, retry_after: Option<Duration>) -> Problem {
    let detail = "Logging in with WeChat is not possible right now. Try again later.";
    Problem::new(code.unwrap_or(ProblemCode::GatewayUnavailable), detail)
        .with_status(StatusCode::SERVICE_UNAVAILABLE)
        .retry_after(retry_after.unwrap_or(SOON))
}

/// Logs what isn't the visitor's doing.
fn log(error: &GatewayError) {
    match error {
        GatewayError::Refused {
            path, status, code, ..
        } => tracing::error!(
            path,
            status = status.as_u16(),
            ?code,
            "the gateway refused a request"
        ),
        GatewayError::ApiKey => tracing::error!("{error}"),
        GatewayError::Unreachable(error) => {
            tracing::error!(%error, "the gateway can't be reached");
        }
        GatewayError::TooManyLogins { .. }
        | GatewayError::SpentCode
        | GatewayError::Snapshot
        | GatewayError::ConsentMissing
        | GatewayError::AttemptOver
        | GatewayError::Banned
        | GatewayError::NoWebAuthorization => {}
    }
}

/// Logs why a callback logged nobody in, unless it was the visitor's doing.
pub(super) fn log_callback(error: &WebAuthorizationError) {
    match error {
        WebAuthorizationError::Gateway(error) => log(error),
        WebAuthorizationError::Store(error) => error.log(),
        WebAuthorizationError::Randomness(error) => error.log(),
        WebAuthorizationError::StateMismatch
        | WebAuthorizationError::ConsentMissing
        | WebAuthorizationError::Snapshot
        | WebAuthorizationError::AttemptOver
        | WebAuthorizationError::SpentCode
        | WebAuthorizationError::Banned
        | WebAuthorizationError::FollowingRequired => {}
    }
}
