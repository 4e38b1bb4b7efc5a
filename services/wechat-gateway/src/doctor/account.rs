//! What WeChat lets the account do: get tokens, create login codes, and how often.

use login_protocol::{scene::BrowserSecret, steps::ReadAccessToken};
use service_kit::{random, redis::Store};
use wechat_wire::diagnostics::{CallbackCheck, PingCheck, Quota};

use super::{
    failures::{self, CONSOLE},
    report::Check,
};
use crate::{
    settings::TokenMode,
    wechat::{
        api::{Api, token_text},
        error::WechatError,
    },
};

const TOKEN: &str = "access_token";
const CODES: &str = "qr_codes";
const CALLBACK: &str = "callback_console";

/// The calls that logins need, with the name of each one's check.
const fn quotas(mode: TokenMode) -> [(&'static str, &'static str); 3] {
    [
        ("quota_qrcode_create", "/cgi-bin/qrcode/create"),
        ("quota_user_info", "/cgi-bin/user/info"),
        match mode {
            TokenMode::Stable => ("quota_stable_token", "/cgi-bin/stable_token"),
            TokenMode::Legacy => ("quota_token", "/cgi-bin/token"),
        },
    ]
}

/// The life of the code that is created as a trial, in seconds. Nobody sees it.
const TRIAL_TTL_SECONDS: u32 = 60;

/// Asks WeChat. Getting the current token of `stable_token` changes nothing for the account's other
/// programs, nor for a gateway in legacy mode: the two kinds of tokens are independent. A call to
/// `/cgi-bin/token` would invalidate the gateways' token.
pub(super) async fn check(api: &Api, store: &Store, mode: TokenMode) -> Vec<Check> {
    let quotas = quotas(mode);
    let granted = match api.stable_token(false).await {
        Ok(granted) => granted,
        Err(error) => {
            let diagnosis = failures::of_token(&error);
            let mut checks = vec![Check::fail(TOKEN, diagnosis.detail, diagnosis.action)];
            let others = [CODES].into_iter().chain(quotas.map(|(name, _)| name));
            let others = others.chain([CALLBACK]);
            checks.extend(others.map(|name| Check::skip(name, "needs an access token")));
            return checks;
        }
    };
    let shared = match mode {
        TokenMode::Stable => None,
        TokenMode::Legacy => shared_token(api, store).await,
    };
    let token = shared.as_deref().unwrap_or_else(|| token_text(&granted));
    let [first, second, third] = quotas;
    // First, so that the quotas count it.
    let codes = codes(api, token).await;
    let (first, second, third, callback) = tokio::join!(
        quota(api, token, first),
        quota(api, token, second),
        quota(api, token, third),
        callback(api, token),
    );
    let got = match (mode, &shared) {
        (TokenMode::Stable, _) => match granted.expires_in {
            Some(seconds) => format!("WeChat issued one; it expires in {seconds} s"),
            None => "WeChat issued one without saying when it expires".to_owned(),
        },
        (TokenMode::Legacy, Some(_)) => "WeChat takes the AppSecret; the gateways' own token of /cgi-bin/token is \
                                         used to ask the rest"
            .to_owned(),
        (TokenMode::Legacy, None) => "WeChat takes the AppSecret; no gateway shares a token of /cgi-bin/token yet, so \
                                      one of stable_token, which ends no other, is used to ask the rest"
            .to_owned(),
    };
    vec![Check::ok(TOKEN, got), codes, first, second, third, callback]
}

/// The token that running gateways share.
async fn shared_token(api: &Api, store: &Store) -> Option<String> {
    let app_id = api.app_id().clone();
    let read = store.run(&ReadAccessToken { app_id }).await;
    // That Redis fails is another check's.
    Some(read.ok()??.token)
}

async fn codes(api: &Api, token: &str) -> Check {
    let scene = match random::bytes() {
        Ok(random) => BrowserSecret::from_random(random).scene(),
        Err(error) => return Check::skip(CODES, error.to_string()),
    };
    match api
        .create_qr_code(token, scene.as_str(), TRIAL_TTL_SECONDS)
        .await
    {
        Ok(_) => Check::ok(CODES, "the account may create login codes"),
        Err(error) => {
            let diagnosis = failures::of_call(&error);
            Check::fail(CODES, diagnosis.detail, diagnosis.action)
        }
    }
}

