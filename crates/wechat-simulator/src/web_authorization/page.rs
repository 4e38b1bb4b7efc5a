//! The pages that WeChat shows on the phone: the question, and what went wrong.

use actix_web::HttpResponse;
use actix_web::http::header;
use url::Url;

use super::error_page::ErrorPage;
use super::request::AuthorizeRequest;
use crate::account::{NAME, PICTURE};
use crate::people::Person;

/// Nothing but the style sheets, and pictures from anywhere: an avatar may have any address, and
/// the second call of a return address is made as one. Forms are left free, since browsers apply
/// `form-action` to the redirect behind a form as well.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' http: https: data:; \
    base-uri 'none'; frame-ancestors 'none'";

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
