//! Why a call to WeChat failed, and what its caller may do.

use std::{error::Error, sync::Arc, time::Duration};

use service_kit::random::NoRandomness;
use wechat_wire::{
    api::{ApiError, DecodeError, Problem as BadBody},
    error_code::{Remedy, address_to_whitelist, operator_hint, remedy},
};

/// A failed call. `Display` is for the log: it contains neither the URL's query nor a body, since
/// both can contain an access token.
#[derive(Debug, thiserror::Error)]
pub enum WechatError {
    /// WeChat can't be reached, or took too long.
    #[error(
        "WeChat can't be reached: {} (if it lasts: DNS, a firewall or a proxy keeps this machine from reaching api.weixin.qq.com, port 443)",
        cause(.0)
    )]
    Unreachable(reqwest::Error),
    /// WeChat refused, as it does inside HTTP 200.
    #[error("WeChat answered {}: {} ({})", .0.errcode, .0.errmsg, hint(.0))]
    Refused(ApiError),
    /// An answer without a body, which a wrong `AppSecret` has been seen to cause
    /// (Eric-Guo/wechat#184).
    #[error("WeChat answered HTTP {status} without a body (if it lasts: check the AppSecret)")]
    Empty {
        /// The HTTP status.
        status: u16,
    },
    /// The answer is not what this call answers: an error page, a cut-off body.
    #[error(
        "WeChat answered HTTP {status}: {problem} (if it lasts: check wechat.api_url and proxies)"
    )]
    Malformed {
        /// The HTTP status.
        status: u16,
        /// What is wrong with the body.
        problem: String,
    },
    /// WeChat answered the call as done, but without what the answer is for.
    #[error(
        "WeChat's answer can't be used: {problem} (check whether WeChat's API has changed, and wechat.api_url)"
    )]
    Unusable {
        /// What is wrong with it.
        problem: String,
    },
    /// The access token was refused, and can't be replaced yet.
    #[error(
        "the access token was refused, and {why}: find the program that replaces this account's tokens by \
         force_refresh or /cgi-bin/token, or reports good ones, and let it use the gateway's /v1/access-token"
    )]
    StuckToken {
        /// Why no other one could be had.
        why: &'static str,
        /// When it may be possible.
        retry_after: Duration,
    },
    /// No access token could be had, now or when it was last tried.
    #[error("can't get an access token: {cause}")]
    NoToken {
        /// What went wrong when WeChat was last asked.
        cause: Arc<WechatError>,
        /// Until then WeChat isn't asked again.
        retry_after: Duration,
    },
    /// No random name could be generated under which WeChat could be asked for all replicas.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The caller can't wait any longer.
    #[error("WeChat took too long, including retries")]
    OutOfTime,
}

/// What the operator can do about a refusal, in one line.
pub fn hint(error: &ApiError) -> String {
    let code = error.errcode;
    if let (40164 | 45035 | 61004, Some(address)) = (code, address_to_whitelist(&error.errmsg)) {
        return format!(
            "add {address} to the account's IP whitelist (IP白名单) in WeChat's console; it takes effect after 5 to \
             10 minutes"
        );
    }
    if let Some(hint) = operator_hint(code) {
        return hint.to_owned();
    }
    match remedy(code) {
        Remedy::RefreshToken => "the access token is over".to_owned(),
        Remedy::RetryWithBackoff => "WeChat is busy; it passes by itself".to_owned(),
        _ => "look the code up at developers.weixin.qq.com (全局返回码); Tencent's support asks for the rid".to_owned(),
    }
}

/// The root cause of a failed request. It never contains the URL's query.
pub fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    // The outermost error only says that a request failed.
    let mut deepest = error.source();
    while let Some(source) = deepest.and_then(Error::source) {
        deepest = Some(source);
    }
    deepest.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
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
            DecodeError::Malformed {
                problem: BadBody::Empty,
                ..
            } if status == 200 => Self::Empty { status },
            unusable @ DecodeError::Malformed {
                problem: BadBody::UnexpectedMembers,
                ..
            } if status == 200 => Self::Unusable {
                problem: unusable.to_string(),
            },
            malformed @ DecodeError::Malformed { .. } => Self::Malformed {
                status,
                problem: malformed.to_string(),
            },
        }
    }

    /// Whether another access token may fix it.
    pub fn wants_another_token(&self) -> bool {
        matches!(self, Self::Refused(error) if remedy(error.errcode) == Remedy::RefreshToken)
    }

    /// Whether the connection ended after the request was sent and before an answer came.
    pub fn is_closed_connection(&self) -> bool {
        matches!(self, Self::Unreachable(error)
            if error.is_request() && !error.is_connect() && !error.is_timeout())
    }

    /// When repeating the call makes sense, if WeChat's trouble is of the kind that passes.
    pub fn passes_after(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(_) | Self::Empty { .. } | Self::Malformed { .. } => {
                Some(Duration::ZERO)
            }
            Self::Refused(error) => {
                (remedy(error.errcode) == Remedy::RetryWithBackoff).then_some(Duration::ZERO)
            }
            Self::NoToken { cause, retry_after } => cause.passes_after().map(|_| *retry_after),
            // What was requested has been done, and would be done again.
            Self::Unusable { .. }
            | Self::StuckToken { .. }
            | Self::Randomness(_)
            | Self::OutOfTime => None,
        }
    }

    /// Whether something that the operator does ends it, at a time that nobody knows beforehand.
    pub fn operator_can_mend(&self) -> bool {
        matches!(self, Self::Refused(error) if operator_hint(error.errcode).is_some())
    }

    /// The failure as the `outcome` of a metric.
    pub fn outcome(&self) -> String {
        match self {
            Self::Refused(error) => error.errcode.to_string(),
            Self::Unreachable(error) if error.is_timeout() => "timeout".to_owned(),
            Self::Unreachable(_) if self.is_closed_connection() => "closed".to_owned(),
            Self::Unreachable(_) => "unreachable".to_owned(),
            Self::Empty { .. } => "empty".to_owned(),
            Self::Malformed { status, .. } if *status != 200 => format!("http_{status}"),
            Self::Malformed { .. } => "malformed".to_owned(),
            Self::Unusable { .. } => "unusable".to_owned(),
            Self::StuckToken { .. } => "stuck_token".to_owned(),
            Self::NoToken { cause, .. } => cause.outcome(),
            Self::Randomness(_) => "no_randomness".to_owned(),
            Self::OutOfTime => "timeout".to_owned(),
        }
    }
}
