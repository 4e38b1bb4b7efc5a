//! The site's settings.

use std::{net::SocketAddr, time::Duration};

use login_protocol::{
    account::{self, AccountName},
    attempt::Approval,
    steps::SessionLifetime,
};
use secrecy::SecretString;
use service_kit::{
    api_key::ApiKeys,
    client_address::TrustedProxies,
    command_line::ServiceSettings,
    redis::REDIS_URL,
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
    telemetry::LogSettings,
    traces::TraceSettings,
};
use url::Url;

use crate::{
    allowed_origins::AllowedOrigins, forward_auth::ForwardAuthSettings,
    login_methods::LoginMethods, login_page::FrontPage,
};
use oidc::OidcSettings;

pub mod oidc;

/// The prefix of the environment's variables.
pub const PREFIX: &str = "SITE";

/// All of the site's settings.
#[derive(Debug, Clone)]
pub struct SiteSettings {
    /// The listener for browsers.
    pub public: PublicSettings,
    /// Where operators reach the site.
    pub internal_bind: SocketAddr,
    /// The bearer keys of the internal API, which is off without one.
    pub internal_api_keys: Option<ApiKeys>,
    /// The Redis that both services share.
    pub redis_url: SecretString,
    /// The way to the gateway.
    pub gateway: GatewaySettings,
    /// How long attempts and sessions live.
    pub login: LoginSettings,
    /// Who may ask about requests, and about whose.
    pub forward_auth: ForwardAuthSettings,
    /// What a client, and what all of them, may have.
    pub limits: LimitSettings,
    /// The pages that the site has of its own.
    pub page: PageSettings,
    /// The OpenID Connect provider.
    pub oidc: OidcSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Where traces go, and which.
    pub traces: TraceSettings,
}

/// The listener for browsers.
#[derive(Debug, Clone)]
pub struct PublicSettings {
    /// The URL that browsers see.
    pub url: Url,
    /// Where it listens.
    pub bind: SocketAddr,
    /// Whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
    /// Other origins whose pages may use the login.
    pub allowed_origins: AllowedOrigins,
}

/// The way to the gateway.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Its internal listener.
    pub url: Url,
    /// Its bearer key.
    pub api_key: SecretString,
}

/// What the site says of itself, and how long its attempts and sessions live.
#[derive(Debug, Clone)]
pub struct LoginSettings {
    /// The account that visitors log in to.
    pub account: AccountName,
    /// What people call the site.
    pub site_name: Option<String>,
    /// What makes a scan a login.
    pub approval: Option<Approval>,
    /// How visitors log in.
    pub methods: LoginMethods,
    /// Whether only followers of the account log in.
    pub require_following: bool,
    /// How long an attempt lives, in seconds.
    pub ttl_seconds: u32,
    /// How long a session lives.
    pub session: SessionLifetime,
    /// Whether an unfollow ends sessions.
    pub end_on_unfollow: bool,
}

/// What a client, and what all of them, may have; 0 is no limit.
#[derive(Debug, Clone, Copy)]
pub struct LimitSettings {
    /// Logins that a client may start in a minute.
    pub logins_per_minute: u32,
    /// Logins that all visitors of the process may start in a minute before browsers do work for
    /// them.
    pub logins_without_proof: u32,
    /// Event streams that a client may hold open.
    pub waiting_per_client: u32,
    /// Event streams that the process holds open.
    pub waiting: u32,
    /// Logins inside WeChat that the process begins while one lives.
    pub web_authorizations: u32,
}

/// The pages that the site has of its own.
#[derive(Debug, Clone)]
pub struct PageSettings {
    /// What the login page calls the site.
    pub name: Option<String>,
    /// The URL of a picture at its top, or its path.
    pub logo: Option<String>,
    /// What is shown at `/`.
    pub front: FrontPage,
}

