//! The two listeners.

use std::{collections::BTreeMap, net::SocketAddr};

use secrecy::SecretString;
use service_kit::{
    api_key::ApiKeys,
    client_address::TrustedProxies,
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
};
use url::Url;

/// Where WeChat and phones reach the gateway.
pub static PUBLIC_BIND: Key<SocketAddr> = Key {
    name: "public.bind",
    default: Default::Text("0.0.0.0:8081"),
    example: "0.0.0.0:8081",
    meaning: "where WeChat reaches the gateway",
    meaning_zh: "微信访问网关的地方",
    secret: false,
    parse: parse::socket_address,
};

/// The public URL.
pub(super) static PUBLIC_URL: Key<Url> = Key {
    name: "public.url",
    default: Default::Unset,
    example: "https://wechat.example.com",
    meaning: "the address under which WeChat and phones reach the gateway; without it replies \
              hold no links. `tap` needs it",
    meaning_zh: "微信和手机看到的网关地址；不设，回复里就没有链接。`tap` 必须设",
    secret: false,
    parse: parse::http_url,
};

/// Whose `X-Forwarded-For` is trusted.
static TRUSTED_PROXIES: Key<TrustedProxies> = Key {
    name: "public.trusted_proxies",
    default: Default::Text(""),
    example: "127.0.0.1, 10.0.0.0/8",
    meaning: "your reverse proxies, as networks separated by commas: their `X-Forwarded-For` is \
              believed. Used by `GATEWAY__WECHAT__CHECK_CALLBACK_IP`, and for the limit of 30 \
              authorisation codes a minute that WeChat may refuse of those that come from one \
              address (of an IPv6 /48: 480)",
    meaning_zh: "你的反向代理的网段，用逗号分开：它们给出的 `X-Forwarded-For` 才可信。用于 \
                 `GATEWAY__WECHAT__CHECK_CALLBACK_IP`，也用于授权码的限制：来自同一个地址、被微信拒绝\
                 的授权码，每分钟最多 30 个（一个 IPv6 的 /48 网段合计 480 个）",
    secret: false,
    parse: |value| parse::networks(value).map(TrustedProxies::new),
};

/// The files that prove a domain to WeChat's console.
static VERIFICATION_FILES: Key<BTreeMap<String, String>> = Key {
    name: "public.verification_files",
    default: Default::Unset,
    example: "MP_verify_a1B2c3D4e5F6g7H8.txt",
    meaning: "names of the `MP_verify_….txt` files that WeChat's console asks for, separated by \
              commas; the gateway serves each with the content that its name says",
    meaning_zh: "后台要求的 `MP_verify_….txt` 的文件名，用逗号分开；文件内容就在文件名里，由网关提供",
    secret: false,
    parse: |value| {
        value
            .split(',')
            .map(|name| verification_file(name.trim()))
            .collect()
    },
};

/// Where the site, other backends and operators reach the gateway.
pub static INTERNAL_BIND: Key<SocketAddr> = Key {
    name: "internal.bind",
    default: Default::Text("127.0.0.1:9081"),
    example: "127.0.0.1:9081",
    meaning: "the internal API, health and metrics; never public",
    meaning_zh: "内部接口、健康检查和指标；绝不能公开",
    secret: false,
    parse: parse::socket_address,
};

/// The internal API's bearer key.
pub static API_KEY: Key<SecretString> = Key {
    name: "internal.api_key",
    default: Default::Required,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "bearer key of the internal API, at least 32 characters",
    meaning_zh: "内部接口的密钥（Bearer），至少 32 个字符",
    secret: true,
    parse: parse::api_key,
};

/// The internal API's key before, while it is being replaced.
static API_KEY_PREVIOUS: Key<SecretString> = Key {
    name: "internal.api_key_previous",
    default: Default::Unset,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "the key before, which is accepted as well while sites and other backends get the new one",
    meaning_zh: "更换密钥时的旧密钥：在各网站和其他后端换成新密钥之前，旧的也接受",
    secret: true,
    parse: parse::api_key,
};

/// The console's files contain the part of their name between `MP_verify_` and `.txt`.
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
        _ => Err(format!(
            "is not a name of the form MP_verify_….txt: {name:?}"
        )),
    }
}

/// The listener for WeChat and phones.
#[derive(Debug, Clone)]
pub struct PublicSettings {
    /// Where it listens.
    pub bind: SocketAddr,
    /// Its URL as others see it.
    pub url: Option<Url>,
    /// Whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
    /// The files that prove a domain to WeChat's console: name to content.
    pub verification_files: BTreeMap<String, String>,
}

impl Section for PublicSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let bind = reader.value(&PUBLIC_BIND);
        let url = reader.optional(&PUBLIC_URL);
        let trusted_proxies = reader.value(&TRUSTED_PROXIES);
        let verification_files = reader.optional(&VERIFICATION_FILES);
        Some(Self {
            bind: bind?,
            url: url?,
            trusted_proxies: trusted_proxies?,
            verification_files: verification_files?.unwrap_or_default(),
        })
    }
}

/// The listener for sites, other backends and operators.
#[derive(Debug, Clone)]
pub struct InternalSettings {
    /// Where it listens.
    pub bind: SocketAddr,
    /// The internal API's bearer keys.
    pub api_keys: ApiKeys,
}

impl Section for InternalSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let api_key = reader.value(&API_KEY);
        let previous = reader.optional(&API_KEY_PREVIOUS);
        let bind = reader.value(&INTERNAL_BIND);
        Some(Self {
            bind: bind?,
            api_keys: ApiKeys {
                current: api_key?,
                previous: previous?,
            },
        })
    }
}
