//! The settings that a gateway, a site and the simulator need at least to find each other, and the
//! lines that say that they serve.

use std::{collections::BTreeMap, net::SocketAddr};

use crate::account;

/// Names and values of environment variables.
pub type Environment = BTreeMap<String, String>;

/// The beginning of a gateway's line; `public=URL internal=URL` follow.
pub const GATEWAY_READY: &str = "wechat-gateway ready ";
/// The beginning of a site's line; `public=URL internal=URL` follow.
pub const SITE_READY: &str = "site ready ";
/// The beginning of the simulator's line; its URL follows.
pub const SIMULATOR_READY: &str = "wechat-simulator ready ";

/// A gateway that listens there. It lacks the account and WeChat.
pub fn gateway(public: SocketAddr, internal: SocketAddr, redis_url: &str) -> Environment {
    environment([
        ("GATEWAY__PUBLIC__BIND", &public.to_string()),
        ("GATEWAY__INTERNAL__BIND", &internal.to_string()),
        ("GATEWAY__INTERNAL__API_KEY", account::API_KEY),
        ("GATEWAY__REDIS__URL", redis_url),
    ])
}

/// A gateway's settings of WeChat: the simulator at this URL is all of it.
pub fn wechat_at(url: &str) -> Environment {
    environment([
        ("GATEWAY__WECHAT__API_URL", url),
        ("GATEWAY__WECHAT__MP_URL", url),
        ("GATEWAY__WECHAT__OPEN_URL", url),
    ])
}

/// A site that listens there and asks this gateway.
pub fn site(
    [public, internal]: [SocketAddr; 2],
    public_url: &str,
    redis_url: &str,
    gateway_url: &str,
) -> Environment {
    environment([
        ("SITE__PUBLIC__BIND", &public.to_string()),
        ("SITE__PUBLIC__URL", public_url),
        ("SITE__INTERNAL__BIND", &internal.to_string()),
        ("SITE__REDIS__URL", redis_url),
        ("SITE__GATEWAY__URL", gateway_url),
        ("SITE__GATEWAY__API_KEY", account::API_KEY),
    ])
}

/// A simulator that listens there. It lacks the account.
pub fn simulator(public: SocketAddr) -> Environment {
    environment([("SIMULATOR__PUBLIC__BIND", &public.to_string())])
}

/// The made-up account, as a process whose settings begin with `GATEWAY` or `SIMULATOR` is told of
/// it. Without an `EncodingAESKey` its pushes are plain.
pub fn account(prefix: &str, encrypted: bool) -> Environment {
    let mut credentials = vec![
        ("APP_ID", account::APP_ID),
        ("APP_SECRET", account::APP_SECRET),
        ("TOKEN", account::TOKEN),
    ];
    if encrypted {
        credentials.push(("ENCODING_AES_KEY", account::ENCODING_AES_KEY));
    }
    let named = |(key, value): (&str, &str)| (format!("{prefix}__WECHAT__{key}"), value.to_owned());
    credentials.into_iter().map(named).collect()
}

/// These variables.
pub fn environment<const COUNT: usize>(pairs: [(&str, &str); COUNT]) -> Environment {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}