impl Section for SiteSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let public = reader.section();
        let internal_bind = reader.value(&INTERNAL_BIND);
        let internal_api_keys = reader.section::<InternalApiKeys>();
        let redis_url = reader.value(&REDIS_URL);
        let gateway = reader.section();
        let login = reader.section();
        let forward_auth = reader.section();
        let limits = reader.section();
        let page = reader.section();
        let oidc = reader.section();
        let log = reader.section();
        let traces = reader.section();
        Some(Self {
            public: public?,
            internal_bind: internal_bind?,
            internal_api_keys: internal_api_keys?.0,
            redis_url: redis_url?,
            gateway: gateway?,
            login: login?,
            forward_auth: forward_auth?,
            limits: limits?,
            page: page?,
            oidc: oidc?,
            log: log?,
            traces: traces?,
        })
    }
}

/// The keys of the internal API; none turn it off.
struct InternalApiKeys(Option<ApiKeys>);

impl Section for InternalApiKeys {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let current = reader.optional(&INTERNAL_API_KEY);
        let previous = reader.optional(&INTERNAL_API_KEY_PREVIOUS);
        if let (Some(None), Some(Some(_))) = (&current, &previous) {
            reader.complain(
                &INTERNAL_API_KEY,
                "is missing although the key before it is set",
            );
        }
        let (current, previous) = (current?, previous?);
        Some(Self(current.map(|current| ApiKeys { current, previous })))
    }
}

impl Section for PublicSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.value(&PUBLIC_URL);
        let bind = reader.value(&PUBLIC_BIND);
        let trusted_proxies = reader.value(&TRUSTED_PROXIES);
        let allowed_origins: Option<AllowedOrigins> = reader.value(&ALLOWED_ORIGINS);
        if let (Some(url), Some(origins)) = (&url, &allowed_origins)
            && let Some(wrong) = origins.complaint(url)
        {
            reader.complain(&ALLOWED_ORIGINS, &wrong);
        }
        Some(Self {
            url: url?,
            bind: bind?,
            trusted_proxies: trusted_proxies?,
            allowed_origins: allowed_origins?,
        })
    }
}

impl Section for GatewaySettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (url, api_key) = (reader.value(&GATEWAY_URL), reader.value(&GATEWAY_API_KEY));
        Some(Self {
            url: url?,
            api_key: api_key?,
        })
    }
}

impl Section for LoginSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let account = reader.value(&ACCOUNT);
        let site_name = reader.optional(&SITE_NAME);
        let approval = reader.optional(&APPROVAL);
        let methods = reader.value(&METHOD);
        let require_following = reader.value(&REQUIRE_FOLLOWING);
        let ttl_seconds = reader.value(&LOGIN_TTL_SECONDS);
        let absolute = reader.value(&SESSION_TTL_SECONDS);
        let idle = reader.value(&SESSION_IDLE_SECONDS);
        let end_on_unfollow = reader.value(&END_ON_UNFOLLOW);
        Some(Self {
            account: account?,
            site_name: site_name?,
            approval: approval?,
            methods: methods?,
            require_following: require_following?,
            ttl_seconds: ttl_seconds?,
            session: SessionLifetime {
                absolute: Duration::from_secs(absolute?.into()),
                idle: Duration::from_secs(idle?.into()),
            },
            end_on_unfollow: end_on_unfollow?,
        })
    }
}

impl Section for ForwardAuthSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let origins = reader.value(&FORWARD_AUTH_ORIGINS);
        let email_domain = reader.optional(&FORWARD_AUTH_EMAIL_DOMAIN);
        let require_following = reader.value(&FORWARD_AUTH_REQUIRE_FOLLOWING);
        Some(Self {
            origins: origins?,
            email_domain: email_domain?,
            require_following: require_following?,
        })
    }
}

impl Section for LimitSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let logins_per_minute = reader.value(&LOGINS_PER_MINUTE);
        let logins_without_proof = reader.value(&LOGINS_WITHOUT_PROOF);
        let waiting_per_client = reader.value(&WAITING_PER_CLIENT);
        let waiting = reader.value(&WAITING);
        let web_authorizations = reader.value(&WEB_AUTHORIZATIONS);
        Some(Self {
            logins_per_minute: logins_per_minute?,
            logins_without_proof: logins_without_proof?,
            waiting_per_client: waiting_per_client?,
            waiting: waiting?,
            web_authorizations: web_authorizations?,
        })
    }
}

