//! The simulator's settings; `--help` lists them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use secrecy::{ExposeSecret as _, SecretString};
use service_kit::command_line::ServiceSettings;
use service_kit::settings::{Default, Key, NamedTable, Reader, Section};
use service_kit::settings_parse::{boolean, http_url, integer_from, secret, socket_address, text};
use service_kit::telemetry::LogSettings;
use url::Url;
use wechat_wire::message_crypto::{EncodingAesKey, MessageCrypto};
use wechat_wire::signature::CallbackToken;

use crate::account::{Account, Credentials};
use crate::setup::{AccountKind, PushMode, Setup};

/// Where the simulator listens.
pub(crate) static BIND: Key<SocketAddr> = Key {
    name: "public.bind",
    default: Default::Text("127.0.0.1:8090"),
    example: "127.0.0.1:8090",
    meaning: "Where the simulator listens; port 0 takes a free one.",
    meaning_zh: "模拟器监听的地址；端口 0 表示任选一个空闲端口",
    secret: false,
    parse: socket_address,
};

static PUBLIC_URL: Key<Url> = Key {
    name: "public.url",
    default: Default::Unset,
    example: "http://127.0.0.1:8090",
    meaning: "Where browsers reach the simulator, for the avatars' addresses; by default where it listens.",
    meaning_zh: "浏览器访问模拟器的地址，用于头像；默认就是监听的地址",
    secret: false,
    parse: http_url,
};

static CALLBACK_URL: Key<Url> = Key {
    name: "callback.url",
    default: Default::Text("http://127.0.0.1:8081/wechat/callback"),
    example: "http://127.0.0.1:8081/wechat/callback",
    meaning: "Where pushes go.",
    meaning_zh: "推送发往哪里",
    secret: false,
    parse: http_url,
};

static APP_ID: Key<String> = Key {
    name: "wechat.app_id",
    default: Default::Required,
    example: "wx0123456789abcdef",
    meaning: "The AppID of the account to play WeChat for.",
    meaning_zh: "所模拟公众号的 AppID",
    secret: false,
    parse: text,
};

static APP_SECRET: Key<SecretString> = Key {
    name: "wechat.app_secret",
    default: Default::Required,
    example: "0123456789abcdef0123456789abcdef",
    meaning: "Its AppSecret.",
    meaning_zh: "它的 AppSecret",
    secret: true,
    parse: secret,
};

static TOKEN: Key<SecretString> = Key {
    name: "wechat.token",
    default: Default::Required,
    example: "ThreeToThirtyTwoLetters",
    meaning: "The Token that signs pushes.",
    meaning_zh: "给推送签名的令牌（Token）",
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
    meaning_zh: "消息加解密密钥（EncodingAESKey），43 位；不设则推送为明文",
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
    meaning_zh: "推送的方式：`plain`、`compatible` 或 `safe`；有密钥时默认为 `safe`，否则为 `plain`",
    secret: false,
    parse: |value| match value {
        "plain" => Ok(PushMode::Plain),
        "compatible" => Ok(PushMode::Compatible),
        "safe" => Ok(PushMode::Safe),
        other => Err(format!("must be plain, compatible or safe, not {other:?}")),
    },
};

static ACCOUNT_KIND: Key<AccountKind> = Key {
    name: "wechat.account",
    default: Default::Text("service"),
    example: "uncertified",
    meaning: "What kind of account it is: `service` (certified), `subscription` (certified: no codes, no web \
              authorisation) or `uncertified` (a personal subscription account: not even user/info).",
    meaning_zh: "公众号的类型：`service`（已认证的服务号）、`subscription`（已认证的订阅号：没有带参数二维码和网页授权）\
                 或 `uncertified`（未认证，例如个人订阅号：连 `user/info` 也没有）",
    secret: false,
    parse: |value| match value {
        "service" => Ok(AccountKind::Service),
        "subscription" => Ok(AccountKind::Subscription),
        "uncertified" => Ok(AccountKind::Uncertified),
        other => Err(format!(
            "must be service, subscription or uncertified, not {other:?}"
        )),
    },
};

static PROFILE_IN_USER_INFO: Key<bool> = Key {
    name: "wechat.profile_in_user_info",
    default: Default::Text("false"),
    example: "true",
    meaning: "Whether user/info tells nickname and avatar, as WeChat did until 2021-12-27.",
    meaning_zh: "`user/info` 是否给出昵称和头像，微信在 2021-12-27 以前是这样",
    secret: false,
    parse: boolean,
};

