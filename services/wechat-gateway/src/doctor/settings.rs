//! What the settings alone show: that they can be used, and what could be better.

use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{
    client_address::TrustedProxies,
    guessable::{self, Reach},
    settings::{InvalidSettings, declarations},
    settings_parse::API_KEY_CHARACTERS,
};
use url::{Host, Url};
use wechat_wire::message_crypto::EncodingAesKey;

use super::{
    failures::CONSOLE,
    report::{Check, Status},
};
use crate::settings::{Credentials, GatewaySettings, PREFIX, WECHAT_SERVER_TOKEN};

const NAME: &str = "settings";

/// What an owner does about a secret that can be guessed, in WeChat's console first.
const GENERATE: &str = "Generate another one (随机生成) in";

/// How long a Token should be. WeChat's console takes 3 to 32 letters and digits.
const TOKEN_CHARACTERS: usize = 16;

/// Everything that keeps the settings from being used, one check each.
pub(super) fn unusable(error: &InvalidSettings) -> Vec<Check> {
    let text = error.to_string();
    // The first line only says that something is wrong, if others follow.
    let listed: Vec<&str> = text.lines().skip(1).collect();
    let complaints = if listed.is_empty() {
        vec![text.as_str()]
    } else {
        listed
    };
    let fail = |complaint: &str| {
        Check::fail(
            NAME,
            complaint.trim(),
            "Correct it in the environment or in the --config file",
        )
    };
    complaints.into_iter().map(fail).collect()
}

/// What could be better about the installation.
pub(super) fn hints(settings: &GatewaySettings) -> Vec<Check> {
    let count = declarations::<GatewaySettings>(PREFIX).len();
    let mut hints = vec![
        Check::ok(NAME, format!("all {count} are read")),
        public_url(settings.public.url.as_ref()),
    ];
    hints.extend(protection(settings));
    hints.extend(disregarded_proxy(settings));
    hints
}

/// What an operator has to know although the gateway starts.
pub(crate) fn warn_at_start(settings: &GatewaySettings) {
    let mut checks = protection(settings);
    checks.extend(disregarded_proxy(settings));
    let public_url = settings.public.url.as_ref();
    for (name, account) in settings.accounts.iter() {
        let found = of_account(&account.credentials, public_url).into_iter();
        checks.extend(found.map(|check| check.of(&name)));
    }
    for check in checks.iter().filter(|check| check.status == Status::Warn) {
        let action = check.action.as_deref().unwrap_or_default();
        let account = check.account.as_deref();
        tracing::warn!(check = check.name, account, "{} → {action}", check.detail);
    }
}

/// What keeps strangers from forging an account's pushes.
pub(super) fn of_account(credentials: &Credentials, public_url: Option<&Url>) -> Vec<Check> {
    let reach = Reach::of(public_url);
    vec![
        encryption(
            credentials.encoding_aes_key.as_ref(),
            credentials.accept_plaintext,
            reach,
        ),
        token(credentials.token.expose_secret(), reach),
    ]
}

/// What keeps strangers from using the internal API, and from pushing.
fn protection(settings: &GatewaySettings) -> Vec<Check> {
    let reach = Reach::of(settings.public.url.as_ref());
    let mut checks = vec![api_key(&settings.internal.api_key, reach)];
    if let Some(compat) = &settings.compat {
        checks.push(compat_token(&compat.token, reach));
    }
    if settings.wechat.check_callback_ip {
        checks.push(senders(&settings.public.trusted_proxies));
    }
    checks
}

/// The variables by which most programs choose a proxy, also in lower case.
const PROXY_VARIABLES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/// For operators who can reach WeChat only through a proxy and configured it as for other programs.
fn disregarded_proxy(settings: &GatewaySettings) -> Option<Check> {
    if settings.wechat.proxy.is_some() {
        return None;
    }
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let named = PROXY_VARIABLES
        .into_iter()
        .find(|name| is_set(name) || is_set(&name.to_ascii_lowercase()));
    named.map(|name| {
        Check::warn(
            "proxy",
            format!("{name} is set, but the gateway ignores it"),
            "Set GATEWAY__WECHAT__PROXY_URL if WeChat can be reached through that proxy only",
        )
    })
}