impl Section for PageSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.optional(&PAGE_NAME);
        let logo = reader.optional(&PAGE_LOGO);
        let demo = reader.value(&PAGE_DEMO);
        Some(Self {
            name: name?,
            logo: logo?,
            front: if demo? {
                FrontPage::Demonstration
            } else {
                FrontPage::LoginPage
            },
        })
    }
}

impl ServiceSettings for SiteSettings {
    fn log(&self) -> &LogSettings {
        &self.log
    }

    fn traces(&self) -> Option<&TraceSettings> {
        Some(&self.traces)
    }

    fn health_bind(&self) -> SocketAddr {
        self.internal_bind
    }
}

/// The site's own URL.
static PUBLIC_URL: Key<Url> = Key {
    name: "public.url",
    default: Default::Required,
    example: "https://www.example.com",
    meaning: "the address that browsers see. Under https the cookies are `Secure` and `__Host-`",
    meaning_zh: "浏览器看到的地址。https 时 Cookie 带 `Secure` 和 `__Host-`",
    secret: false,
    parse: parse::http_url,
};

/// Where browsers reach the site.
pub static PUBLIC_BIND: Key<SocketAddr> = Key {
    name: "public.bind",
    default: Default::Text("0.0.0.0:8080"),
    example: "0.0.0.0:8080",
    meaning: "where browsers reach the site",
    meaning_zh: "浏览器访问网站服务的地方",
    secret: false,
    parse: parse::socket_address,
};

/// Whose `X-Forwarded-For` is trusted.
static TRUSTED_PROXIES: Key<TrustedProxies> = Key {
    name: "public.trusted_proxies",
    default: Default::Text(""),
    example: "127.0.0.1, 10.0.0.0/8",
    meaning: "your reverse proxies, as networks separated by commas: their `X-Forwarded-For` is \
              believed",
    meaning_zh: "你的反向代理的网段，用逗号分开：它们给出的 `X-Forwarded-For` 才可信",
    secret: false,
    parse: |value| parse::networks(value).map(TrustedProxies::new),
};

/// Other origins whose pages may use the login.
static ALLOWED_ORIGINS: Key<AllowedOrigins> = Key {
    name: "public.allowed_origins",
    default: Default::Text(""),
    example: "https://www.example.com",
    meaning: "other origins, separated by commas, whose pages may embed the login: exactly as \
              browsers send them, such as `https://www.example.com`, of the same site as \
              `SITE__PUBLIC__URL` and https if that is (one's own machine excepted); no `*`",
    meaning_zh: "还有哪些源的网页可以使用登录，用逗号分开，写法与浏览器发送的完全一样，例如 \
                 `https://www.example.com`；必须与 `SITE__PUBLIC__URL` 同站，它是 https 时也必须是 \
                 https（本机除外）；不能写 `*`",
    secret: false,
    parse: AllowedOrigins::parse,
};

/// Where operators reach the site.
pub static INTERNAL_BIND: Key<SocketAddr> = Key {
    name: "internal.bind",
    default: Default::Text("127.0.0.1:9080"),
    example: "127.0.0.1:9080",
    meaning: "health, metrics and the internal API; never public",
    meaning_zh: "健康检查、指标和内部接口；绝不能公开",
    secret: false,
    parse: parse::socket_address,
};

/// The internal API's bearer key.
static INTERNAL_API_KEY: Key<SecretString> = Key {
    name: "internal.api_key",
    default: Default::Unset,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "bearer key of the internal API, at least 32 characters: with it every login comes with \
              a ticket, which your own backend redeems there. Another one than the gateway's",
    meaning_zh: "内部接口的密钥（Bearer），至少 32 个字符：设了以后，每次登录都会附带一张票据，由你自己的\
                 后端到内部接口兑换。不要与网关的相同",
    secret: true,
    parse: parse::api_key,
};

/// The internal API's key before, while it is being replaced.
static INTERNAL_API_KEY_PREVIOUS: Key<SecretString> = Key {
    name: "internal.api_key_previous",
    default: Default::Unset,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "the key before, which is accepted as well while your backends get the new one",
    meaning_zh: "更换密钥时的旧密钥：在你的后端换成新密钥之前，旧的也接受",
    secret: true,
    parse: parse::api_key,
};

