//! Texts and pages for phones: small, without scripts, Chinese first.

use std::fmt::Display;

use super::confirmation::Question;
use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use askama::Template;
use jiff::{Timestamp, tz::TimeZone};
use service_kit::pages::{self, Assets, Link, LinkKind, Mark, Notice};

/// Nothing but the style sheet and forms to the page's own host.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The style sheet is below the folder of each page, so that a path in front of the gateway's own
/// doesn't matter.
const ASSETS: Assets<'static> = Assets {
    style_sheet: "style.css",
    icon: None,
};

/// The profile is stored.
pub const THANKS: Notice<'static> = Notice {
    mark: Mark::Done,
    title: "谢谢！",
    text: "网页上现在会显示您的昵称和头像。您可以关闭这个页面，回到刚才的网页。",
    english: "Thank you. The website now shows your nickname and avatar. You can close this page.",
    link: None,
};

/// The person doesn't follow the account, so that nothing is kept.
pub const FOLLOW_FIRST: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "请先关注公众号",
    text: "没有保存您的昵称和头像，因为您还没有关注这个公众号。关注后，请再点一次公众号消息里的链接。",
    english: "Nothing was saved because you don't follow the account. Follow it and tap the link again.",
    link: None,
};

/// The login is confirmed.
pub const CONFIRMED: Notice<'static> = Notice {
    mark: Mark::Done,
    title: "已确认登录",
    text: "您可以关闭这个页面，回到刚才的网页继续。",
    english: "Login confirmed. You can close this page and go back to the website.",
    link: None,
};

/// The login is refused.
pub const DENIED: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "已拒绝登录",
    text: "那个网页没有登录您的帐号。您可以关闭这个页面。",
    english: "Login refused. That browser was not signed in. You can close this page.",
    link: None,
};

/// The owner banned the person.
pub const BANNED: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "您不能登录",
    text: "您的登录权限已被停用，这次没有登录。如有疑问，请联系网站管理员。",
    english: "You have been banned, so nobody was signed in. If in doubt, ask whoever runs the website.",
    link: None,
};

/// The attempt is gone.
pub const OVER: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "这次登录已结束",
    text: "请回到网页刷新，再试一次。",
    english: "This login is over. Refresh the website and try again.",
    link: None,
};

/// Somebody else scanned, or sent the digits.
pub const NOT_YOURS: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "这不是您的登录",
    text: "只有扫码或发送验证码的人自己才能确认。请用自己的微信重新登录。",
    english: "Only the person who scanned the code, or sent it, can confirm. Log in with your own WeChat.",
    link: None,
};

/// Somebody else opened the code.
pub const OPENED_BY_ANOTHER: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "这个二维码已被别人打开",
    text: "只有最先打开的人才能确认登录。请在网页上刷新二维码，再扫一次。",
    english: "Somebody else opened this code first, and only they can confirm. Refresh the code on the website and scan again.",
    link: None,
};

/// Only followers log in at the site that asks.
pub const FOLLOW_TO_LOG_IN: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "请先关注公众号",
    text: "关注公众号后才能登录这个网站。请先在微信里关注，再点公众号发来的链接，或再扫一次网页上的二维码。",
    english: "This website only signs in people who follow the account. Follow it, then tap the link that it sends you, or scan the code on the website again.",
    link: None,
};

/// The page is a snapshot.
pub const SNAPSHOT: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "请使用完整服务",
    text: "您打开的是网页快照，我们无法认出您。请点右下角的「使用完整服务」，再试一次。",
    english: "This is a snapshot of the page. Tap \u{201c}使用完整服务\u{201d} at the bottom right and try again.",
    link: None,
};

/// WeChat or Redis failed.
pub const FAILED: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "暂时无法完成",
    text: "请稍后再点一次公众号里的链接，或再扫一次码。",
    english: "This isn't possible right now. In a moment, tap the link in the chat or scan the code again.",
    link: None,
};

/// Too many came from the phone's IP address.
pub const TOO_MANY: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "请稍等一分钟",
    text: "您所在的网络请求太频繁。请一分钟后再点一次公众号里的链接，或再扫一次码。",
    english: "Too many requests came from your network. In a minute, tap the link in the chat or scan the code again.",
    link: None,
};

/// The page belongs to another browser.
pub const START_AGAIN: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "请重新打开链接",
    text: "这个页面只在打开它的那个微信里有效。请再点一次公众号里的链接，或再扫一次码。",
    english: "This page only works in the WeChat that opened it. Tap the link in the chat or scan the code again.",
    link: None,
};

