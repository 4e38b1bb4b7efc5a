//! The pages that WeChat shows on the phone: the question, and what went wrong.

use actix_web::HttpResponse;
use actix_web::http::header;
use url::Url;

use super::request::AuthorizeRequest;
use crate::account::{NAME, PICTURE};
use crate::people::Person;

/// Nothing but the style sheets, and pictures from anywhere: an avatar may have any address, and
/// the second call of a return address is made as one. Forms are left free, since browsers apply
/// `form-action` to the redirect behind a form as well.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' http: https: data:; \
    base-uri 'none'; frame-ancestors 'none'";

/// Why web authorisation cannot begin. The numbers are those that WeChat shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorPage {
    /// The page was not opened inside WeChat.
    NotInWechat,
    /// Parameters in another order than WeChat wants, or a value that none of them has.
    Parameters,
    /// The phone followed an address without `#wechat_redirect`.
    Fragment,
    /// The AppID of no account.
    AppId,
    /// No `appid`: 10012.
    NoAppId,
    /// No `redirect_uri`: 10011.
    NoRedirectUri,
    /// No `scope`: 10010.
    NoScope,
    /// The return address is not on the console's list: 10003.
    RedirectUri,
    /// The account may not use this scope, or there is no such scope: 10005.
    Scope,
}

impl ErrorPage {
    /// What the page says.
    fn text(self) -> &'static str {
        match self {
            Self::NotInWechat => "请在微信客户端打开链接",
            Self::Parameters => "参数错误，链接中参数的顺序或内容不正确",
            Self::Fragment => "参数错误，链接缺少 #wechat_redirect",
            Self::AppId => "AppID 参数错误，错误码：40013",
            Self::NoAppId => "appid 不能为空，错误码：10012",
            Self::NoRedirectUri => "redirect_uri 不能为空，错误码：10011",
            Self::NoScope => "scope 不能为空，错误码：10010",
            Self::RedirectUri => "redirect_uri 域名与后台配置不一致，错误码：10003",
            Self::Scope => "此公众号并没有这些 scope 的权限，错误码：10005",
        }
    }

    /// The same in English, with what to do about it.
    fn english(self) -> &'static str {
        match self {
            Self::NotInWechat => {
                "Open this link from the phone page, in the same browser and under the same host name."
            }
            Self::Parameters => {
                "The order must be appid, redirect_uri, response_type=code, scope, state."
            }
            Self::Fragment => "The address must end with #wechat_redirect.",
            Self::AppId => "No account has this appid.",
            Self::NoAppId | Self::NoRedirectUri | Self::NoScope => "A parameter is missing.",
            Self::RedirectUri => {
                "The return address is not on the console's list of domains (网页授权域名)."
            }
            Self::Scope => "The account has no permission for this scope: it must be certified.",
        }
    }
}

/// The page for what went wrong. The status is 200, as WeChat's is.
pub(crate) fn error(error: ErrorPage) -> String {
    let way_out = match error {
        ErrorPage::NotInWechat => {
            "<p><a class=\"button\" href=\"/\">打开模拟手机 · Open the phone</a></p>"
        }
        _ => "",
    };
    let body = format!(
        "<p class=\"web-mark\" aria-hidden=\"true\">!</p><h1>{}</h1><p class=\"web-english\" lang=\"en\">{}</p>{way_out}",
        error.text(),
        error.english(),
    );
    page("", "微信", &body)
}

/// The page after a refusal.
pub(crate) fn refused() -> String {
    let body = "<p class=\"web-mark\" aria-hidden=\"true\">×</p><h1>你拒绝了授权</h1>\
        <p>网页得不到你的昵称和头像。可以关闭这个页面。</p>\
        <p class=\"web-english\" lang=\"en\">You refused. You can close this page.</p>";
    page("", "微信", body)
}

/// The page that asks for nickname and avatar.
pub(crate) fn consent(request: &AuthorizeRequest, person: &Person, public_url: &str) -> String {
    let body = format!(
        "<img class=\"avatar large\" src=\"{PICTURE}\" alt=\"\"><h1>{NAME}</h1>\
         <p class=\"web-host\">{host}</p>\
         <div class=\"web-asks\"><h2>申请获取并使用你的昵称、头像 \
         <span lang=\"en\">Wants your nickname and avatar</span></h2>\
         <div class=\"row\"><img class=\"avatar\" src=\"{avatar}\" alt=\"\"><span class=\"row-words\">\
         <span class=\"row-name\">{nickname}</span><span class=\"row-preview\">微信个人信息</span></span></div></div>\
         <form class=\"web-answers\" method=\"post\">\
         <button class=\"button wide\" name=\"decision\" value=\"allow\">允许 <span lang=\"en\">Allow</span></button>\
         <button class=\"button wide quiet\" name=\"decision\" value=\"deny\">拒绝 <span lang=\"en\">Deny</span></button>\
         </form>",
        host = escaped(request.host()),
        avatar = escaped(&person.avatar_address(public_url)),
        nickname = escaped(&person.nickname),
    );
    page("", "微信登录", &body)
}

/// A page that calls the return address as a picture first and goes there a second later.
pub(crate) fn back_twice(address: &Url) -> String {
    let address = escaped(address.as_str());
    let head = format!("<meta http-equiv=\"refresh\" content=\"1;url={address}\">");
    let body = format!(
        "<img hidden src=\"{address}\" alt=\"\"><p class=\"web-english\"><a href=\"{address}\">…</a></p>"
    );
    page(&head, "微信", &body)
}

/// Sends one of these pages.
pub(crate) fn respond(html: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(html)
}

fn page(head: &str, title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\
         <meta name=\"color-scheme\" content=\"light dark\">{head}<title>{title}</title>\
         <link rel=\"icon\" href=\"{PICTURE}\" type=\"image/svg+xml\">\
         <link rel=\"stylesheet\" href=\"/phone/styles/desk.css\">\
         <link rel=\"stylesheet\" href=\"/phone/styles/parts.css\">\
         <link rel=\"stylesheet\" href=\"/phone/styles/web_pages.css\"></head>\
         <body class=\"web-page\"><main>{body}</main></body></html>"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
