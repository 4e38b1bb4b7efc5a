//! Whether WeChat refuses QR codes to the account, and when it is asked again. Logins of sites that
//! leave the method to the gateway go another way until then.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use login_protocol::{account::AccountName, method::Method};

use super::error::WechatError;

/// An account that may not create codes may be certified at any time.
const AFTER_UNAUTHORIZED: SignedDuration = SignedDuration::from_mins(5);

/// An operator may clear the day's quota, or raise it.
const AFTER_QUOTA: SignedDuration = SignedDuration::from_hours(1);

/// Why there are no codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The account may not create any (48001): it is no certified service account.
    Unauthorized,
    /// WeChat's quota of the day is used up (45009).
    Quota,
    /// The gateway's own limit of the day is.
    OwnLimit,
}

impl Refusal {
    /// What an error of WeChat's says about codes; `None` for one that passes or concerns more.
    pub fn of(error: &WechatError) -> Option<Self> {
        match error {
            WechatError::Refused(error) if error.errcode == 48001 => Some(Self::Unauthorized),
            WechatError::Refused(error) if error.errcode == 45009 => Some(Self::Quota),
            _ => None,
        }
    }

    /// In words, for operators.
    const fn words(self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "WeChat lets this account create no QR codes (48001: certified service accounts may)"
            }
            Self::Quota => "WeChat's quota of QR codes is used up for today (45009)",
            Self::OwnLimit => "the day's QR codes are used up (limits.qr_codes_per_day)",
        }
    }

    /// What operators can do about it.
    const fn action(self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "certify the account as a service account (认证服务号), or set the sites' SITE__LOGIN__METHOD to \
                 code or page"
            }
            Self::Quota => "wait for the next day in China, or clear the quota (clear_quota)",
            Self::OwnLimit => {
                "wait for the next day in China, or raise GATEWAY__LIMITS__QR_CODES_PER_DAY"
            }
        }
    }

    /// When to try again: after five minutes, or after an hour and when a day begins in China.
    fn ends(self, now: Timestamp) -> Timestamp {
        let after = |wait| now.checked_add(wait).unwrap_or(Timestamp::MAX);
        match self {
            Self::Unauthorized => after(AFTER_UNAUTHORIZED),
            Self::Quota | Self::OwnLimit => after(AFTER_QUOTA).min(midnight_in_china(now)),
        }
    }
}

/// What is known of one account's codes.
pub struct CodeRefusals {
    account: AccountName,
    /// How visitors log in meanwhile.
    instead: Method,
    current: Mutex<Option<Current>>,
}

#[derive(Clone, Copy)]
struct Current {
    why: Refusal,
    since: Timestamp,
    until: Timestamp,
}

impl CodeRefusals {
    /// Nothing is known yet.
    pub const fn new(account: AccountName, instead: Method) -> Self {
        Self {
            account,
            instead,
            current: Mutex::new(None),
        }
    }

    /// How visitors log in while there are no codes.
    pub const fn instead(&self) -> Method {
        self.instead
    }

    /// Whether WeChat needn't be asked for a code yet.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.locked().is_some_and(|current| now < current.until)
    }

    /// There was no code to be had.
    pub fn begin(&self, why: Refusal, now: Timestamp) {
        let until = why.ends(now);
        let is_new = {
            let mut current = self.locked();
            let before = current.filter(|before| before.why == why);
            let since = before.map_or(now, |before| before.since);
            *current = Some(Current { why, since, until });
            before.is_none()
        };
        if is_new {
            tracing::warn!(
                account = self.account.in_log(),
                instead = self.instead.as_str(),
                "{}; visitors log in another way meanwhile → {}",
                why.words(),
                why.action()
            );
        }
        self.show(true);
    }

    /// There was a code.
    pub fn end(&self) {
        if self.locked().take().is_some() {
            tracing::info!(
                account = self.account.in_log(),
                "there are QR codes again; visitors scan"
            );
            self.show(false);
        }
    }

    /// Why there are no codes, until when WeChat isn't asked for one, and how visitors log in
    /// meanwhile; `None` where there are codes.
    pub fn standing(&self) -> Option<(Refusal, Timestamp, Method)> {
        let current = (*self.locked())?;
        Some((current.why, current.until, self.instead))
    }

    /// The remark for operators, if there are no codes.
    pub fn remark(&self) -> Option<String> {
        let current = (*self.locked())?;
        Some(format!(
            "{}, since {:.0}; visitors log in by {} meanwhile → {}",
            current.why.words(),
            current.since,
            self.instead.as_str(),
            current.why.action()
        ))
    }

    fn show(&self, is_refused: bool) {
        let account = self.account.label();
        let method = self.instead.as_str();
        metrics::gauge!("logins_without_qr_codes", "instead" => method, "account" => account)
            .set(u8::from(is_refused));
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn midnight_in_china(now: Timestamp) -> Timestamp {
    let china = TimeZone::fixed(jiff::tz::offset(8));
    let today = now.to_zoned(china).start_of_day();
    let next = today.and_then(|today| {
        today
            .timestamp()
            .checked_add(SignedDuration::from_hours(24))
    });
    next.unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn wechat_is_asked_again_after_five_minutes_or_an_hour_or_at_midnight_in_china() {
        let refusals = CodeRefusals::new(AccountName::default(), Method::Code);
        for (why, began, last, ends) in [
            (
                Refusal::Unauthorized,
                "2026-11-27T15:58:00Z",
                "2026-11-27T16:02:59Z",
                "2026-11-27T16:03:00Z",
            ),
            (
                Refusal::Quota,
                "2026-11-27T04:00:00Z",
                "2026-11-27T04:59:59Z",
                "2026-11-27T05:00:00Z",
            ),
            (
                Refusal::Quota,
                "2026-11-27T15:30:00Z",
                "2026-11-27T15:59:59Z",
                "2026-11-27T16:00:00Z",
            ),
            (
                Refusal::OwnLimit,
                "2026-11-27T15:59:59Z",
                "2026-11-27T15:59:59Z",
                "2026-11-27T16:00:00Z",
            ),
        ] {
            refusals.begin(why, at(began));
            assert!(refusals.is_in_force(at(began)), "{why:?}");
            assert!(refusals.is_in_force(at(last)), "{why:?}");
            assert!(!refusals.is_in_force(at(ends)), "{why:?}");
            // Until WeChat has given one, operators read that there are none.
            assert!(
                refusals
                    .remark()
                    .is_some_and(|remark| remark.contains("by code"))
            );
        }
        refusals.end();
        assert_eq!(refusals.remark(), None);
    }

    #[test]
    fn operators_read_since_when_and_what_to_do() {
        let refusals = CodeRefusals::new(AccountName::default(), Method::Page);
        for began in ["2026-11-27T04:00:00.25Z", "2026-11-27T05:00:00Z"] {
            refusals.begin(Refusal::OwnLimit, at(began));
            let remark = refusals.remark().unwrap_or_default();
            for part in [
                "since 2026-11-27T04:00:00Z",
                "by page",
                "GATEWAY__LIMITS__QR_CODES_PER_DAY",
            ] {
                assert!(remark.contains(part), "{remark}");
            }
        }
        refusals.begin(Refusal::Quota, at("2026-11-27T06:00:00Z"));
        let remark = refusals.remark().unwrap_or_default();
        assert!(remark.contains("since 2026-11-27T06:00:00Z"), "{remark}");
    }
}
