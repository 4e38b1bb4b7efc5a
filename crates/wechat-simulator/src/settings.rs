//! The simulator's settings; `--help` lists them.

use std::net::SocketAddr;

use secrecy::{ExposeSecret as _, SecretString};
use service_kit::settings::{AnyKey, Default, InvalidSettings, Key, Settings};
use service_kit::settings_parse::{boolean, http_url, integer_from, secret, socket_address, text};
use service_kit::telemetry::{LOG_FORMAT, LOG_LEVEL};
use url::Url;
use wechat_wire::message_crypto::{EncodingAesKey, MessageCrypto};
use wechat_wire::signature::CallbackToken;

use crate::account::{Account, Credentials};
use crate::setup::{PushMode, Setup};

/// Where the simulator listens.
pub(crate) static BIND: Key<SocketAddr> = Key {
    name: "public.bind",
    default: Default::Text("127.0.0.1:8090"),
    example: "127.0.0.1:8090",
    meaning: "Where the simulator listens; port 0 takes a free one.",
    secret: false,
    parse: socket_address,
};

static PUBLIC_URL: Key<Url> = Key {
    name: "public.url",
    default: Default::Unset,
    example: "http://127.0.0.1:8090",
    meaning: "Where browsers reach the simulator, for the avatars' addresses; by default where it listens.",
    secret: false,
    parse: http_url,
};

static CALLBACK_URL: Key<Url> = Key {
    name: "callback.url",
    default: Default::Text("http://127.0.0.1:8081/wechat/callback"),
    example: "http://127.0.0.1:8081/wechat/callback",
    meaning: "Where pushes go.",
    secret: false,
    parse: http_url,
};

static APP_ID: Key<String> = Key {
    name: "wechat.app_id",
    default: Default::Required,
    example: "wx0123456789abcdef",
    meaning: "The AppID of the account to play WeChat for.",
    secret: false,
    parse: text,
};

static APP_SECRET: Key<SecretString> = Key {
    name: "wechat.app_secret",
    default: Default::Required,
    example: "0123456789abcdef0123456789abcdef",
    meaning: "Its AppSecret.",
    secret: true,
    parse: secret,
};

static TOKEN: Key<SecretString> = Key {
    name: "wechat.token",
    default: Default::Required,
    example: "ThreeToThirtyTwoLetters",
    meaning: "The Token that signs pushes.",
    secret: true,
    parse: |value| match CallbackToken::parse(value) {
        Ok(_) => secret(value),
        Err(error) => Err(error.to_string()),
    },
};

static ENCODING_AES_KEY: Key<SecretString> = Key {
    name: "wechat.encoding_aes_key",
    default: Default::Unset,
    example: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    meaning: "The EncodingAESKey, 43 characters; without it pushes are plain.",
    secret: true,
    parse: |value| match EncodingAesKey::parse(value) {
        Ok(_) => secret(value),
        Err(error) => Err(error.to_string()),
    },
};

static MODE: Key<PushMode> = Key {
    name: "wechat.mode",
    default: Default::Unset,
    example: "safe",
    meaning: "How pushes travel: plain, compatible or safe; safe with a key, else plain.",
    secret: false,
    parse: |value| match value {
        "plain" => Ok(PushMode::Plain),
        "compatible" => Ok(PushMode::Compatible),
        "safe" => Ok(PushMode::Safe),
        other => Err(format!("must be plain, compatible or safe, not {other:?}")),
    },
};

static PROFILE_IN_USER_INFO: Key<bool> = Key {
    name: "wechat.profile_in_user_info",
    default: Default::Text("false"),
    example: "true",
    meaning: "Whether user/info tells nickname and avatar, as WeChat did until 2021-12-27.",
    secret: false,
    parse: boolean,
};

static PUSH_TIMEOUT: Key<u32> = Key {
    name: "push.timeout_ms",
    default: Default::Text("5000"),
    example: "5000",
    meaning: "How long an answer to a push is awaited, in milliseconds.",
    secret: false,
    parse: integer_from::<1>,
};

static PUSH_DELIVERIES: Key<u32> = Key {
    name: "push.deliveries",
    default: Default::Text("3"),
    example: "3",
    meaning: "How often a push without a good answer is delivered, the first time included.",
    secret: false,
    parse: integer_from::<1>,
};

static PUSH_INTERVAL: Key<u32> = Key {
    name: "push.interval_ms",
    default: Default::Text("5000"),
    example: "5000",
    meaning: "The least time from the start of one delivery of a push to the next, in milliseconds.",
    secret: false,
    parse: integer_from::<0>,
};

/// All settings.
pub(crate) static KEYS: [&dyn AnyKey; 14] = [
    &BIND,
    &PUBLIC_URL,
    &CALLBACK_URL,
    &APP_ID,
    &APP_SECRET,
    &TOKEN,
    &ENCODING_AES_KEY,
    &MODE,
    &PROFILE_IN_USER_INFO,
    &PUSH_TIMEOUT,
    &PUSH_DELIVERIES,
    &PUSH_INTERVAL,
    &LOG_FORMAT,
    &LOG_LEVEL,
];

/// The account as the settings describe it.
pub(crate) fn account(settings: &Settings) -> Result<Account, InvalidSettings> {
    let credentials = credentials(settings)?;
    let usual = if credentials.crypto.is_some() {
        PushMode::Safe
    } else {
        PushMode::Plain
    };
    let mode = settings.optional(&MODE)?.unwrap_or(usual);
    let setup = Setup {
        push_timeout_ms: settings.get(&PUSH_TIMEOUT)?,
        push_deliveries: settings.get(&PUSH_DELIVERIES)?,
        push_interval_ms: settings.get(&PUSH_INTERVAL)?,
        profile_in_user_info: settings.get(&PROFILE_IN_USER_INFO)?,
        ..Setup::usual(mode, settings.get(&CALLBACK_URL)?)
    };
    Account::new(credentials, setup).map_err(|error| settings.invalid(&MODE, &error.to_string()))
}

/// Where browsers reach the simulator that listens on `address`, without a trailing slash.
pub(crate) fn public_url(
    settings: &Settings,
    address: SocketAddr,
) -> Result<String, InvalidSettings> {
    let configured = settings
        .optional(&PUBLIC_URL)?
        .map(|url| url.as_str().to_owned());
    let url = configured.unwrap_or_else(|| format!("http://{address}"));
    Ok(url.trim_end_matches('/').to_owned())
}

fn credentials(settings: &Settings) -> Result<Credentials, InvalidSettings> {
    let app_id = settings.get(&APP_ID)?;
    let token_text = settings.get(&TOKEN)?;
    let token = CallbackToken::parse(token_text.expose_secret())
        .map_err(|error| settings.invalid(&TOKEN, &error.to_string()))?;
    let encoding_aes_key = settings.optional(&ENCODING_AES_KEY)?;
    let key = encoding_aes_key
        .as_ref()
        .map(|key| EncodingAesKey::parse(key.expose_secret()));
    let key = key
        .transpose()
        .map_err(|error| settings.invalid(&ENCODING_AES_KEY, &error.to_string()))?;
    let crypto = key.map(|key| MessageCrypto::new(&key, &app_id));
    let app_secret = settings.get(&APP_SECRET)?;
    Ok(Credentials {
        app_id,
        app_secret,
        token_text,
        token,
        encoding_aes_key,
        crypto,
    })
}