fn encryption(key: Option<&EncodingAesKey>, accept_plaintext: bool, reach: Reach) -> Check {
    const NAME: &str = "push_encryption";
    let Some(key) = key else {
        return Check::warn(
            NAME,
            "no EncodingAESKey is set: pushes come in plain mode (明文模式), whose content is not signed",
            format!(
                "Choose safe mode (安全模式) in {CONSOLE} and set GATEWAY__WECHAT__ENCODING_AES_KEY \
                 (消息加解密密钥); a test account (接口测试号) has plain mode only"
            ),
        );
    };
    let is_published = guessable::PUBLISHED
        .iter()
        .any(|text| EncodingAesKey::parse(text).is_ok_and(|published| published == *key));
    if reach == Reach::Others && is_published {
        return Check::warn(
            NAME,
            "wechat.encoding_aes_key is not secret: it is public: the demonstration uses it",
            format!(
                "{GENERATE} {CONSOLE} and set GATEWAY__WECHAT__ENCODING_AES_KEY (消息加解密密钥)"
            ),
        );
    }
    if accept_plaintext {
        Check::warn(
            NAME,
            "an EncodingAESKey is set, but plain pushes are accepted as well",
            "Once the console says safe mode (安全模式), remove GATEWAY__WECHAT__ACCEPT_PLAINTEXT",
        )
    } else {
        Check::ok(NAME, "pushes must be encrypted")
    }
}

fn token(token: &str, reach: Reach) -> Check {
    const NAME: &str = "token";
    match guessable::judge(token, TOKEN_CHARACTERS, reach) {
        Some(why) => Check::warn(
            NAME,
            format!("wechat.token is a weak secret: {why}; whoever knows it can forge pushes"),
            format!(
                "{GENERATE} {CONSOLE}, {TOKEN_CHARACTERS} to 32 letters and digits, and set \
                 GATEWAY__WECHAT__TOKEN (令牌)"
            ),
        ),
        None => Check::ok(NAME, format!("{} characters", token.chars().count())),
    }
}

fn compat_token(token: &SecretString, reach: Reach) -> Check {
    const NAME: &str = "compat_token";
    let token = token.expose_secret();
    match guessable::judge(token, TOKEN_CHARACTERS, reach) {
        Some(why) => Check::warn(
            NAME,
            format!(
                "{} is a weak secret: {why}; whoever knows it gets access tokens",
                WECHAT_SERVER_TOKEN.name
            ),
            format!(
                "Set GATEWAY__COMPAT__WECHAT_SERVER_TOKEN, and the same in the software that calls, to \
                 {TOKEN_CHARACTERS} random characters or more (`openssl rand -hex 16`)"
            ),
        ),
        None => Check::ok(NAME, format!("{} characters", token.chars().count())),
    }
}

fn senders(proxies: &TrustedProxies) -> Check {
    const NAME: &str = "callback_ip";
    if proxies.is_empty() {
        Check::warn(
            NAME,
            "wechat.check_callback_ip is on and no reverse proxy is named: behind one, every push seems to come from \
             the proxy and gets 403, although the console's verification passes",
            "Add your reverse proxy to GATEWAY__PUBLIC__TRUSTED_PROXIES; without one, nothing is to be done",
        )
    } else {
        Check::ok(
            NAME,
            "pushes must come from WeChat's addresses, of which the named proxies tell",
        )
    }
}

