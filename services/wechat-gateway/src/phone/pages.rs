//! The pages themselves: small, without scripts, Chinese first.

use actix_web::{HttpResponse, http::StatusCode, http::header};
use jiff::{Timestamp, tz::TimeZone};
use login_protocol::steps::Scan;

use super::confirmation::Question;

/// The style sheet.
pub const STYLE_SHEET: &str = include_str!("pages.css");

/// Nothing but the style sheet and forms to the page's own host.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a page says.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    /// The mark at its top, which also sets its colour.
    pub mark: Mark,
    /// In Chinese.
    pub title: &'static str,
    /// In Chinese, a sentence.
    pub text: &'static str,
    /// Both in English, in a line.
    pub english: &'static str,
}

/// The kind of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// All is well.
    Done,
    /// It can't go on like this.
    Stopped,
}

/// The profile is stored.
pub const THANKS: Message = Message {
    mark: Mark::Done,
    title: "谢谢！",
    text: "网页上现在会显示您的昵称和头像。您可以关闭这个页面，回到刚才的网页。",
    english: "Thank you. The website shows your nickname and avatar now. You can close this page.",
};

/// The person doesn't follow the account, so that nothing is kept.
pub const FOLLOW_FIRST: Message = Message {
    mark: Mark::Stopped,
    title: "请先关注公众号",
    text: "没有保存您的昵称和头像，因为您还没有关注这个公众号。关注之后，请再点一次公众号里的链接。",
    english: "Nothing was kept, since you don't follow the account. Follow it and press the link again.",
};

/// The login is confirmed.
pub const CONFIRMED: Message = Message {
    mark: Mark::Done,
    title: "已确认登录",
    text: "您可以关闭这个页面，回到刚才的网页继续。",
    english: "Login confirmed. You can close this page and go back to the website.",
};

/// The login is refused.
pub const DENIED: Message = Message {
    mark: Mark::Stopped,
    title: "已拒绝登录",
    text: "那个网页没有登录您的帐号。您可以关闭这个页面。",
    english: "Login refused. That browser was not signed in. You can close this page.",
};

/// The attempt is gone.
pub const OVER: Message = Message {
    mark: Mark::Stopped,
    title: "这次登录已结束",
    text: "请在网页上刷新二维码，再扫一次。",
    english: "This login is over. Refresh the code on the website and scan again.",
};

/// Somebody else scanned.
pub const NOT_YOURS: Message = Message {
    mark: Mark::Stopped,
    title: "这不是您扫的二维码",
    text: "只有扫码的人才能确认登录。请用自己的微信扫描网页上的二维码。",
    english: "Only the person who scanned can confirm. Scan the code on the website yourself.",
};

/// The page is a snapshot.
pub const SNAPSHOT: Message = Message {
    mark: Mark::Stopped,
    title: "请使用完整服务",
    text: "您打开的是网页快照，我们无法认出您。请点右下角的「使用完整服务」，再试一次。",
    english: "This is a snapshot of the page. Tap \u{201c}使用完整服务\u{201d} at the bottom right and try again.",
};

/// WeChat or Redis failed.
pub const FAILED: Message = Message {
    mark: Mark::Stopped,
    title: "暂时无法完成",
    text: "请稍后再点一次公众号里的链接。",
    english: "This isn't possible right now. Press the link in the chat again in a moment.",
};

/// Too many came from the phone's address.
pub const TOO_MANY: Message = Message {
    mark: Mark::Stopped,
    title: "请稍等一分钟",
    text: "您所在的网络请求太频繁。请一分钟后再点一次公众号里的链接。",
    english: "Too many requests came from your network. Press the link in the chat again in a minute.",
};

/// The page belongs to another browser.
pub const START_AGAIN: Message = Message {
    mark: Mark::Stopped,
    title: "请重新打开链接",
    text: "这个页面只在打开它的那个微信里有效。请回到公众号，再点一次消息里的链接。",
    english: "This page only works in the WeChat that opened it. Go back to the chat and press the link again.",
};

