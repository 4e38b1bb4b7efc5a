//! Errors of WeChat as problems for clients of the internal API. The log has the details.

use std::time::Duration;

use login_protocol::problem::ProblemCode;
use service_kit::problem::Problem;
use wechat_wire::{
    api::ApiError,
    error_code::{Remedy, remedy},
};

use crate::{
    members::SessionsError,
    wechat::{
        code_budget::NoCodeLeft,
        error::{WechatError, hint},
    },
};

/// When a client may try again after a failure of the kind that passes.
const SOON: Duration = Duration::from_secs(5);

/// When a client may check whether the operator has fixed what WeChat refuses.
const AFTER_A_REFUSAL: Duration = Duration::from_mins(1);

impl From<&WechatError> for Problem {
    fn from(error: &WechatError) -> Self {
        match error {
            WechatError::Unreachable(_)
            | WechatError::Empty { .. }
            | WechatError::Malformed { .. }
            | WechatError::OutOfTime => unavailable(SOON),
            WechatError::Unusable { .. } => unusable(),
            WechatError::StuckToken { retry_after, .. } => unavailable(*retry_after),
            WechatError::Randomness(error) => (*error).into(),
            WechatError::NoToken { cause, retry_after } => match cause.as_ref() {
                // Getting a token needs none: what would ask for another one is a wrong secret
                // here.
                WechatError::Refused(error) if cause.wants_another_token() => refused(error),
                cause => cause.into(),
            }
            .retry_after(*retry_after),
            WechatError::Refused(error) => match remedy(error.errcode) {
                Remedy::RefreshToken | Remedy::RetryWithBackoff => unavailable(SOON),
                Remedy::RetryLater { after } => unavailable(after),
                Remedy::TellOperator | Remedy::None => refused(error),
            },
        }
    }
}

impl From<NoCodeLeft> for Problem {
    fn from(error: NoCodeLeft) -> Self {
        match error {
            NoCodeLeft::UsedUp { retry_after } => {
                let detail = "The account's QR codes for today are used up.";
                Self::new(ProblemCode::DailyCodesUsedUp, detail).retry_after(retry_after)
            }
            NoCodeLeft::Paced { retry_after } => {
                let detail = "Many logins were started from this client's network and few completed, and QR codes are scarce.";
                Self::new(ProblemCode::TooManyLogins, detail).retry_after(retry_after)
            }
        }
    }
}

impl From<SessionsError> for Problem {
    fn from(error: SessionsError) -> Self {
        match error {
            SessionsError::UnknownMember => unknown_member(),
            SessionsError::UnknownSession => {
                let detail = "The person has no such session.";
                Self::new(ProblemCode::UnknownSession, detail)
            }
            SessionsError::Store(error) => error.into(),
            SessionsError::Randomness(error) => error.into(),
        }
    }
}

/// The response about somebody of whom nothing is stored.
pub(super) fn unknown_member() -> Problem {
    let detail = "The account knows no person with this OpenID.";
    Problem::new(ProblemCode::UnknownMember, detail)
}

fn unavailable(after: Duration) -> Problem {
    let detail = "WeChat's API is failing or can't be reached right now. Try again later.";
    Problem::new(ProblemCode::WechatUnavailable, detail).retry_after(after)
}

fn unusable() -> Problem {
    let detail =
        "WeChat's response lacks what was requested. The gateway's log says what is missing.";
    Problem::new(ProblemCode::WechatAnswerUnusable, detail).retry_after(AFTER_A_REFUSAL)
}

fn refused(error: &ApiError) -> Problem {
    let detail = format!(
        "WeChat refuses the account or its settings (errcode {}: {}). The gateway's log says more.",
        error.errcode,
        hint(error),
    );
    Problem::new(ProblemCode::WechatRefused, detail).retry_after(AFTER_A_REFUSAL)
}