static PUSH_TIMEOUT: Key<u32> = Key {
    name: "push.timeout_ms",
    default: Default::Text("5000"),
    example: "5000",
    meaning: "How long an answer to a push is awaited, in milliseconds.",
    meaning_zh: "等推送的回复等多少毫秒",
    secret: false,
    parse: integer_from::<1>,
};

static PUSH_DELIVERIES: Key<u32> = Key {
    name: "push.deliveries",
    default: Default::Text("3"),
    example: "3",
    meaning: "How often a push without a good answer is delivered, the first time included.",
    meaning_zh: "没有收到正确的回复时，一条推送一共发几次",
    secret: false,
    parse: integer_from::<1>,
};

static PUSH_INTERVAL: Key<u32> = Key {
    name: "push.interval_ms",
    default: Default::Text("5000"),
    example: "5000",
    meaning: "The least time from the start of one delivery of a push to the next, in milliseconds.",
    meaning_zh: "同一条推送两次发送之间至少相隔多少毫秒",
    secret: false,
    parse: integer_from::<0>,
};

static ACCOUNTS: NamedTable = NamedTable {
    kind: "account",
    own_section: "wechat",
    meaning: "Further accounts, each below `/account/<name>`.",
    meaning_zh: "其他公众号，各在 `/account/<name>` 之下。",
};

/// All of the simulator's settings.
pub(crate) struct SimulatorSettings {
    /// Where it listens.
    pub(crate) bind: SocketAddr,
    /// The account to play WeChat for.
    pub(crate) account: Account,
    /// Others beside it, by name.
    pub(crate) others: BTreeMap<String, Account>,
    public_url: Option<Url>,
    log: LogSettings,
}

impl SimulatorSettings {
    /// Where browsers reach the simulator that listens on `address`, without a trailing slash.
    pub(crate) fn public_url(&self, address: SocketAddr) -> String {
        let configured = self.public_url.as_ref().map(|url| url.as_str().to_owned());
        let url = configured.unwrap_or_else(|| format!("http://{address}"));
        url.trim_end_matches('/').to_owned()
    }
}

impl Section for SimulatorSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let bind = reader.value(&BIND);
        let public_url = reader.optional(&PUBLIC_URL);
        let account = account(reader);
        let others = reader.tables(&ACCOUNTS, &[], self::account);
        let log = reader.section();
        Some(Self {
            bind: bind?,
            account: account?,
            others: others?,
            public_url: public_url?,
            log: log?,
        })
    }
}

impl ServiceSettings for SimulatorSettings {
    fn log(&self) -> &LogSettings {
        &self.log
    }

    fn health_bind(&self) -> SocketAddr {
        self.bind
    }
}

/// The account as the settings describe it.
fn account(reader: &mut Reader<'_>) -> Option<Account> {
    let callback_url = reader.value(&CALLBACK_URL);
    let credentials = credentials(reader);
    let mode = reader.optional(&MODE);
    let kind = reader.value(&ACCOUNT_KIND);
    let profile_in_user_info = reader.value(&PROFILE_IN_USER_INFO);
    let push_timeout_ms = reader.value(&PUSH_TIMEOUT);
    let push_deliveries = reader.value(&PUSH_DELIVERIES);
    let push_interval_ms = reader.value(&PUSH_INTERVAL);
    let credentials = credentials?;
    let usual = if credentials.crypto.is_some() {
        PushMode::Safe
    } else {
        PushMode::Plain
    };
    let setup = Setup {
        push_timeout_ms: push_timeout_ms?,
        push_deliveries: push_deliveries?,
        push_interval_ms: push_interval_ms?,
        account: kind?,
        profile_in_user_info: profile_in_user_info?,
        ..Setup::usual(mode?.unwrap_or(usual), callback_url?)
    };
    Account::new(credentials, setup)
        .map_err(|error| reader.complain(&MODE, &error.to_string()))
        .ok()
}

fn credentials(reader: &mut Reader<'_>) -> Option<Credentials> {
    let app_id = reader.value(&APP_ID);
    let app_secret = reader.value(&APP_SECRET);
    let token_text = reader.value(&TOKEN);
    let encoding_aes_key = reader.optional(&ENCODING_AES_KEY);
    let (app_id, token_text, encoding_aes_key) = (app_id?, token_text?, encoding_aes_key?);
    // Both were read by the keys' own checks already.
    let token = CallbackToken::parse(token_text.expose_secret()).ok()?;
    let crypto = match &encoding_aes_key {
        Some(key) => {
            let key = EncodingAesKey::parse(key.expose_secret()).ok()?;
            Some(MessageCrypto::new(&key, &app_id))
        }
        None => None,
    };
    Some(Credentials {
        app_id,
        app_secret: app_secret?,
        token_text,
        token,
        encoding_aes_key,
        crypto,
    })
}
