//! The site's settings.

use std::net::SocketAddr;

use secrecy::SecretString;
use service_kit::{
    client_address::TrustedProxies,
    redis::REDIS_URL,
    settings::{AnyKey, Default, Key},
    settings_parse as parse,
    telemetry::{LOG_FORMAT, LOG_LEVEL},
};
use url::Url;

use crate::allowed_origins::AllowedOrigins;

/// Every setting, in the order in which `--help` lists them.
pub static KEYS: [&dyn AnyKey; 17] = [
    &PUBLIC_URL,
    &PUBLIC_BIND,
    &TRUSTED_PROXIES,
    &ALLOWED_ORIGINS,
    &INTERNAL_BIND,
    &REDIS_URL,
    &GATEWAY_URL,
    &GATEWAY_API_KEY,
    &LOGIN_TTL_SECONDS,
    &SESSION_TTL_SECONDS,
    &SESSION_IDLE_SECONDS,
    &LOGINS_PER_MINUTE,
    &WAITING_PER_CLIENT,
    &WAITING,
    &WEB_AUTHORIZATIONS,
    &LOG_FORMAT,
    &LOG_LEVEL,
];

/// The site's own address, as browsers see it.
pub static PUBLIC_URL: Key<Url> = Key {
    name: "public.url",
    default: Default::Required,
    example: "https://www.example.com",
    meaning: "The address that browsers see. Under https the cookies are Secure and __Host-.",
    secret: false,
    parse: parse::http_url,
};

/// Where browsers reach the site.
pub static PUBLIC_BIND: Key<SocketAddr> = Key {
    name: "public.bind",
    default: Default::Text("0.0.0.0:8080"),
    example: "0.0.0.0:8080",
    meaning: "Where browsers reach the site, as address:port.",
    secret: false,
    parse: parse::socket_address,
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

/// Whose pages may use the login beside the site's own.
pub static ALLOWED_ORIGINS: Key<AllowedOrigins> = Key {
    name: "public.allowed_origins",
    default: Default::Text(""),
    example: "https://www.example.com",
    meaning: "Origins, separated by commas, whose pages may embed the login; of the same site as public.url.",
    secret: false,
    parse: AllowedOrigins::parse,
};

/// Where operators reach the site.
pub static INTERNAL_BIND: Key<SocketAddr> = Key {
    name: "internal.bind",
    default: Default::Text("127.0.0.1:9080"),
    example: "127.0.0.1:9080",
    meaning: "Where health checks and metrics are answered. Never public.",
    secret: false,
    parse: parse::socket_address,
};

/// The gateway's internal listener.
pub static GATEWAY_URL: Key<Url> = Key {
    name: "gateway.url",
    default: Default::Text("http://127.0.0.1:9081"),
    example: "http://127.0.0.1:9081",
    meaning: "Where the site reaches the gateway's internal listener.",
    secret: false,
    parse: parse::http_url,
};

/// The gateway's bearer key.
pub static GATEWAY_API_KEY: Key<SecretString> = Key {
    name: "gateway.api_key",
    default: Default::Required,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "The bearer key of the gateway's internal API: the gateway's internal.api_key.",
    secret: true,
    parse: parse::api_key,
};

/// How long an attempt lives.
pub static LOGIN_TTL_SECONDS: Key<u32> = Key {
    name: "login.ttl_seconds",
    default: Default::Text("300"),
    example: "300",
    meaning: "How long a login attempt and its QR code live, in seconds.",
    secret: false,
    parse: |value| match parse::integer_from::<1>(value)? {
        seconds @ 1..=86_400 => Ok(seconds),
        seconds => Err(format!("must be at most 86400, a day, not {seconds}")),
    },
};

/// How long a session lives.
pub static SESSION_TTL_SECONDS: Key<u32> = Key {
    name: "session.ttl_seconds",
    default: Default::Text("604800"),
    example: "604800",
    meaning: "How long a visitor stays signed in, in seconds; 604800 is a week.",
    secret: false,
    parse: parse::integer_from::<60>,
};

/// How long a session lives without use.
pub static SESSION_IDLE_SECONDS: Key<u32> = Key {
    name: "session.idle_seconds",
    default: Default::Text("259200"),
    example: "259200",
    meaning: "How long a session lives without being used, in seconds; 259200 is three days.",
    secret: false,
    parse: parse::integer_from::<60>,
};

/// How many logins a client may start.
pub static LOGINS_PER_MINUTE: Key<u32> = Key {
    name: "limits.logins_per_minute",
    default: Default::Text("30"),
    example: "30",
    meaning: "How many logins one client address may start in a minute; ten times as many in an hour and forty times \
              in a day, less two for each that is completed. 0: no limit.",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// How many streams a client may hold open.
pub static WAITING_PER_CLIENT: Key<u32> = Key {
    name: "limits.waiting_per_client",
    default: Default::Text("20"),
    example: "20",
    meaning: "How many event streams one client address may hold open; 0: no limit.",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// How many streams the process holds open.
pub static WAITING: Key<u32> = Key {
    name: "limits.waiting",
    default: Default::Text("100000"),
    example: "100000",
    meaning: "How many event streams the process holds open; 0: no limit.",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// How many attempts without a code the process begins.
pub static WEB_AUTHORIZATIONS: Key<u32> = Key {
    name: "limits.web_authorizations",
    default: Default::Text("100000"),
    example: "100000",
    meaning: "How many logins inside WeChat the process begins while one lives; each takes 300 bytes of Redis. 0: no \
              limit.",
    secret: false,
    parse: parse::integer_from::<0>,
};
