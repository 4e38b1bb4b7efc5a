//! The gateway's settings.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::{
    push::{
        relay::{self, OnFailure},
        template::Template,
    },
    wechat::token_refresh::TokenMode,
};
use login_protocol::{attempt::Approval, identity::AppId};
use secrecy::SecretString;
use service_kit::{
    client_address::TrustedProxies,
    http_client::Proxy,
    redis::REDIS_URL,
    settings::{AnyKey, Default, Key},
    settings_parse as parse,
    telemetry::{LOG_FORMAT, LOG_LEVEL},
};
use url::Url;
use wechat_wire::{message_crypto::EncodingAesKey, signature::CallbackToken};

/// Every setting, in the order in which `--help` lists them.
pub static KEYS: [&dyn AnyKey; 37] = [
    &APP_ID,
    &APP_SECRET,
    &TOKEN,
    &ENCODING_AES_KEY,
    &ACCEPT_PLAINTEXT,
    &CHECK_CALLBACK_IP,
    &API_KEY,
    &REDIS_URL,
    &PUBLIC_BIND,
    &PUBLIC_URL,
    &TRUSTED_PROXIES,
    &INTERNAL_BIND,
    &API_URL,
    &MP_URL,
    &OPEN_URL,
    &PROXY_URL,
    &TOKEN_MODE,
    &APPROVAL,
    &QR_CODES_PER_DAY,
    &PROFILE_ASK,
    &PROFILE_MAX_AGE_SECONDS,
    &PROFILE_ASK_AGAIN_SECONDS,
    &RELAY_URL,
    &RELAY_ON_FAILURE,
    &RELAY_COPY_LOGINS,
    &REPLY_SITE_NAME,
    &REPLY_NEW_FOLLOWER,
    &REPLY_RETURNING,
    &REPLY_TAKEN,
    &REPLY_EXPIRED,
    &REPLY_ASK_PROFILE,
    &REPLY_CONFIRM,
    &REPLY_WELCOME,
    &REPLY_KEYWORDS,
    &VERIFICATION_FILES,
    &LOG_FORMAT,
    &LOG_LEVEL,
];

/// The account's AppID.
pub static APP_ID: Key<AppId> = Key {
    name: "wechat.app_id",
    default: Default::Required,
    example: "wx0123456789abcdef",
    meaning: "The Official Account's AppID, as WeChat's console shows it.",
    secret: false,
    parse: |value| AppId::parse(value).map_err(|error| format!("is no AppID: {error}")),
};

/// The account's AppSecret.
pub static APP_SECRET: Key<SecretString> = Key {
    name: "wechat.app_secret",
    default: Default::Required,
    example: "0123456789abcdef0123456789abcdef",
    meaning: "The Official Account's AppSecret, as WeChat's console shows it once.",
    secret: true,
    parse: parse::secret,
};

/// The key of the push signatures.
pub static TOKEN: Key<CallbackToken> = Key {
    name: "wechat.token",
    default: Default::Required,
    example: "a1B2c3D4e5F6g7H8",
    meaning: "The Token (令牌) entered in WeChat's console beside the callback address.",
    secret: true,
    parse: |value| CallbackToken::parse(value).map_err(|error| format!("can't be used: {error}")),
};

/// The key of safe and compatible mode.
pub static ENCODING_AES_KEY: Key<EncodingAesKey> = Key {
    name: "wechat.encoding_aes_key",
    default: Default::Unset,
    example: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    meaning: "The EncodingAESKey (消息加解密密钥), 43 characters. When it is set, pushes must be encrypted.",
    secret: true,
    parse: |value| EncodingAesKey::parse(value).map_err(|error| format!("can't be used: {error}")),
};

/// Whether pushes in plain mode are accepted.
pub static ACCEPT_PLAINTEXT: Key<bool> = Key {
    name: "wechat.accept_plaintext",
    default: Default::Unset,
    example: "true",
    meaning: "Whether pushes in plain mode are accepted: true without an EncodingAESKey, else false. \
              Set it to true beside a key only while an account is being switched over.",
    secret: false,
    parse: parse::boolean,
};

