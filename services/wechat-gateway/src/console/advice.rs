//! What is wrong, and what the owner can do about it, in their language.

use std::time::Duration;

use wechat_wire::error_code::address_to_whitelist;

use super::language::Language;
use crate::{
    webhooks::{Failure, Report},
    wechat::{
        code_refusals::Refusal,
        error::{self, WechatError},
    },
};

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Whether logins fail by it.
    pub(crate) is_serious: bool,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) advice: String,
}

impl Trouble {
    /// Logins fail by it.
    pub(crate) fn serious(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            is_serious: true,
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// It may become serious.
    pub(crate) fn slight(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            is_serious: false,
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// The same with the account's name in front.
    pub(crate) fn of_account(mut self, account: &str) -> Self {
        self.what = format!("{account}: {}", self.what);
        self
    }
}

/// An account has no access token.
pub(crate) fn no_token(say: Language, why: &WechatError, asked_again_in: Duration) -> Trouble {
    let (what, advice) = of_failure(say, why);
    let seconds = asked_again_in.as_secs();
    let again = match say {
        Language::Chinese if seconds > 0 => format!("（{seconds} 秒后自动重试）"),
        Language::English if seconds > 0 => format!(" (tried again by itself in {seconds} s)"),
        _ => String::new(),
    };
    let what = match say {
        Language::Chinese => format!("拿不到 access_token：{what}{again}"),
        Language::English => format!("No access token: {what}{again}"),
    };
    Trouble::serious(what, advice)
}

/// What failed, and what to do.
fn of_failure(say: Language, why: &WechatError) -> (String, String) {
    let texts = |what: (&str, &str), advice: (&str, &str)| {
        (
            say.say(what.0, what.1).to_owned(),
            say.say(advice.0, advice.1).to_owned(),
        )
    };
    match why {
        WechatError::Unreachable(_) | WechatError::OutOfTime => texts(
            ("连不上微信", "WeChat can't be reached"),
            (
                "检查这台服务器的网络、DNS 和防火墙：要能访问 api.weixin.qq.com 的 443 端口。",
                "Check this server's network, DNS and firewall: it has to reach api.weixin.qq.com, port 443.",
            ),
        ),
        WechatError::Empty { .. } => texts(
            ("微信的回答是空的", "WeChat answers nothing"),
            ("核对 AppSecret。", "Check the AppSecret."),
        ),
        WechatError::Malformed { .. } | WechatError::Unusable { .. } => texts(
            ("看不懂微信的回答", "WeChat's answer can't be read"),
            (
                "检查 wechat.api_url 和中间的代理；运行一次检查，看详细结果。",
                "Check wechat.api_url and the proxies in between; run the checks for details.",
            ),
        ),
        WechatError::StuckToken { .. } => texts(
            ("access_token 被微信拒绝", "WeChat refuses the access token"),
            (
                "有别的程序在刷新这个公众号的 access_token。让它改用网关的 /v1/access-token。",
                "Another program replaces this account's tokens. Let it use the gateway's /v1/access-token.",
            ),
        ),
        WechatError::NoToken { cause, .. } => of_failure(say, cause),
        WechatError::Randomness(_) => texts(
            ("系统没有随机数", "The system has no random bytes"),
            ("看网关的日志。", "See the gateway's log."),
        ),
        WechatError::Refused(refused) => {
            let what = match say {
                Language::Chinese => format!("微信返回错误 {}", refused.errcode),
                Language::English => format!("WeChat answers error {}", refused.errcode),
            };
            let advice = match (say, refused.errcode) {
                (Language::English, _) => error::hint(refused),
                (_, 40164 | 45035 | 61004) => {
                    let address = address_to_whitelist(&refused.errmsg);
                    let address =
                        address.map_or_else(|| "这台服务器的 IP".to_owned(), |ip| ip.to_string());
                    format!("在公众号后台把 {address} 加进 IP 白名单，5 到 10 分钟后生效。")
                }
                (_, 40001 | 40125 | 41004) => {
                    "核对 AppSecret：到后台复制当前的；没有人保存过，就重置一次。".to_owned()
                }
                (_, 40013 | 41002) => "核对 AppID，区分大小写。".to_owned(),
                (_, 40243) => "AppSecret 被冻结了，到后台解冻，10 分钟后生效。".to_owned(),
                (_, 45009) => "今天的调用次数用完了；可以到后台清零，每月 10 次。".to_owned(),
                (_, 48001) => "这个公众号没有这个接口的权限：要用认证过的服务号。".to_owned(),
                (_, 89501 | 89503) => {
                    "请管理员在微信里确认这台服务器的 IP，或者把它加进 IP 白名单。".to_owned()
                }
                (_, 89506 | 89507) => {
                    "管理员拒绝过这台服务器的 IP。过后再请管理员同意，或者把它加进 IP 白名单。"
                        .to_owned()
                }
                (_, 50002 | 50004 | 50007 | 48004) => {
                    "公众号被限制了，原因看后台的通知。".to_owned()
                }
                _ => "到 developers.weixin.qq.com 查「全局返回码」；详细信息在网关的日志里。"
                    .to_owned(),
            };
            (what, advice)
        }
    }
}

/// There are no QR codes.
pub(crate) fn no_codes(say: Language, why: Refusal) -> Trouble {
    let (what, advice) = match why {
        Refusal::Unauthorized => (
            (
                "微信不让这个公众号创建二维码（48001）",
                "WeChat lets this account create no QR codes (48001)",
            ),
            (
                "要用认证过的服务号。网站的登录方式设为 auto 时，访客暂时改用别的方式登录。",
                "It takes a certified service account. Where a site's method is auto, visitors log in another way meanwhile.",
            ),
        ),
        Refusal::Quota => (
            (
                "今天的二维码额度用完了（45009）",
                "WeChat's quota of QR codes is used up for today (45009)",
            ),
            (
                "可以在后台清零（每月 10 次），或者等到明天。设为 auto 的网站暂时改用别的方式登录。",
                "Clear it in WeChat's console (ten times a month), or wait for tomorrow. Where a site's method is auto, visitors log in another way meanwhile.",
            ),
        ),
        Refusal::OwnLimit => (
            (
                "今天的二维码用到了自己设的上限",
                "The day's QR codes reached your own limit",
            ),
            (
                "微信的额度够的话，调高 limits.qr_codes_per_day。",
                "Raise limits.qr_codes_per_day if WeChat's quota allows it.",
            ),
        ),
    };
    Trouble::slight(say.say(what.0, what.1), say.say(advice.0, advice.1))
}

/// The day's codes are nearly used up.
pub(crate) fn few_codes(say: Language, left: u32, per_day: u32) -> Trouble {
    let what = match say {
        Language::Chinese => format!("今天的二维码快用完了：还剩 {left} 个，共 {per_day} 个"),
        Language::English => {
            format!("The day's QR codes are nearly used up: {left} of {per_day} are left")
        }
    };
    let advice = say.say(
        "微信的额度够的话，调高 limits.qr_codes_per_day。",
        "Raise limits.qr_codes_per_day if WeChat's quota allows it.",
    );
    Trouble::slight(what, advice)
}

/// No site reports.
pub(crate) fn no_site(say: Language) -> Trouble {
    Trouble::slight(
        say.say("没有网站服务在运行", "No site is running"),
        say.say(
            "启动 site 服务，并确认它和网关用同一个 Redis。",
            "Start the site service, and make sure that it uses the gateway's Redis.",
        ),
    )
}

/// After this time an event that a receiver hasn't got is late.
const LATE_SECONDS: u64 = 600;

/// A receiver of events that needs attention.
pub(crate) fn of_webhook(say: Language, report: &Report) -> Option<Trouble> {
    let name = &report.name;
    let (what, advice) = if report.switched_off_at.is_some() {
        (
            match say {
                Language::Chinese => format!("Webhook {name} 已关闭：对方回答了 410"),
                Language::English => format!("Webhook {name} is switched off: it answered 410"),
            },
            say.say(
                "改正 GATEWAY__WEBHOOK__…__URL，或者在 Webhook 页面重新发送，就会重新打开。",
                "Correct its URL, or send events again on the page Webhooks: that switches it on.",
            ),
        )
    } else if report.lag_seconds >= LATE_SECONDS {
        let minutes = report.lag_seconds / 60;
        (
            match say {
                Language::Chinese => format!("Webhook {name} 有事件 {minutes} 分钟没送到"),
                Language::English => format!("Webhook {name} is {minutes} min late"),
            },
            say.say("原因见 Webhook 页面。", "The page Webhooks says why."),
        )
    } else if report.dead_letters > 0 {
        let count = report.dead_letters;
        (
            match say {
                Language::Chinese => {
                    format!("Webhook {name} 有 {count} 个事件送了一天没送到，已放弃")
                }
                Language::English => {
                    format!("Webhook {name}: {count} events were given up after a day")
                }
            },
            say.say(
                "对方恢复以后，在 Webhook 页面重新发送。",
                "Once the receiver works, send them again on the page Webhooks.",
            ),
        )
    } else {
        return None;
    };
    Some(Trouble::slight(what, advice))
}

/// Why a receiver didn't take an event, and what to do.
pub(crate) fn of_delivery(say: Language, failure: &Failure) -> (String, &'static str) {
    let texts = |what: (&str, &str), advice: (&'static str, &'static str)| {
        (
            say.say(what.0, what.1).to_owned(),
            say.say(advice.0, advice.1),
        )
    };
    match failure {
        Failure::Status(status) => {
            let what = match say {
                Language::Chinese => format!("对方回答了 HTTP {status}"),
                Language::English => format!("It answered HTTP {status}"),
            };
            let advice = match status {
                300..=399 => say.say(
                    "网关不跟随跳转：把最终的地址写进 URL。",
                    "Redirects aren't followed: set the URL that it leads to.",
                ),
                401 | 403 => say.say(
                    "对方拒绝了：核对两边的 SECRET，以及它要求的登录方式。",
                    "The receiver refuses it: compare the SECRET on both sides, and what else it asks for.",
                ),
                404 | 405 => say.say("核对 URL 的路径。", "Check the path of the URL."),
                410 => say.say(
                    "对方不再接收：改正 URL，或者重新发送来打开它。",
                    "It wants no more events: correct the URL, or send events again to switch it on.",
                ),
                _ => say.say("看对方程序的日志。", "See the receiver's log."),
            };
            (what, advice)
        }
        Failure::Other(cause) if cause.contains("certificate") => texts(
            ("对方的 HTTPS 证书有问题", "Its HTTPS certificate is wrong"),
            (
                "检查证书是否过期、域名是否一致、证书链是否完整。",
                "Check that it is valid, of this name, and sent with its chain.",
            ),
        ),
        Failure::Other(cause) if cause.contains("timed out") || cause.contains("timeout") => texts(
            ("对方 10 秒内没有回答", "It didn't answer within 10 s"),
            (
                "让对方先回答 2xx，再慢慢处理。",
                "Have it answer 2xx first, and do the work afterwards.",
            ),
        ),
        Failure::Other(_) => texts(
            ("连不上对方", "It can't be reached"),
            (
                "检查对方是否在运行，以及网络、DNS 和防火墙；详细原因在网关的日志里。",
                "Check that it runs, and network, DNS and firewall; the gateway's log has the cause.",
            ),
        ),
    }
}