/// The gateway's internal listener.
static GATEWAY_URL: Key<Url> = Key {
    name: "gateway.url",
    default: Default::Text("http://127.0.0.1:9081"),
    example: "http://127.0.0.1:9081",
    meaning: "the gateway's internal listener",
    meaning_zh: "网关的内部地址",
    secret: false,
    parse: parse::http_url,
};

/// The gateway's bearer key.
static GATEWAY_API_KEY: Key<SecretString> = Key {
    name: "gateway.api_key",
    default: Default::Required,
    example: "the-output-of-openssl-rand-hex-32",
    meaning: "the gateway's `GATEWAY__INTERNAL__API_KEY`",
    meaning_zh: "与 `GATEWAY__INTERNAL__API_KEY` 相同",
    secret: true,
    parse: parse::api_key,
};

/// The account that visitors log in to.
static ACCOUNT: Key<AccountName> = Key {
    name: "login.account",
    default: Default::Text(account::DEFAULT),
    example: "shop",
    meaning: "the gateway's account that visitors log in to, by its name there; `default` is the one \
              of its `wechat` settings",
    meaning_zh: "访客用网关里的哪个公众号登录，写它在网关里的名字；`default` 就是网关 `wechat` 设置里的那个",
    secret: false,
    parse: |value| AccountName::parse(value).map_err(|wrong| format!("{wrong}, not {value:?}")),
};

/// What people call the site.
static SITE_NAME: Key<String> = Key {
    name: "login.site_name",
    default: Default::Unset,
    example: "小林花店",
    meaning: "the site's name, at most 64 characters: `{site}` in the account's replies to its \
              visitors, and on the page that asks them to confirm; without it the gateway's \
              `GATEWAY__REPLY__SITE_NAME`",
    meaning_zh: "网站的名字，最多 64 个字：公众号回复里的 `{site}`，也显示在确认页面上；不设时用网关的 \
                 `GATEWAY__REPLY__SITE_NAME`",
    secret: false,
    parse: name,
};

/// What people call something.
fn name(value: &str) -> Result<String, String> {
    match value.chars().count() {
        1..=64 if !value.chars().any(char::is_control) => Ok(value.to_owned()),
        1..=64 => Err("contains a control character".to_owned()),
        length => Err(format!("must have 1 to 64 characters, not {length}")),
    }
}

/// What makes a scan a login.
static APPROVAL: Key<Approval> = Key {
    name: "login.approval",
    default: Default::Unset,
    example: "tap",
    meaning: "`scan`: the scan logs in; `tap`: the phone must also press a confirm button, for which \
              the gateway needs its `GATEWAY__PUBLIC__URL`; without it the gateway's \
              `GATEWAY__LOGIN__APPROVAL`",
    meaning_zh: "`scan`：扫码即登录；`tap`：还要在手机上点一次确认，网关必须设置 `GATEWAY__PUBLIC__URL`；\
                 不设时用网关的 `GATEWAY__LOGIN__APPROVAL`",
    secret: false,
    parse: parse::approval,
};

/// How visitors log in.
static METHOD: Key<LoginMethods> = Key {
    name: "login.method",
    default: Default::Text("scan"),
    example: "auto",
    meaning: "how visitors log in. `scan`: they scan WeChat's code, which only certified service accounts \
              get; `code`: they send digits to the account; `page`: they scan a code that opens a page of \
              the gateway's, which needs its `GATEWAY__PUBLIC__URL` and web authorisation; `auto`: `scan`, \
              and while WeChat gives the account no codes, `page` or `code`. Several with commas: the \
              first is shown, the others are offered",
    meaning_zh: "访客怎样登录。`scan`：扫微信的二维码，只有认证服务号才有；`code`：给公众号发送一串数字；`page`：\
                 扫码打开网关的页面，网关要设置 `GATEWAY__PUBLIC__URL`，公众号要有网页授权；`auto`：用 `scan`，微信\
                 不给二维码时改用 `page` 或 `code`。可以用逗号写几种：先显示第一种，其他的供访客选择",
    secret: false,
    parse: LoginMethods::parse,
};

