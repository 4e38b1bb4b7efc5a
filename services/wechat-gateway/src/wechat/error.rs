//! Why a call to WeChat failed, and what its caller may do.

use std::{sync::Arc, time::Duration};

use login_protocol::problem::ProblemCode;
use service_kit::problem::Problem;
use wechat_wire::{
    api::{ApiError, DecodeError},
    error_code::{Remedy, operator_hint, remedy},
};

/// A failed call. `Display` is for the log: it holds neither the address's query nor a body, since
/// both can hold an access token.
#[derive(Debug, thiserror::Error)]
pub enum WechatError {
    /// WeChat can't be reached, or took too long.
    #[error("WeChat can't be reached: {0}")]
    Unreachable(reqwest::Error),
    /// WeChat refused, as it does inside HTTP 200.
    #[error("WeChat answered {}: {}{}", .0.errcode, .0.errmsg, hint(.0))]
    Refused(ApiError),
    /// The answer is not what this call answers: an error page, an empty body.
    #[error("WeChat answered HTTP {status}: {problem}")]
    Malformed {
        /// The HTTP status.
        status: u16,
        /// What is wrong with the body.
        problem: String,
    },
    /// What another request just learned, which was asked at the same time.
    #[error("{0}")]
    Shared(Arc<WechatError>),
}

fn hint(error: &ApiError) -> String {
    operator_hint(error.errcode)
        .map(|hint| format!(" ({hint})"))
        .unwrap_or_default()
}

impl From<reqwest::Error> for WechatError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }
}

impl WechatError {
    /// What an answer that couldn't be decoded means.
    pub fn undecoded(status: u16, error: DecodeError) -> Self {
        match error {
            DecodeError::Api(error) => Self::Refused(error),
            malformed @ DecodeError::Malformed { .. } => Self::Malformed {
                status,
                problem: malformed.to_string(),
            },
        }
    }

    /// Whether another access token may mend it.
    pub fn wants_another_token(&self) -> bool {
        match self {
            Self::Refused(error) => remedy(error.errcode) == Remedy::RefreshToken,
            Self::Shared(error) => error.wants_another_token(),
            Self::Unreachable(_) | Self::Malformed { .. } => false,
        }
    }

    /// What the client of the internal API is told. The log holds the rest.
    pub fn problem(&self) -> Problem {
        let unavailable = |after: Duration| {
            let detail = "WeChat's API fails or can't be reached right now. Try again later.";
            Problem::new(ProblemCode::WechatUnavailable, detail).retry_after(after)
        };
        match self {
            Self::Shared(error) => error.problem(),
            Self::Unreachable(_) | Self::Malformed { .. } => unavailable(Duration::from_secs(5)),
            Self::Refused(error) => match remedy(error.errcode) {
                Remedy::RefreshToken | Remedy::RetryWithBackoff => unavailable(Duration::from_secs(5)),
                Remedy::RetryLater { after } => unavailable(after),
                Remedy::TellOperator | Remedy::None => Problem::new(
                    ProblemCode::WechatRefused,
                    format!(
                        "WeChat refuses the account or its settings (errcode {}){}. The gateway's log says more.",
                        error.errcode,
                        hint(error),
                    ),
                )
                .retry_after(Duration::from_mins(1)),
            },
        }
    }
}
