//! The OpenID Connect provider's settings: its clients, each a named table, and what they share.

use std::{collections::BTreeMap, fmt, time::Duration};

use login_protocol::{
    account::{AccountName, InvalidAccountName},
    attempt::Approval,
};
use secrecy::SecretString;
use service_kit::{
    private_networks::is_private,
    settings::{Default, Key, NamedTable, Reader, Section},
    settings_parse as parse,
};
use url::{Host, Url};

use crate::login_methods::LoginMethods;

/// A client's name in the settings: a lower-case letter and up to 31 lower-case letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientName(String);

impl ClientName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for ClientName {
    type Error = InvalidAccountName;

    /// Accepts what can be the name of any table.
    fn try_from(text: String) -> Result<Self, InvalidAccountName> {
        AccountName::parse(&text)?;
        Ok(Self(text))
    }
}

/// How a client's ID tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// RSA with SHA-256, which every client has to know.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// Which subject a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectType {
    /// The same as every other client.
    Public,
    /// One that no other client sees.
    Pairwise,
}

/// A client, as its table says.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Its `client_id`.
    pub id: String,
    /// Its secret; a public client has none.
    pub secret: Option<SecretString>,
    /// Where visitors are sent with the answer. At least one.
    pub redirect_uris: Vec<String>,
    /// What the visitor reads; the client's name where it isn't set.
    pub site_name: Option<String>,
    /// Where visitors are sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it hears that a session has ended.
    pub backchannel_logout_uri: Option<Url>,
    /// The domain of made-up addresses.
    pub email_domain: Option<String>,
    /// How its ID tokens are signed.
    pub id_token_algorithm: SigningAlgorithm,
    /// Which subject it sees.
    pub subject_type: SubjectType,
    /// The account that its visitors log in to; the site's own where it isn't set.
    pub account: Option<AccountName>,
    /// What makes a scan a login; the site's own rule where it isn't set.
    pub approval: Option<Approval>,
    /// How visitors log in; the site's own way where it isn't set.
    pub method: Option<LoginMethods>,
    /// Whether only followers log in; the site's own rule where it isn't set.
    pub require_following: Option<bool>,
}

/// The provider's settings.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// The secret under which signing keys are kept. There is one if there are clients.
    pub secret: Option<SecretString>,
    /// How long access and ID tokens live.
    pub access_token_lifetime: Duration,
    /// How long a refresh token lives without use.
    pub refresh_token_lifetime: Duration,
    /// The clients.
    pub clients: BTreeMap<ClientName, ClientSettings>,
}

impl Section for OidcSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secret = reader.optional(&SECRET);
        let access_token = reader.value(&ACCESS_TOKEN_SECONDS);
        let refresh_token = reader.value(&REFRESH_TOKEN_SECONDS);
        let has_clients = reader.has_tables(&CLIENTS);
        let clients = reader.tables(&CLIENTS, &[], Reader::section::<ClientSettings>);
        if has_clients && !reader.is_set(&SECRET) {
            reader.complain(&SECRET, "is missing: it is required with the first client");
        }
        let clients: BTreeMap<ClientName, ClientSettings> = clients?
            .into_iter()
            .map(|(name, client): (ClientName, ClientSettings)| {
                let client = client.named(&name);
                (name, client)
            })
            .collect();
        complain_of_shared_ids(&clients, reader);
        Some(Self {
            secret: secret?,
            access_token_lifetime: Duration::from_secs(access_token?.into()),
            refresh_token_lifetime: Duration::from_secs(refresh_token?.into()),
            clients,
        })
    }
}

fn complain_of_shared_ids(clients: &BTreeMap<ClientName, ClientSettings>, reader: &mut Reader<'_>) {
    let mut names: BTreeMap<&str, &ClientName> = BTreeMap::new();
    for (name, client) in clients {
        if let Some(other) = names.insert(&client.id, name) {
            let wrong = format!("is also the id of the client {other}");
            reader.complain_in_table(&CLIENTS, name.as_str(), &ID, &wrong);
        }
    }
}

