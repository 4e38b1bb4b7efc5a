//! A call that WeChat doesn't let the account make (48001). It isn't made again for a while: an
//! account may be certified at any time, and until then every login would cost a refused call.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{error::WechatError, pauses};

/// What is known of one call.
#[derive(Debug, Default)]
pub struct MissingRight {
    until: Mutex<Option<Timestamp>>,
}

impl MissingRight {
    /// Whether WeChat needn't be asked yet.
    pub fn is_known(&self, now: Timestamp) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| now < until)
    }

    /// Learns of a failure, if it is this one.
    pub fn learn(&self, error: &WechatError, now: Timestamp) {
        if !matches!(error, WechatError::Refused(refusal) if refusal.errcode == 48001) {
            return;
        }
        let pause = SignedDuration::try_from(pauses::after(error, 1)).unwrap_or_default();
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = now.checked_add(pause).ok();
    }
}

#[cfg(test)]
mod tests {
    use wechat_wire::api::ApiError;

    use super::*;

    #[test]
    fn a_right_that_is_missing_is_asked_for_again_after_five_minutes() {
        let right = MissingRight::default();
        let noon: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let refused = |errcode| {
            let errmsg = String::new();
            WechatError::Refused(ApiError { errcode, errmsg })
        };
        right.learn(&refused(45009), noon);
        right.learn(&WechatError::OutOfTime, noon);
        assert!(!right.is_known(noon));
        right.learn(&refused(48001), noon);
        assert!(right.is_known(noon));
        assert!(right.is_known(noon + SignedDuration::from_secs(299)));
        assert!(!right.is_known(noon + SignedDuration::from_secs(300)));
    }
}