/// The browser keeps no cookies.
pub const COOKIES_NEEDED: Message = Message {
    mark: Mark::Stopped,
    title: "需要允许 Cookie",
    text: "您的浏览器没有保存 Cookie，我们无法确认是同一部手机。请在微信里直接打开公众号消息里的链接；如果还是这样，请允许 Cookie 后再试一次。",
    english: "Your browser keeps no cookies, so this may be another phone. Open the link from the chat inside WeChat, or allow cookies and try again.",
};

/// It isn't set up.
pub const NOT_OFFERED: Message = Message {
    mark: Mark::Stopped,
    title: "没有这个页面",
    text: "这个公众号没有开启此功能。",
    english: "This account doesn't offer this page.",
};

/// A page with one message.
pub fn message(status: StatusCode, message: Message) -> HttpResponse {
    page(status, message.title, &said(message))
}

/// The login is confirmed, and the website still lacks a nickname.
pub fn confirmed_without_profile(profile_link: &str) -> HttpResponse {
    let body = format!(
        "{said}<p><a class=\"more\" href=\"{link}\">让网页显示我的昵称和头像 \
         <span lang=\"en\">Show my nickname and avatar</span></a></p>",
        said = said(CONFIRMED),
        link = escaped(profile_link),
    );
    page(StatusCode::OK, CONFIRMED.title, &body)
}

fn said(message: Message) -> String {
    let Message {
        mark,
        title,
        text,
        english,
    } = message;
    let (class, sign) = match mark {
        Mark::Done => ("done", "✓"),
        Mark::Stopped => ("stopped", "!"),
    };
    format!(
        "<p class=\"mark {class}\" aria-hidden=\"true\">{sign}</p><h1>{title}</h1><p>{text}</p>\
         <p class=\"english\" lang=\"en\">{english}</p>"
    )
}

/// The page that asks whether that browser may log in.
pub fn decision(question: &Question, ticket: &str) -> HttpResponse {
    let Question { site_name, scan } = question;
    let Scan {
        asker, opened_at, ..
    } = scan;
    let body = format!(
        "<h1>登录{site}？</h1><p class=\"english\" lang=\"en\">Sign in on this browser?</p>\
         <dl><div><dt>浏览器 <span lang=\"en\">Browser</span></dt><dd>{browser}</dd></div>\
         <div><dt>大致地址 <span lang=\"en\">Address</span></dt><dd>{address}</dd></div>\
         <div><dt>时间 <span lang=\"en\">Time</span></dt><dd>{time}</dd></div></dl>\
         <p>如果不是您本人在登录，请点「拒绝」。</p>\
         <form method=\"post\" action=\"\"><input type=\"hidden\" name=\"ticket\" value=\"{ticket}\">\
         <button name=\"decision\" value=\"confirm\">确认登录 <span lang=\"en\">Confirm</span></button>\
         <button name=\"decision\" value=\"deny\" class=\"deny\">拒绝 <span lang=\"en\">Deny</span></button></form>",
        site = escaped(site_name),
        browser = escaped(&asker.description),
        address = escaped(&asker.address),
        time = in_china(*opened_at),
        ticket = escaped(ticket),
    );
    page(StatusCode::OK, "确认登录", &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> HttpResponse {
    let html = format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"style.css\"></head><body><main>{body}</main></body></html>"
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .insert_header((header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .body(html)
}

/// The time on the clocks of most who read it, with its zone, since a server's own clock is UTC.
fn in_china(at: Timestamp) -> String {
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    at.to_zoned(zone)
        .strftime("%Y-%m-%d %H:%M (UTC+8)")
        .to_string()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_calls_itself_cannot_become_markup() {
        assert_eq!(
            escaped("<b onload='x'>\"&"),
            "&lt;b onload=&#39;x&#39;&gt;&quot;&amp;"
        );
    }

    #[test]
    fn times_are_those_of_the_readers_clock() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(in_china(at), "2023-11-15 06:13 (UTC+8)");
    }
}