fn public_url(url: Option<&Url>) -> Check {
    const NAME: &str = "public_url";
    let Some(url) = url else {
        return Check::warn(
            NAME,
            "public.url isn't set: replies hold no links, so nickname and avatar can't be shown",
            "Set GATEWAY__PUBLIC__URL to the https address under which WeChat and phones reach the gateway",
        );
    };
    let mut wrong = Vec::new();
    if !matches!(url.host(), Some(Host::Domain(name)) if name.contains('.')) {
        wrong.push("its host is no public domain name, which web authorisation (网页授权) needs");
    }
    if url.scheme() != "https" {
        wrong.push("it is http, so others can read and change what phones open");
    }
    // A scheme's own port isn't kept.
    if url.port().is_some_and(|port| port != 80 && port != 443) {
        wrong.push("WeChat pushes to ports 80 and 443 only");
    }
    if wrong.is_empty() {
        Check::ok(NAME, url.to_string())
    } else {
        Check::warn(
            NAME,
            format!("{url}: {}", wrong.join("; ")),
            "Set GATEWAY__PUBLIC__URL to an address such as https://wechat.example.com, with a certificate, filed in \
             mainland China (ICP备案)",
        )
    }
}

fn api_key(key: &SecretString, reach: Reach) -> Check {
    const NAME: &str = "api_key";
    let key = key.expose_secret();
    match guessable::judge(key, API_KEY_CHARACTERS, reach) {
        Some(why) => Check::warn(
            NAME,
            format!("internal.api_key is a weak secret: {why}"),
            "Set GATEWAY__INTERNAL__API_KEY, and the site's SITE__GATEWAY__API_KEY, to the output of openssl rand -hex 32",
        ),
        None => Check::ok(NAME, format!("{} characters", key.chars().count())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Status;

    #[test]
    fn the_mode_of_pushes_is_judged() {
        let key = |text| EncodingAesKey::parse(text).unwrap();
        let own = key("Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OWFiY2RlZmdoaWo");
        let demonstration = key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG");
        let judge = |key, plaintext, reach| encryption(key, plaintext, reach).status;
        assert_eq!(judge(Some(&own), false, Reach::Others), Status::Ok);
        assert_eq!(judge(Some(&own), false, Reach::Loopback), Status::Ok);
        assert_eq!(judge(Some(&own), true, Reach::Others), Status::Warn);
        assert_eq!(judge(None, true, Reach::Others), Status::Warn);
        assert_eq!(judge(None, true, Reach::Loopback), Status::Warn);
        assert_eq!(
            judge(Some(&demonstration), false, Reach::Others),
            Status::Warn
        );
        assert_eq!(
            judge(Some(&demonstration), false, Reach::Loopback),
            Status::Ok
        );
    }

    #[test]
    fn a_short_or_published_token_is_named_but_not_shown() {
        assert_eq!(token("wqTf7Yp0LmXc3Rv9", Reach::Others).status, Status::Ok);
        assert_eq!(token("demonstration", Reach::Loopback).status, Status::Ok);
        let published = token("demonstration", Reach::Others);
        assert_eq!(published.status, Status::Warn);
        let short = token("qTf7Yp0Lm", Reach::Others);
        assert_eq!(short.status, Status::Warn);
        assert!(!short.detail.contains("qTf7Yp0Lm"), "{}", short.detail);
    }

    #[test]
    fn the_public_address_is_judged() {
        let judge = |text: &str| public_url(Some(&Url::parse(text).unwrap()));
        assert_eq!(judge("https://wechat.example.com/login").status, Status::Ok);
        for (address, words) in [
            ("http://wechat.example.com", "it is http"),
            ("https://wechat.example.com:8443", "ports 80 and 443"),
            ("https://192.0.2.1", "no public domain name"),
            ("https://localhost", "no public domain name"),
        ] {
            let check = judge(address);
            assert_eq!(check.status, Status::Warn);
            assert!(check.detail.contains(words), "{}", check.detail);
        }
        assert_eq!(public_url(None).status, Status::Warn);
    }

    #[test]
    fn a_key_that_can_be_guessed_is_named_but_not_shown() {
        let judge = |text: &str| api_key(&SecretString::from(text), Reach::Others);
        let good = "6f1c0e8a9d2b47530c5e1f7a8b9d2c4e6f1c0e8a9d2b47530c5e1f7a8b9d2c4e";
        assert_eq!(judge(good).status, Status::Ok);
        for key in [
            crate::settings::API_KEY.example,
            "12341234123412341234123412341234",
        ] {
            let check = judge(key);
            assert_eq!(check.status, Status::Warn);
            assert!(!check.detail.contains(key), "{}", check.detail);
        }
    }
}