/// Whether only followers log in.
static REQUIRE_FOLLOWING: Key<bool> = Key {
    name: "login.require_following",
    default: Default::Text("false"),
    example: "true",
    meaning: "whether only people who follow the account log in and stay signed in",
    meaning_zh: "是否只有关注了公众号的人才能登录并保持登录",
    secret: false,
    parse: parse::boolean,
};

/// How long an attempt lives.
static LOGIN_TTL_SECONDS: Key<u32> = Key {
    name: "login.ttl_seconds",
    default: Default::Text("300"),
    example: "300",
    meaning: "how long an attempt and its code live, 1 to 86400",
    meaning_zh: "一次登录和它的二维码有效多少秒，1 到 86400",
    secret: false,
    parse: |value| match parse::integer_from::<1>(value)? {
        seconds @ 1..=86_400 => Ok(seconds),
        seconds => Err(format!("must be at most 86400, a day, not {seconds}")),
    },
};

/// How long a session lives.
static SESSION_TTL_SECONDS: Key<u32> = Key {
    name: "session.ttl_seconds",
    default: Default::Text("604800"),
    example: "604800",
    meaning: "how long a visitor stays signed in at most, at least 60; 604800 is a week",
    meaning_zh: "登录状态最多保持多少秒，至少 60；604800 是一周",
    secret: false,
    parse: parse::integer_from::<60>,
};

/// How long a session lives without use.
static SESSION_IDLE_SECONDS: Key<u32> = Key {
    name: "session.idle_seconds",
    default: Default::Text("259200"),
    example: "259200",
    meaning: "how long a session lives without being used, at least 60; 259200 is three days",
    meaning_zh: "多少秒没有使用就失效，至少 60；259200 是三天",
    secret: false,
    parse: parse::integer_from::<60>,
};

/// Whether an unfollow ends sessions.
static END_ON_UNFOLLOW: Key<bool> = Key {
    name: "session.end_on_unfollow",
    default: Default::Text("false"),
    example: "true",
    meaning: "whether an unfollow ends all of the person's sessions at this site",
    meaning_zh: "取消关注时，是否结束此人在本站的所有登录状态",
    secret: false,
    parse: parse::boolean,
};

/// The origins beside the site's own whose proxies may ask.
static FORWARD_AUTH_ORIGINS: Key<AllowedOrigins> = Key {
    name: "forward_auth.origins",
    default: Default::Text(""),
    example: "https://wiki.example.com",
    meaning: "origins beside `SITE__PUBLIC__URL`'s, separated by commas, whose proxies may ask at \
              `/api/forward-auth`, and to which visitors are led back after logging in: exactly as \
              browsers send them",
    meaning_zh: "除了 `SITE__PUBLIC__URL` 之外，还有哪些源的反向代理可以通过 `/api/forward-auth` 查询，\
                 访客登录后可以回到这些源；用逗号分开，写法与浏览器发送的完全一样",
    secret: false,
    parse: AllowedOrigins::parse,
};

/// The domain of made-up addresses.
static FORWARD_AUTH_EMAIL_DOMAIN: Key<String> = Key {
    name: "forward_auth.email_domain",
    default: Default::Unset,
    example: "wechat.example.com",
    meaning: "makes up addresses for software that can't do without: `Remote-Email` is the subject at \
              this domain. Nobody reads them",
    meaning_zh: "为离不开邮箱的软件编造地址：`Remote-Email` 是“用户标识@这个域名”。这些邮箱没有人收信",
    secret: false,
    parse: email_domain,
};

fn email_domain(value: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(plain)
    };
    if value.len() <= 253 && value.split('.').all(is_label) {
        Ok(value.to_ascii_lowercase())
    } else {
        Err(format!("is not a domain: {value:?}"))
    }
}

/// Whether only followers get through.
static FORWARD_AUTH_REQUIRE_FOLLOWING: Key<bool> = Key {
    name: "forward_auth.require_following",
    default: Default::Text("false"),
    example: "true",
    meaning: "whether `/api/forward-auth` lets only people through who follow the account",
    meaning_zh: "`/api/forward-auth` 是否只放行关注了公众号的人",
    secret: false,
    parse: parse::boolean,
};

