//! What to do about an `errcode`.
//!
//! Codes that aren't listed get no remedy: neither a retry nor a new token fixes an unknown error.
//! Sources: the official troubleshooting page and the error lists of each API's own page.

use std::{net::IpAddr, time::Duration};

/// What a program can do about an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Get another access token and repeat the call once. Expiry is reported under any of three
    /// codes. Not for the token call itself, where 40001 means a wrong secret.
    RefreshToken,
    /// WeChat is busy: repeat a few times after 1, 2 and 4 seconds.
    RetryWithBackoff,
    /// Repeat no sooner than after this time.
    RetryLater {
        /// How long to leave WeChat alone.
        after: Duration,
    },
    /// Nothing that a program does helps; [`operator_hint`] says what a person can do.
    TellOperator,
    /// The call is refused for good: a person's own doing, or a bug of the caller's.
    None,
}

/// Classifies an error code.
pub fn remedy(code: i64) -> Remedy {
    match code {
        40001 | 40014 | 42001 => Remedy::RefreshToken,
        -1 | 268_487_001 | 268_487_002 => Remedy::RetryWithBackoff,
        45011 | 89501 | 89503 => later(60),
        // When the daily quota starts anew isn't documented, so ask once an hour.
        45009 | 89507 => later(60 * 60),
        89506 => later(24 * 60 * 60),
        _ if operator_hint(code).is_some() => Remedy::TellOperator,
        _ => Remedy::None,
    }
}

/// One line in English for the operator: what is wrong and where to fix it. `None` for codes that
/// no operator can do anything about.
pub fn operator_hint(code: i64) -> Option<&'static str> {
    Some(match code {
        10003 => "the site's host is not in the account's web authorisation domains (网页授权域名)",
        10005 => "the account may not use this web authorisation scope; only certified ones may",
        40001 => {
            "another program replaces this account's token: let all use stable_token; when getting \
             a token, the AppSecret is wrong"
        }
        40013 => "the AppID is wrong; its case matters",
        40125 => "the AppSecret is wrong or was reset; take the current one from the console",
        40164 | 45035 | 61004 => {
            "this server's IP address is not on the account's IP whitelist; errmsg names the address \
             to add, which takes effect after 5 to 10 minutes"
        }
        41002 | 41004 => "AppID or AppSecret arrived empty; check the settings and proxies",
        40243 => "the AppSecret is frozen; unfreeze it in the console, which takes 10 minutes",
        45009 => "the daily quota of this API is used up; clear_quota resets it, ten times a month",
        45011 => {
            "too many calls of this API in a minute; other programs of the account count as well"
        }
        45029 => "all 100000 permanent codes are used up; use temporary ones",
        45103 => "WeChat does not offer this API to this kind of account",
        48001 => {
            "the account may not call this API: creating QR codes with parameters requires a certified \
             service account (认证服务号)"
        }
        48004 => "WeChat has banned the account from this API; the console says why",
        48006 => "clear_quota was used ten times this month; wait for the next one",
        50002 | 50007 => "the account is restricted or frozen; the console says why",
        50004 => "WeChat forbids the account to get tokens; the console says why",
        61007 => "the third-party platform lacks the permission set for this API",
        89501 => "an administrator still has to confirm an earlier call from this IP address",
        89503 => {
            "an administrator must confirm this server's IP address in WeChat, or add it to the \
             account's IP whitelist"
        }
        89506 => {
            "an administrator refused this server's IP address twice; it is blocked for 24 hours"
        }
        89507 => "an administrator refused this server's IP address; it is blocked for an hour",
        _ => return None,
    })
}

/// The address that WeChat asks to put into the account's IP whitelist (IP白名单), from the `errmsg`
/// of 40164: `invalid ip 118.190.42.90 ipv6 ::ffff:118.190.42.90, not in whitelist`.
pub fn address_to_whitelist(errmsg: &str) -> Option<IpAddr> {
    let words =
        errmsg.split(|separator: char| separator.is_whitespace() || ",;=()".contains(separator));
    let mut addresses = words.filter_map(|word| word.parse::<IpAddr>().ok());
    addresses.next().map(|address| address.to_canonical())
}

const fn later(seconds: u64) -> Remedy {
    Remedy::RetryLater {
        after: Duration::from_secs(seconds),
    }
}
