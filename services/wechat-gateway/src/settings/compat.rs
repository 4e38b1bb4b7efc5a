//! The door for software that knows wechat-server.

use login_protocol::account::AccountName;
use secrecy::SecretString;
use service_kit::{
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
};

/// Where the code stands in the reply.
pub const CODE: &str = "{code}";

/// The token that callers send.
pub static WECHAT_SERVER_TOKEN: Key<SecretString> = Key {
    name: "compat.wechat_server_token",
    default: Default::Unset,
    example: "the-output-of-openssl-rand-hex-16",
    meaning: "opens `/api/wechat/user` and `/api/wechat/access_token` on the internal listener, for software \
              that logs people in by wechat-server (one-api, new-api): what stands there as its token",
    meaning_zh: "在内部监听地址上提供 `/api/wechat/user` 和 `/api/wechat/access_token`，给使用 wechat-server 登录的软件\
                 （one-api、new-api）用；这里填的就是它们设置里的访问凭证",
    secret: true,
    parse: |value| {
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("contains a space or a non-ASCII character".to_owned());
        }
        parse::secret(value)
    },
};

/// What people send to get a code.
static KEYWORDS: Key<Vec<String>> = Key {
    name: "compat.keywords",
    default: Default::Text("验证码"),
    example: "验证码,登录码",
    meaning: "what people send to the account to get such a code; several with commas",
    meaning_zh: "给公众号发送什么会得到这种验证码；多个用逗号隔开",
    secret: false,
    parse: |value| {
        let keywords = value.split([',', '，']).map(str::trim);
        let keywords: Vec<_> = keywords
            .filter(|keyword| !keyword.is_empty())
            .map(str::to_owned)
            .collect();
        if keywords.is_empty() {
            return Err("names no keyword".to_owned());
        }
        Ok(keywords)
    },
};

/// Whose people they are.
pub(super) static ACCOUNT: Key<AccountName> = Key {
    name: "compat.account",
    default: Default::Text("default"),
    example: "shop",
    meaning: "the account that gives these codes, and whose access token is told",
    meaning_zh: "由哪个公众号发验证码，给出的也是它的 access_token",
    secret: false,
    parse: |value| AccountName::parse(value).map_err(|_| "is no name of an account".to_owned()),
};

/// The reply that holds the code.
static REPLY: Key<String> = Key {
    name: "compat.reply",
    default: Default::Text("您的验证码是 {code}，3 分钟内有效，只能用一次。请不要告诉别人。"),
    example: "验证码：{code}",
    meaning: "the reply that holds the code; must hold `{code}`",
    meaning_zh: "告诉对方验证码的回复；必须含 `{code}`",
    secret: false,
    parse: |value| {
        if value.contains(CODE) {
            parse::text(value)
        } else {
            Err(format!("must contain {CODE}"))
        }
    },
};

/// What that door needs.
#[derive(Debug, Clone)]
pub struct CompatSettings {
    /// The token that callers send.
    pub token: SecretString,
    /// What people send to get a code.
    pub keywords: Vec<String>,
    /// The account that they send it to.
    pub account: AccountName,
    /// The reply, which holds [`CODE`].
    pub reply: String,
}

/// The section: without a token there is no such door.
#[derive(Debug, Clone)]
pub(super) struct CompatSection(pub(super) Option<CompatSettings>);

impl Section for CompatSection {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let token = reader.optional(&WECHAT_SERVER_TOKEN);
        let keywords = reader.value(&KEYWORDS);
        let account = reader.value(&ACCOUNT);
        let reply = reader.value(&REPLY);
        let (token, keywords, account, reply) = (token?, keywords?, account?, reply?);
        Some(Self(token.map(|token| CompatSettings {
            token,
            keywords,
            account,
            reply,
        })))
    }
}