/// How many logins a client may start.
static LOGINS_PER_MINUTE: Key<u32> = Key {
    name: "limits.logins_per_minute",
    default: Default::Text("30"),
    example: "30",
    meaning: "logins that one client address may start in a minute, on all replicas together; ten \
              times as many in an hour and forty times in a day, where completed ones don't \
              count; 0: no limit of a client",
    meaning_zh: "一个 IP 每分钟可以发起多少次登录，所有实例合计；每小时是它的 10 倍，每天是 40 倍，完\
                 成的登录不算在内；0 为不限制单个访客",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// How many logins begin before browsers have to work for them.
static LOGINS_WITHOUT_PROOF: Key<u32> = Key {
    name: "limits.logins_without_proof",
    default: Default::Text("600"),
    example: "600",
    meaning: "logins that all visitors of a process may start in a minute before their browsers have \
              to do a fraction of a second's work for one (a proof of work); ten times as many in an \
              hour and forty times in a day, where completed ones don't count; 0: no work, nor \
              where `SITE__LIMITS__LOGINS_PER_MINUTE` is 0",
    meaning_zh: "一个进程的所有访客每分钟合计可以发起多少次登录，超出后浏览器要先做不到一秒的计算（工作量\
                 证明）；每小时是它的 10 倍，每天是 40 倍，完成的登录不算在内；0 为从不要求，\
                 `SITE__LIMITS__LOGINS_PER_MINUTE` 为 0 时也不要求",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// How many streams a client may hold open.
static WAITING_PER_CLIENT: Key<u32> = Key {
    name: "limits.waiting_per_client",
    default: Default::Text("20"),
    example: "20",
    meaning: "event streams of logins that one client address may hold open at a process, an IPv6 \
              /56 four times and a /48 sixteen times as many; and as many of sessions; 0: no limit",
    meaning_zh: "一个 IP 在一个进程上可以保持多少条等待登录的事件流，IPv6 的 /56 网段是它的 4 倍，/48 \
                 是 16 倍；关注登录状态的另算，数量相同；0 为不限",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// How many streams the process holds open.
static WAITING: Key<u32> = Key {
    name: "limits.waiting",
    default: Default::Text("100000"),
    example: "100000",
    meaning: "event streams of logins that a process holds open, and as many of sessions; 0: no limit",
    meaning_zh: "一个进程可以保持多少条等待登录的事件流；关注登录状态的另算，数量相同；0 为不限",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// How many attempts without a code the process begins.
static WEB_AUTHORIZATIONS: Key<u32> = Key {
    name: "limits.web_authorizations",
    default: Default::Text("100000"),
    example: "100000",
    meaning: "logins inside WeChat that a process begins while one lives; 0: no limit",
    meaning_zh: "一个进程在一次登录的有效期内最多发起多少次“在微信里登录”；0 为不限",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// What the login page calls the site.
static PAGE_NAME: Key<String> = Key {
    name: "page.name",
    default: Default::Unset,
    example: "小林花店",
    meaning: "what the login page (`/login`) calls the site, at most 64 characters; without it \
              `SITE__LOGIN__SITE_NAME`",
    meaning_zh: "登录页（`/login`）上显示的网站名字，最多 64 个字；不设时用 `SITE__LOGIN__SITE_NAME`",
    secret: false,
    parse: name,
};

/// The picture at its top.
static PAGE_LOGO: Key<String> = Key {
    name: "page.logo",
    default: Default::Unset,
    example: "https://www.example.com/logo.svg",
    meaning: "a picture at the top of the login page: a URL, or a path on the same host",
    meaning_zh: "登录页顶部的图片：网址，或同一域名下的路径",
    secret: false,
    parse: |value| {
        let is_path = value.starts_with('/') && !value.starts_with("//");
        if is_path && value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(value.to_owned());
        }
        match Url::parse(value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url.into()),
            _ => Err(format!(
                "must be a path or begin with http:// or https://: {value:?}"
            )),
        }
    },
};

/// Whether `/` is the demonstration.
static PAGE_DEMO: Key<bool> = Key {
    name: "page.demo",
    default: Default::Text("false"),
    example: "true",
    meaning: "whether `/` shows the demonstration; otherwise it leads to the login page",
    meaning_zh: "`/` 是否显示演示页；否则转到登录页",
    secret: false,
    parse: parse::boolean,
};
