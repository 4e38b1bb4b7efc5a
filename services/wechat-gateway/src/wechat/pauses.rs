//! How long WeChat isn't asked for an access token after a failure.

use std::time::Duration;

use wechat_wire::error_code::{Remedy, remedy};

use super::error::WechatError;

/// The longest pause after a failure of the kind that passes.
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);

/// A whitelisted IP address and an administrator's consent take effect without a restart, so WeChat
/// is asked every minute.
const WHITELIST: Duration = Duration::from_mins(1);

/// Errors that only another setting or the console fixes; WeChat blocks callers that keep asking.
const REFUSED: Duration = Duration::from_mins(5);

/// The pause after this failure, the `failures`th in a row.
pub fn after(error: &WechatError, failures: u32) -> Duration {
    let backoff = || {
        let doubled = failures.saturating_sub(1).min(6);
        Duration::from_secs(1 << doubled).min(LONGEST_BACKOFF)
    };
    match error {
        WechatError::Unreachable(_)
        | WechatError::Empty { .. }
        | WechatError::Malformed { .. }
        | WechatError::Unusable { .. }
        | WechatError::Randomness(_)
        | WechatError::OutOfTime => backoff(),
        WechatError::StuckToken { retry_after, .. } => (*retry_after).min(LONGEST_BACKOFF),
        WechatError::NoToken { retry_after, .. } => *retry_after,
        WechatError::Refused(error) => match (error.errcode, remedy(error.errcode)) {
            (40164 | 45035 | 61004, _) => WHITELIST,
            (_, Remedy::RetryWithBackoff) => backoff(),
            (_, Remedy::RetryLater { after }) => after,
            // 40001 among them: where tokens are handed out it means a wrong secret.
            (_, Remedy::RefreshToken | Remedy::TellOperator | Remedy::None) => REFUSED,
        },
    }
}

#[cfg(test)]
mod tests {
    use wechat_wire::api::ApiError;

    use super::*;

    fn refused(errcode: i64) -> WechatError {
        WechatError::Refused(ApiError {
            errcode,
            errmsg: String::new(),
        })
    }

    #[test]
    fn what_passes_is_asked_again_soon_and_then_less_often() {
        for error in [
            refused(-1),
            refused(268_487_001),
            WechatError::Empty { status: 200 },
            WechatError::OutOfTime,
            WechatError::Unusable {
                problem: String::new(),
            },
        ] {
            let seconds = (1..=9).map(|failures| after(&error, failures).as_secs());
            assert_eq!(
                seconds.collect::<Vec<_>>(),
                [1, 2, 4, 8, 16, 32, 60, 60, 60]
            );
        }
        assert_eq!(after(&refused(-1), u32::MAX), LONGEST_BACKOFF);
    }

    #[test]
    fn a_refusal_lasts_as_long_as_it_says_however_often_it_comes() {
        for failures in [1, 2, 100] {
            for (errcode, seconds) in [
                (40164, 60),
                (61004, 60),
                (45011, 60),
                (89503, 60),
                (40001, 300),
                (40013, 300),
                (40125, 300),
                (40243, 300),
                (41002, 300),
                (48001, 300),
                (50002, 300),
                (50004, 300),
                (99999, 300),
                (45009, 3600),
                (89507, 3600),
                (89506, 86_400),
            ] {
                let pause = after(&refused(errcode), failures);
                assert_eq!(pause.as_secs(), seconds, "{errcode}");
            }
        }
    }

    #[test]
    fn a_stuck_token_is_looked_at_again_within_a_minute() {
        for (hours, expected) in [(0, Duration::ZERO), (20, LONGEST_BACKOFF)] {
            let error = WechatError::StuckToken {
                why: "",
                retry_after: Duration::from_hours(hours),
            };
            assert_eq!(after(&error, 1), expected);
        }
    }
}