async fn quota(api: &Api, token: &str, (name, path): (&'static str, &str)) -> Check {
    match api.quota(token, path).await {
        Ok(quota) => judge_quota(name, path, quota),
        Err(WechatError::Refused(refused)) => Check::skip(
            name,
            format!(
                "WeChat doesn't report the quota of {path} (errcode {})",
                refused.errcode
            ),
        ),
        Err(error) => {
            let diagnosis = failures::of_call(&error);
            Check::warn(name, diagnosis.detail, diagnosis.action)
        }
    }
}

fn judge_quota(name: &'static str, path: &str, quota: Quota) -> Check {
    const CLEAR: &str = "Clear the quota (清零) in WeChat's console, ten times a month, or wait until midnight \
                         in China; find out which program calls so often";
    let Quota {
        daily_limit,
        remain,
        ..
    } = quota;
    let left = format!("{path}: {remain} of {daily_limit} calls left today");
    if daily_limit <= 0 {
        Check::skip(name, format!("WeChat reports no limit for {path}"))
    } else if remain <= 0 {
        Check::fail(name, left, CLEAR)
    } else if remain.saturating_mul(10) < daily_limit {
        Check::warn(name, left, CLEAR)
    } else {
        Check::ok(name, left)
    }
}

async fn callback(api: &Api, token: &str) -> Check {
    match api.check_callback(token).await {
        Ok(found) => judge_callback(&found),
        Err(WechatError::Refused(refused)) if refused.errcode == 40201 => Check::fail(
            CALLBACK,
            "WeChat answered 40201: no callback URL is saved in the console, so no scan reaches the gateway",
            format!(
                "Enter the gateway's public URL followed by /wechat/callback as 服务器地址(URL), the Token (令牌) and \
                 the EncodingAESKey (消息加解密密钥) in {CONSOLE} under 消息推送 (formerly 服务器配置), and enable it (启用)"
            ),
        ),
        Err(error) => {
            let diagnosis = failures::of_call(&error);
            let detail = format!("WeChat didn't check the callback URL: {}", diagnosis.detail);
            Check::warn(CALLBACK, detail, diagnosis.action)
        }
    }
}

fn judge_callback(found: &CallbackCheck) -> Check {
    let addresses: Vec<&str> = found
        .dns
        .iter()
        .flatten()
        .filter_map(|dns| dns.ip.as_deref())
        .collect();
    if addresses.is_empty() {
        return Check::fail(
            CALLBACK,
            "WeChat can't resolve the host of the callback URL in its console",
            "Make the domain resolve to your server, also from mainland China, and file the domain there (ICP备案)",
        );
    }
    let pings: Vec<&PingCheck> = found.ping.iter().flatten().collect();
    let lost = |ping: &&&PingCheck| ping.loss_percent().is_some_and(|lost| lost > 0.0);
    let troubled: Vec<String> = pings
        .iter()
        .filter(lost)
        .map(|ping| {
            format!(
                "{} from {}",
                ping.ip.as_deref().unwrap_or("an address"),
                ping.from_operator.as_deref().unwrap_or("WeChat")
            )
        })
        .collect();
    let places = addresses.join(", ");
    if troubled.is_empty() {
        Check::ok(
            CALLBACK,
            format!("WeChat resolves it to {places}, without packet loss"),
        )
    } else {
        Check::warn(
            CALLBACK,
            format!(
                "WeChat resolves it to {places}, but pings get lost to {}",
                troubled.join(", ")
            ),
            "Harmless if a firewall drops pings on purpose; otherwise check the route to mainland China, since WeChat \
             waits five seconds for a response",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Status;
    use wechat_wire::diagnostics::DnsCheck;

    #[test]
    fn a_tenth_of_the_quota_is_the_limit() {
        for (remain, daily_limit, expected) in [
            (100_000, 100_000, Status::Ok),
            (10_000, 100_000, Status::Ok),
            (9_999, 100_000, Status::Warn),
            (0, 100_000, Status::Fail),
            (0, 0, Status::Skip),
        ] {
            let quota = Quota {
                daily_limit,
                used: daily_limit - remain,
                remain,
            };
            assert_eq!(
                judge_quota("quota_user_info", "/cgi-bin/user/info", quota).status,
                expected
            );
        }
    }

    #[test]
    fn the_console_s_address_is_judged() {
        let dns = |ip: &str| {
            Some(vec![DnsCheck {
                ip: Some(ip.to_owned()),
                real_operator: None,
            }])
        };
        let ping = |loss: &str| {
            Some(vec![PingCheck {
                ip: Some("192.0.2.1".to_owned()),
                from_operator: Some("UNICOM".to_owned()),
                package_loss: Some(loss.to_owned()),
                time: None,
            }])
        };
        let judge = |dns, ping| judge_callback(&CallbackCheck { dns, ping });
        assert_eq!(judge(None, None).status, Status::Fail);
        assert_eq!(judge(dns("192.0.2.1"), ping("0%")).status, Status::Ok);
        assert_eq!(judge(dns("192.0.2.1"), None).status, Status::Ok);
        let lossy = judge(dns("192.0.2.1"), ping("25%"));
        assert_eq!(lossy.status, Status::Warn);
        assert!(
            lossy.detail.ends_with("192.0.2.1 from UNICOM"),
            "{}",
            lossy.detail
        );
    }
}