impl ClientSettings {
    /// The name is the id where there is no other.
    fn named(mut self, name: &ClientName) -> Self {
        if self.id.is_empty() {
            name.as_str().clone_into(&mut self.id);
        }
        self
    }
}

impl Section for ClientSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let id = reader.optional(&ID);
        let secret = reader.optional(&CLIENT_SECRET);
        let redirect_uris = reader.value(&REDIRECT_URIS);
        let site_name = reader.optional(&SITE_NAME);
        let post_logout_redirect_uris = reader.value(&POST_LOGOUT_REDIRECT_URIS);
        let backchannel_logout_uri = reader.optional(&BACKCHANNEL_LOGOUT_URI);
        let email_domain = reader.optional(&EMAIL_DOMAIN);
        let id_token_algorithm = reader.value(&ID_TOKEN_ALG);
        let subject_type = reader.value(&SUBJECT_TYPE);
        let account = reader.optional(&ACCOUNT);
        let approval = reader.optional(&APPROVAL);
        let method = reader.optional(&METHOD);
        let require_following = reader.optional(&REQUIRE_FOLLOWING);
        // A client with a secret runs on a server, where nobody could claim a scheme.
        if reader.is_set(&CLIENT_SECRET) {
            for (key, uris) in [
                (&REDIRECT_URIS, &redirect_uris),
                (&POST_LOGOUT_REDIRECT_URIS, &post_logout_redirect_uris),
            ] {
                let private = uris.iter().flatten().find(|uri| !is_http(uri));
                if let Some(private) = private {
                    let wrong = format!(
                        "has a private-use scheme, which only a client without a secret may have: {private:?}"
                    );
                    reader.complain(key, &wrong);
                }
            }
        }
        Some(Self {
            id: id?.unwrap_or_default(),
            secret: secret?,
            redirect_uris: redirect_uris?,
            site_name: site_name?,
            post_logout_redirect_uris: post_logout_redirect_uris?,
            backchannel_logout_uri: backchannel_logout_uri?,
            email_domain: email_domain?,
            id_token_algorithm: id_token_algorithm?,
            subject_type: subject_type?,
            account: account?,
            approval: approval?,
            method: method?,
            require_following: require_following?,
        })
    }
}

fn is_http(uri: &str) -> bool {
    uri.starts_with("https:") || uri.starts_with("http:")
}

/// Addresses to which browsers are sent, separated by commas; compared letter for letter later on,
/// so they stay as they are written.
pub(crate) fn redirect_uris(list: &str) -> Result<Vec<String>, String> {
    let entries = list.split(',').map(str::trim);
    let entries = entries.filter(|entry| !entry.is_empty());
    entries
        .map(|entry| redirect_uri(entry).map(|()| entry.to_owned()))
        .collect()
}