/// The browser keeps no cookies.
pub const COOKIES_NEEDED: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "需要允许 Cookie",
    text: "您的浏览器没有保存 Cookie，我们无法确认是同一部手机。请在微信里直接打开公众号消息里的链接；如果还是这样，请允许 Cookie 后再试一次。",
    english: "Your browser doesn't accept cookies, so we can't tell whether this is the same phone. Open the link in the chat inside WeChat, or allow cookies and try again.",
    link: None,
};

/// It isn't set up.
pub const NOT_OFFERED: Notice<'static> = Notice {
    mark: Mark::Stopped,
    title: "没有这个页面",
    text: "这个公众号没有开启此功能。",
    english: "This account doesn't offer this page.",
    link: None,
};

/// A page with one message.
pub fn message(status: StatusCode, notice: Notice<'_>) -> HttpResponse {
    page(status, notice.title, &notice)
}

/// The login is confirmed, and the website still lacks a nickname.
pub fn confirmed_without_profile(profile_link: &str) -> HttpResponse {
    let link = Link {
        kind: LinkKind::More,
        url: profile_link,
        text: "让网页显示我的昵称和头像",
        english: "Show my nickname and avatar",
    };
    let notice = Notice {
        link: Some(link),
        ..CONFIRMED
    };
    message(StatusCode::OK, notice)
}

/// Asks whether that browser may log in.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"
<h1>登录{{ site_name }}？</h1>
<p class="english" lang="en">Sign in on this browser?</p>
<dl>
<div><dt>浏览器 <span lang="en">Browser</span></dt><dd>{{ browser }}</dd></div>
<div><dt>大致地址 <span lang="en">Address</span></dt><dd>{{ address }}</dd></div>
<div><dt>时间 <span lang="en">Time</span></dt><dd>{{ time }}</dd></div>
</dl>
<p>如果不是您本人在登录，请点「拒绝」。</p>
<form method="post" action="">
<input type="hidden" name="ticket" value="{{ ticket }}">
<button name="decision" value="confirm">确认登录 <span lang="en">Confirm</span></button>
<button name="decision" value="deny" class="deny">拒绝 <span lang="en">Deny</span></button>
</form>
"#
)]
struct Decision<'a> {
    site_name: &'a str,
    browser: &'a str,
    address: &'a str,
    time: String,
    ticket: &'a str,
}

impl<'a> Decision<'a> {
    fn new(question: &'a Question, ticket: &'a str) -> Self {
        let Question { site_name, scan } = question;
        Self {
            site_name,
            browser: &scan.asker.description,
            address: &scan.asker.address,
            time: in_china(scan.opened_at),
            ticket,
        }
    }
}

/// The page that asks whether that browser may log in.
pub fn decision(question: &Question, ticket: &str) -> HttpResponse {
    page(StatusCode::OK, "确认登录", &Decision::new(question, ticket))
}

fn page<Content: Template + Display>(
    status: StatusCode,
    title: &str,
    content: &Content,
) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .insert_header((header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .body(pages::render(title, ASSETS, content))
}

/// The time on the clocks of most who read it, with its zone, since a server's own clock is UTC.
fn in_china(at: Timestamp) -> String {
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    at.to_zoned(zone)
        .strftime("%Y-%m-%d %H:%M (UTC+8)")
        .to_string()
}

#[cfg(test)]
mod tests {
    use login_protocol::{
        attempt::AttemptStatus,
        steps::{Asker, Scan},
    };

    use super::*;

    fn asking(words: &str) -> String {
        let question = Question {
            site_name: words.to_owned(),
            scan: Scan {
                status: AttemptStatus::Scanned,
                member: None,
                asker: Asker {
                    description: words.to_owned(),
                    address: words.to_owned(),
                },
                opened_at: Timestamp::UNIX_EPOCH,
                site_name: None,
                method: None,
                require_following: false,
            },
        };
        pages::render("", ASSETS, &Decision::new(&question, words))
    }

    #[test]
    fn what_a_site_or_a_browser_calls_itself_cannot_become_markup() {
        let harmless = asking("花店");
        for hostile in [
            "<script>alert(1)</script>",
            "\"><img src=x onerror='alert(1)'>",
            "' onfocus=alert(1) autofocus '",
            "</dd></dl></main>",
            "<!--",
        ] {
            let page = asking(hostile);
            for delimiter in ['<', '>', '"', '\''] {
                let count = |page: &str| page.matches(delimiter).count();
                assert_eq!(count(&page), count(&harmless), "{delimiter}: {page}");
            }
        }
        let shown = asking("花<店>&'\"");
        assert_eq!(
            shown.matches("花&#60;店&#62;&#38;&#39;&#34;").count(),
            4,
            "{shown}"
        );
    }

    #[test]
    fn times_are_those_of_the_readers_clock() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(in_china(at), "2023-11-15 06:13 (UTC+8)");
    }
}