/// Whether pushes are accepted from WeChat's addresses only.
pub static CHECK_CALLBACK_IP: Key<bool> = Key {
    name: "wechat.check_callback_ip",
    default: Default::Text("false"),
    example: "true",
    meaning: "Whether pushes are accepted from WeChat's own addresses only (getcallbackip, fetched daily), \
              beside their signature. Behind a reverse proxy, public.trusted_proxies must name it.",
    secret: false,
    parse: parse::boolean,
};

/// The internal API's bearer key.
pub static API_KEY: Key<SecretString> = Key {
    name: "internal.api_key",
    default: Default::Required,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "The bearer key of the internal API, shared with the site; at least 32 characters.",
    secret: true,
    parse: parse::api_key,
};

/// Where WeChat and phones reach the gateway.
pub static PUBLIC_BIND: Key<SocketAddr> = Key {
    name: "public.bind",
    default: Default::Text("0.0.0.0:8081"),
    example: "0.0.0.0:8081",
    meaning: "Where WeChat and phones reach the gateway, as address:port.",
    secret: false,
    parse: parse::socket_address,
};

/// The public listener's address as others see it.
pub static PUBLIC_URL: Key<Url> = Key {
    name: "public.url",
    default: Default::Unset,
    example: "https://wechat.example.com",
    meaning: "The address under which WeChat and phones reach the public listener.",
    secret: false,
    parse: parse::http_url,
};

/// Who may speak for a client.
pub static TRUSTED_PROXIES: Key<TrustedProxies> = Key {
    name: "public.trusted_proxies",
    default: Default::Text(""),
    example: "127.0.0.1, 10.0.0.0/8",
    meaning: "Networks, separated by commas, whose X-Forwarded-For is believed: your reverse proxies.",
    secret: false,
    parse: |value| parse::networks(value).map(TrustedProxies::new),
};

/// Where the site, other backends and operators reach the gateway.
pub static INTERNAL_BIND: Key<SocketAddr> = Key {
    name: "internal.bind",
    default: Default::Text("127.0.0.1:9081"),
    example: "127.0.0.1:9081",
    meaning: "Where the site, other backends, health checks and metrics reach the gateway. Never public.",
    secret: false,
    parse: parse::socket_address,
};

/// WeChat's server API.
pub static API_URL: Key<Url> = Key {
    name: "wechat.api_url",
    default: Default::Text("https://api.weixin.qq.com"),
    example: "https://api.weixin.qq.com",
    meaning: "WeChat's server API.",
    secret: false,
    parse: parse::http_url,
};

/// The host of showqrcode.
pub static MP_URL: Key<Url> = Key {
    name: "wechat.mp_url",
    default: Default::Text("https://mp.weixin.qq.com"),
    example: "https://mp.weixin.qq.com",
    meaning: "Where WeChat draws its own picture of a QR code (showqrcode).",
    secret: false,
    parse: parse::http_url,
};

/// The host of web authorisation.
pub static OPEN_URL: Key<Url> = Key {
    name: "wechat.open_url",
    default: Default::Text("https://open.weixin.qq.com"),
    example: "https://open.weixin.qq.com",
    meaning: "Where a phone is sent for web authorisation.",
    secret: false,
    parse: parse::http_url,
};

/// The way to WeChat.
pub static PROXY_URL: Key<Proxy> = Key {
    name: "wechat.proxy_url",
    default: Default::Unset,
    example: "http://user:password@proxy.example.com:3128",
    meaning: "The HTTP proxy through which WeChat's API is called, and nothing else. HTTP_PROXY, ALL_PROXY and \
              the like are not obeyed.",
    secret: true,
    parse: Proxy::parse,
};

/// Where access tokens come from.
pub static TOKEN_MODE: Key<TokenMode> = Key {
    name: "wechat.token_mode",
    default: Default::Text("stable"),
    example: "legacy",
    meaning: "Where access tokens come from: stable (stable_token, the same token for all who ask) or legacy \
              (/cgi-bin/token, where each call ends the token before it within five minutes).",
    secret: false,
    parse: |value| match value {
        "stable" => Ok(TokenMode::Stable),
        "legacy" => Ok(TokenMode::Legacy),
        other => Err(format!("must be stable or legacy, not {other:?}")),
    },
};