fn redirect_uri(entry: &str) -> Result<(), String> {
    if entry.contains('*') {
        return Err(format!(
            "must not contain a wildcard; name each address exactly: {entry:?}"
        ));
    }
    if !entry.bytes().all(|byte| byte.is_ascii_graphic()) || entry.contains('\\') {
        return Err(format!(
            "must consist of visible ASCII characters: {entry:?}"
        ));
    }
    let url = Url::parse(entry).map_err(|error| format!("is not a URL: {entry:?}: {error}"))?;
    if entry.contains('#') {
        return Err(format!("must not have a fragment: {entry:?}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("must not contain a user or a password: {entry:?}"));
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(()),
        "http" if is_own_machine(&url) => Ok(()),
        "http" => Err(format!(
            "must be https; http is for 127.0.0.1, [::1] and localhost alone: {entry:?}"
        )),
        // RFC 8252, section 7.1: a domain name of the app's owner, reversed.
        scheme if scheme.contains('.') => Ok(()),
        _ => Err(format!(
            "must begin with https://, or with a private-use scheme such as com.example.app:/ : {entry:?}"
        )),
    }
}

fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.octets() == [127, 0, 0, 1],
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn backchannel_logout_uri(value: &str) -> Result<Url, String> {
    let url = Url::parse(value).map_err(|error| format!("is not a URL: {value:?}: {error}"))?;
    if url.fragment().is_some() {
        return Err(format!("must not have a fragment: {value:?}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("must not contain a user or a password: {value:?}"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_private(&url) => Ok(url),
        "http" => Err(format!(
            "must be https; http is for private networks alone: {value:?}"
        )),
        _ => Err(format!("must begin with https://, not {value:?}")),
    }
}

/// The clients.
pub static CLIENTS: NamedTable = NamedTable {
    kind: "client",
    own_section: "client",
    meaning: "Every client of the OpenID Connect provider has a name: a lower-case letter and up to 31 \
              lower-case letters and digits. `[client.wiki]` in TOML is `SITE__CLIENT__WIKI__ID` in the \
              environment. [docs/openid-connect.md](openid-connect.md) says how to connect software.",
    meaning_zh: "OpenID Connect 的每个客户端各起一个名字：小写字母开头，后面最多 31 个小写字母或数字。\
                 TOML 里写 `[client.wiki]`，环境变量写 `SITE__CLIENT__WIKI__ID`。\
                 接入方法见 [docs/openid-connect.zh-CN.md](openid-connect.zh-CN.md)。",
};

/// How many characters `oidc.secret` has at least.
pub const SECRET_CHARACTERS: usize = 32;

static SECRET: Key<SecretString> = Key {
    name: "oidc.secret",
    default: Default::Unset,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "the secret under which the signing keys are encrypted in Redis, at least 32 \
              characters; required with the first client, the same at all replicas, and never \
              changed: with another one the site doesn't start, and pairwise subjects are others",
    meaning_zh: "用来加密 Redis 里签名密钥的密钥，至少 32 个字符；有客户端时必填，所有实例必须相同，以后\
                 也不要改：换了它网站就不会启动，`pairwise` 客户端看到的 `sub` 也全都变了",
    secret: true,
    parse: parse::api_key,
};

static ACCESS_TOKEN_SECONDS: Key<u32> = Key {
    name: "oidc.access_token_seconds",
    default: Default::Text("3600"),
    example: "3600",
    meaning: "how long access tokens and ID tokens live, 1 to 86400",
    meaning_zh: "access token 和 ID token 有效多少秒，1 到 86400",
    secret: false,
    parse: |value| match parse::integer_from::<1>(value)? {
        seconds @ 1..=86_400 => Ok(seconds),
        seconds => Err(format!("must be at most 86400, a day, not {seconds}")),
    },
};

static REFRESH_TOKEN_SECONDS: Key<u32> = Key {
    name: "oidc.refresh_token_seconds",
    default: Default::Text("2592000"),
    example: "2592000",
    meaning: "how long a refresh token lives without being used, at least 1; 2592000 is 30 days",
    meaning_zh: "refresh token 多少秒没有使用就失效，至少 1；2592000 是 30 天",
    secret: false,
    parse: parse::integer_from::<1>,
};

static ID: Key<String> = Key {
    name: "client.id",
    default: Default::Unset,
    example: "wiki",
    meaning: "its `client_id`, visible ASCII characters; without it the table's name",
    meaning_zh: "`client_id`，可见的 ASCII 字符；不设就用表名",
    secret: false,
    parse: |value| match value.len() {
        1..=128 if value.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(value.to_owned()),
        1..=128 => Err("must consist of visible ASCII characters".to_owned()),
        length => Err(format!("must have 1 to 128 characters, not {length}")),
    },
};

/// How many characters a client's secret has at least.
const CLIENT_SECRET_CHARACTERS: usize = 24;

static CLIENT_SECRET: Key<SecretString> = Key {
    name: "client.secret",
    default: Default::Unset,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "its secret, at least 24 characters; without one it is a public client, which has to \
              use PKCE",
    meaning_zh: "密钥，至少 24 个字符；不设就是公开客户端，必须使用 PKCE",
    secret: true,
    parse: |value| {
        if value.len() < CLIENT_SECRET_CHARACTERS {
            return Err(format!(
                "has {} characters; it needs at least {CLIENT_SECRET_CHARACTERS}",
                value.len()
            ));
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("contains a space or a non-ASCII character".to_owned());
        }
        parse::secret(value)
    },
};

static REDIRECT_URIS: Key<Vec<String>> = Key {
    name: "client.redirect_uris",
    default: Default::Required,
    example: "https://wiki.example.com/oauth/callback",
    meaning: "where visitors are sent with the answer, separated by commas and compared letter for \
              letter: https, or http with `127.0.0.1`, `[::1]` or `localhost`, or a private-use \
              scheme of a public client",
    meaning_zh: "登录后把访客送回的地址，用逗号分开，逐字比较：https，或者主机是 `127.0.0.1`、`[::1]`、\
                 `localhost` 的 http，公开客户端还可以用自定义 scheme",
    secret: false,
    parse: |value| match redirect_uris(value)? {
        none if none.is_empty() => Err("names no address".to_owned()),
        some => Ok(some),
    },
};

static SITE_NAME: Key<String> = Key {
    name: "client.site_name",
    default: Default::Unset,
    example: "小林的维基",
    meaning: "what the visitor reads, at most 64 characters; without it the client's id",
    meaning_zh: "访客看到的名字，最多 64 个字；不设就用 `client_id`",
    secret: false,
    parse: |value| match value.chars().count() {
        1..=64 if !value.chars().any(char::is_control) => Ok(value.to_owned()),
        1..=64 => Err("contains a control character".to_owned()),
        length => Err(format!("must have 1 to 64 characters, not {length}")),
    },
};

static POST_LOGOUT_REDIRECT_URIS: Key<Vec<String>> = Key {
    name: "client.post_logout_redirect_uris",
    default: Default::Text(""),
    example: "https://wiki.example.com/",
    meaning: "where visitors may be sent after signing out, by the rule of `REDIRECT_URIS`",
    meaning_zh: "退出后可以把访客送回哪些地址，规则与 `REDIRECT_URIS` 相同",
    secret: false,
    parse: redirect_uris,
};

static BACKCHANNEL_LOGOUT_URI: Key<Url> = Key {
    name: "client.backchannel_logout_uri",
    default: Default::Unset,
    example: "https://wiki.example.com/oauth/logout",
    meaning: "where the client hears that a session has ended (Back-Channel Logout); http on a \
              private network only",
    meaning_zh: "登录结束时通知客户端的地址（Back-Channel Logout）；只有内网可以用 http",
    secret: false,
    parse: backchannel_logout_uri,
};

static EMAIL_DOMAIN: Key<String> = Key {
    name: "client.email_domain",
    default: Default::Unset,
    example: "users.example.com",
    meaning: "WeChat tells no email address. For software that can't do without, the scope `email` \
              gives `<sub>@<this domain>`, marked as unverified; no mail ever arrives there, so use a \
              domain of yours",
    meaning_zh: "微信不提供邮箱。离了邮箱就不能用的软件，通过 scope `email` 得到 `<sub>@<这个域名>`，标记为\
                 未验证；这个地址收不到邮件，请用自己的域名",
    secret: false,
    parse: |value| {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if value.len() <= 180 && value.split('.').all(is_label) {
            Ok(value.to_ascii_lowercase())
        } else {
            Err(format!("is not a domain name: {value:?}"))
        }
    },
};

static ID_TOKEN_ALG: Key<SigningAlgorithm> = Key {
    name: "client.id_token_alg",
    default: Default::Text("RS256"),
    example: "ES256",
    meaning: "how its ID tokens are signed: `RS256` or `ES256`",
    meaning_zh: "ID token 的签名算法：`RS256` 或 `ES256`",
    secret: false,
    parse: |value| match value {
        "RS256" => Ok(SigningAlgorithm::Rs256),
        "ES256" => Ok(SigningAlgorithm::Es256),
        _ => Err(format!("must be RS256 or ES256, not {value:?}")),
    },
};

static SUBJECT_TYPE: Key<SubjectType> = Key {
    name: "client.subject_type",
    default: Default::Text("public"),
    example: "pairwise",
    meaning: "`public`: the subject is the same at all clients. `pairwise`: no other client sees the \
              same one; the scope `wechat` is refused then",
    meaning_zh: "`public`：同一个人在所有客户端的 sub 相同。`pairwise`：在每个客户端都不同，此时不能使用 \
                 scope `wechat`",
    secret: false,
    parse: |value| match value {
        "public" => Ok(SubjectType::Public),
        "pairwise" => Ok(SubjectType::Pairwise),
        _ => Err(format!("must be public or pairwise, not {value:?}")),
    },
};

static ACCOUNT: Key<AccountName> = Key {
    name: "client.account",
    default: Default::Unset,
    example: "shop",
    meaning: "the account that its visitors log in to; without it `SITE__LOGIN__ACCOUNT`",
    meaning_zh: "它的访客用哪个公众号登录；不设就用 `SITE__LOGIN__ACCOUNT`",
    secret: false,
    parse: |value| AccountName::parse(value).map_err(|wrong| format!("{wrong}, not {value:?}")),
};

static APPROVAL: Key<Approval> = Key {
    name: "client.approval",
    default: Default::Unset,
    example: "tap",
    meaning: "`scan` or `tap`; without it `SITE__LOGIN__APPROVAL`",
    meaning_zh: "`scan` 或 `tap`；不设就用 `SITE__LOGIN__APPROVAL`",
    secret: false,
    parse: parse::approval,
};

static METHOD: Key<LoginMethods> = Key {
    name: "client.method",
    default: Default::Unset,
    example: "scan",
    meaning: "how its visitors log in, as `SITE__LOGIN__METHOD`; without it the site's own way",
    meaning_zh: "它的访客怎样登录，写法同 `SITE__LOGIN__METHOD`；不设就和网站自己的一样",
    secret: false,
    parse: LoginMethods::parse,
};

static REQUIRE_FOLLOWING: Key<bool> = Key {
    name: "client.require_following",
    default: Default::Unset,
    example: "true",
    meaning: "whether only people who follow the account log in, and stay logged in; without it \
              `SITE__LOGIN__REQUIRE_FOLLOWING`",
    meaning_zh: "是否只有关注了公众号的人才能登录，取消关注后登录也失效；不设就用 \
                 `SITE__LOGIN__REQUIRE_FOLLOWING`",
    secret: false,
    parse: parse::boolean,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_are_exact_and_safe() {
        for uri in [
            "https://wiki.example.com/callback",
            "https://wiki.example.com:8443/callback?a=b",
            "http://127.0.0.1:8080/callback",
            "http://[::1]/callback",
            "http://localhost:3000/",
            "com.example.app:/callback",
        ] {
            assert_eq!(redirect_uri(uri), Ok(()), "{uri}");
        }
        for (uri, word) in [
            ("https://*.example.com/callback", "wildcard"),
            ("https://wiki.example.com/*", "wildcard"),
            ("http://wiki.example.com/callback", "https"),
            ("http://127.0.0.2/callback", "https"),
            ("http://10.0.0.1/callback", "https"),
            ("http://localhost.example.com/", "https"),
            ("https://wiki.example.com/#a", "fragment"),
            ("https://user@wiki.example.com/", "user"),
            ("https://wiki.example.com/花", "ASCII"),
            ("https:\\\\wiki.example.com/", "ASCII"),
            ("javascript:alert(1)", "https://"),
            ("data:text/html,a", "https://"),
            ("wiki", "URL"),
            ("/callback", "URL"),
        ] {
            let wrong = redirect_uri(uri).unwrap_err();
            assert!(wrong.contains(word), "{uri}: {wrong}");
        }
    }

    #[test]
    fn logout_is_told_over_http_on_private_networks_alone() {
        for uri in [
            "https://wiki.example.com/logout",
            "http://wiki:8080/logout",
            "http://10.1.2.3/logout",
            "http://127.0.0.1:1/",
            "http://[fd00::1]/",
            "http://wiki.internal/",
        ] {
            assert!(backchannel_logout_uri(uri).is_ok(), "{uri}");
        }
        for uri in [
            "http://wiki.example.com/logout",
            "http://8.8.8.8/",
            "https://user@wiki.example.com/",
            "https://wiki.example.com/#a",
            "ftp://wiki/",
        ] {
            assert!(backchannel_logout_uri(uri).is_err(), "{uri}");
        }
    }
}
