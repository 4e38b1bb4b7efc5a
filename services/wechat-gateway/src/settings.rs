//! The gateway's settings.

use std::net::SocketAddr;

use login_protocol::identity::AppId;
use secrecy::SecretString;
use service_kit::{
    client_address::TrustedProxies,
    redis::REDIS_URL,
    settings::{AnyKey, Default, Key},
    settings_parse as parse,
    telemetry::{LOG_FORMAT, LOG_LEVEL},
};
use url::Url;
use wechat_wire::{message_crypto::EncodingAesKey, signature::CallbackToken};

/// Every setting, in the order in which `--help` lists them.
pub static KEYS: [&dyn AnyKey; 16] = [
    &APP_ID,
    &APP_SECRET,
    &TOKEN,
    &ENCODING_AES_KEY,
    &ACCEPT_PLAINTEXT,
    &API_KEY,
    &REDIS_URL,
    &PUBLIC_BIND,
    &PUBLIC_URL,
    &TRUSTED_PROXIES,
    &INTERNAL_BIND,
    &API_URL,
    &MP_URL,
    &OPEN_URL,
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