/// What makes a scan a login.
pub static APPROVAL: Key<Approval> = Key {
    name: "login.approval",
    default: Default::Text("scan"),
    example: "tap",
    meaning: "scan: the scan logs in; tap: the phone must also press a confirm button, on a page that web \
              authorisation (网页授权) opens. tap needs public.url.",
    secret: false,
    parse: |value| match value {
        "scan" => Ok(Approval::Scan),
        "tap" => Ok(Approval::Tap),
        other => Err(format!("must be scan or tap, not {other:?}")),
    },
};

/// How many codes the gateways create in a day.
pub static QR_CODES_PER_DAY: Key<u32> = Key {
    name: "limits.qr_codes_per_day",
    default: Default::Text("90000"),
    example: "9000",
    meaning: "How many QR codes all gateways together create in a day (China's), 0: no limit. WeChat allows a \
              new account 100000 and a test account 10000; the rest is for whoever else creates codes. Clients who \
              begin many logins and complete few leave a reserve to the others.",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// Whether the reply asks for nickname and avatar.
pub static PROFILE_ASK: Key<bool> = Key {
    name: "profile.ask",
    default: Default::Text("true"),
    example: "false",
    meaning: "Whether the reply to a scan holds a link on which the person can show nickname and avatar \
              (网页授权), once. Needs public.url, and its host among the account's 网页授权域名.",
    secret: false,
    parse: parse::boolean,
};

/// How long a profile is taken for current.
pub static PROFILE_MAX_AGE_SECONDS: Key<u32> = Key {
    name: "profile.max_age_seconds",
    default: Default::Text("86400"),
    example: "86400",
    meaning: "How old what user/info told may be before the next scan asks again, in seconds.",
    secret: false,
    parse: parse::integer_from::<1>,
};

/// How long a profile that its person showed is taken for current.
pub static PROFILE_ASK_AGAIN_SECONDS: Key<u32> = Key {
    name: "profile.ask_again_seconds",
    default: Default::Text("7776000"),
    example: "2592000",
    meaning: "How old a nickname and avatar that their person showed may be before a reply asks for them \
              again, in seconds: an avatar's address dies when the avatar changes.",
    secret: false,
    parse: parse::integer_from::<1>,
};

/// The owner's own backend.
pub static RELAY_URL: Key<Url> = Key {
    name: "relay.url",
    default: Default::Unset,
    example: "https://backend.example.com/wechat",
    meaning: "Your own backend: every push that isn't one of our logins goes there unchanged, and its \
              answer goes back to WeChat. It may have a query, and a name and password.",
    // Its query or its password may be a key.
    secret: true,
    parse: relay::address,
};

/// What WeChat is told when that backend fails.
pub static RELAY_ON_FAILURE: Key<OnFailure> = Key {
    name: "relay.on_failure",
    default: Default::Text("acknowledge"),
    example: "retry",
    meaning: "When that backend fails: acknowledge tells WeChat success and the push is lost to it; retry \
              makes WeChat push again, and may end in a fault notice to the person.",
    secret: false,
    parse: |value| match value {
        "acknowledge" => Ok(OnFailure::Acknowledge),
        "retry" => Ok(OnFailure::Retry),
        other => Err(format!("must be acknowledge or retry, not {other:?}")),
    },
};

/// Whether that backend hears of logins as well.
pub static RELAY_COPY_LOGINS: Key<bool> = Key {
    name: "relay.copy_logins",
    default: Default::Text("false"),
    example: "true",
    meaning: "Whether that backend gets a copy of the pushes that are logins; its answer to them is ignored.",
    secret: false,
    parse: parse::boolean,
};

/// The site's name.
pub static REPLY_SITE_NAME: Key<String> = Key {
    name: "reply.site_name",
    default: Default::Text("网站"),
    example: "小林花店",
    meaning: "The site's name, which {site} stands for in replies.",
    secret: false,
    parse: parse::text,
};

/// The reply to somebody who followed with the scan.
pub static REPLY_NEW_FOLLOWER: Key<Template> = Key {
    name: "reply.new_follower",
    default: Default::Text("感谢关注！您已登录，请回到刚才的网页继续。"),
    example: "感谢关注{site}！您已登录。",
    meaning: "The reply to somebody who followed and is logged in. Placeholders: {site}, {nickname}.",
    secret: false,
    parse: Template::parse,
};

/// The reply to somebody who was following already.
pub static REPLY_RETURNING: Key<Template> = Key {
    name: "reply.returning",
    default: Default::Text("欢迎回来！您已登录，请回到刚才的网页继续。"),
    example: "{nickname}，欢迎回来！您已登录{site}。",
    meaning: "The reply to a follower who is logged in. Placeholders: {site}, {nickname}.",
    secret: false,
    parse: Template::parse,
};

/// The reply to the second person who scans a code.
pub static REPLY_TAKEN: Key<Template> = Key {
    name: "reply.taken",
    default: Default::Text("这个二维码已被别人使用，您没有登录。请在网页上刷新二维码，再扫一次。"),
    example: "这个二维码已被别人使用，请刷新后再扫。",
    meaning: "The reply to somebody who scans a code that another person has used.",
    secret: false,
    parse: Template::parse,
};

/// The reply to a scan of a code that is over.
pub static REPLY_EXPIRED: Key<Template> = Key {
    name: "reply.expired",
    default: Default::Text("这个二维码已失效，您没有登录。请在网页上刷新二维码，再扫一次。"),
    example: "这个二维码已失效，请刷新后再扫。",
    meaning: "The reply to somebody who scans a code that has expired or was cancelled.",
    secret: false,
    parse: Template::parse,
};

/// The link to web authorisation.
pub static REPLY_ASK_PROFILE: Key<Template> = Key {
    name: "reply.ask_profile",
    default: Default::Text("<a href=\"{link}\">点这里，让网页显示您的昵称和头像</a>"),
    example: "<a href=\"{link}\">显示我的昵称和头像</a>",
    meaning: "What follows the reply while nickname and avatar aren't known; must hold {link}.",
    secret: false,
    parse: Template::parse,
};

/// The link to the confirm page.
pub static REPLY_CONFIRM: Key<Template> = Key {
    name: "reply.confirm",
    default: Default::Text(
        "<a href=\"{link}\">点这里，确认登录{site}</a>\n\n如果不是您本人在登录，请不要确认。",
    ),
    example: "<a href=\"{link}\">确认登录{site}</a>",
    meaning: "The reply to a scan with login.approval = tap; must hold {link}.",
    secret: false,
    parse: Template::parse,
};

/// The greeting without a login.
pub static REPLY_WELCOME: Key<Template> = Key {
    name: "reply.welcome",
    default: Default::Unset,
    example: "感谢关注{site}！",
    meaning: "The reply to somebody who follows without a login code. Used while no relay.url is set.",
    secret: false,
    parse: Template::parse,
};

/// The answers to keywords.
pub static REPLY_KEYWORDS: Key<BTreeMap<String, Template>> = Key {
    name: "reply.keywords",
    default: Default::Unset,
    example: r#"{"营业时间": "每天九点到十八点。"}"#,
    meaning: "Answers to text messages, as a JSON object from message to answer. Used while no relay.url is set.",
    secret: false,
    parse: |value| {
        let texts: BTreeMap<String, String> = serde_json::from_str(value)
            .map_err(|error| format!("is no JSON object of texts: {error}"))?;
        let answers = texts
            .into_iter()
            .map(|(keyword, text)| match Template::parse(&text) {
                Ok(template) => Ok((keyword.trim().to_owned(), template)),
                Err(wrong) => Err(format!("the answer to {keyword:?} {wrong}")),
            });
        answers.collect()
    },
};

/// The files that prove a domain to WeChat's console.
pub static VERIFICATION_FILES: Key<BTreeMap<String, String>> = Key {
    name: "public.verification_files",
    default: Default::Unset,
    example: "MP_verify_a1B2c3D4e5F6g7H8.txt",
    meaning: "Names of the MP_verify_….txt files that WeChat's console asks for, separated by commas. The \
              gateway serves each with the content that its name says.",
    secret: false,
    parse: |value| {
        value
            .split(',')
            .map(|name| verification_file(name.trim()))
            .collect()
    },
};

/// The console's files hold the part of their name between `MP_verify_` and `.txt`.
fn verification_file(name: &str) -> Result<(String, String), String> {
    let content = name
        .strip_prefix("MP_verify_")
        .and_then(|rest| rest.strip_suffix(".txt"));
    match content {
        Some(content)
            if !content.is_empty() && content.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            Ok((name.to_owned(), content.to_owned()))
        }
        _ => Err(format!("is no name of the form MP_verify_….txt: {name:?}")),
    }
}
