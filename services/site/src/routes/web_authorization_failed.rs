//! `GET /login/wechat/stopped`: tells somebody who came back from WeChat why they aren't logged in.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use url::form_urlencoded;

use super::{query::parameter, security_headers};
use crate::{allowed_origins::AllowedOrigins, login::WebAuthorizationError, return_to::ReturnTo};

/// The page's path.
pub(super) const PATH: &str = "/login/wechat/stopped";

/// Why a callback logged nobody in, as far as its visitor can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    StateMismatch,
    ConsentMissing,
    Snapshot,
    AttemptOver,
    SpentCode,
    Unavailable,
}

const ALL: [Failure; 6] = [
    Failure::StateMismatch,
    Failure::ConsentMissing,
    Failure::Snapshot,
    Failure::AttemptOver,
    Failure::SpentCode,
    Failure::Unavailable,
];

impl Failure {
    /// Its name in addresses and metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::StateMismatch => "elsewhere",
            Self::ConsentMissing => "declined",
            Self::Snapshot => "snapshot",
            Self::AttemptOver => "over",
            Self::SpentCode => "spent_code",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<&WebAuthorizationError> for Failure {
    fn from(error: &WebAuthorizationError) -> Self {
        match error {
            WebAuthorizationError::StateMismatch => Self::StateMismatch,
            WebAuthorizationError::ConsentMissing => Self::ConsentMissing,
            WebAuthorizationError::Snapshot => Self::Snapshot,
            WebAuthorizationError::AttemptOver => Self::AttemptOver,
            WebAuthorizationError::SpentCode => Self::SpentCode,
            WebAuthorizationError::Gateway(_)
            | WebAuthorizationError::Store(_)
            | WebAuthorizationError::Randomness(_) => Self::Unavailable,
        }
    }
}

/// What the page says; Chinese first, as WeChat's users read it.
struct Words {
    title: &'static str,
    text: &'static str,
    english: &'static str,
}

const fn words(failure: Failure) -> Words {
    match failure {
        Failure::StateMismatch => Words {
            title: "请从头登录",
            text: "这次登录不是从这个浏览器开始的，您没有被登录。请回到网页，重新点登录。",
            english: "This login began in another browser, so nobody was signed in. Go back and log in from there.",
        },
        Failure::ConsentMissing => Words {
            title: "您没有同意授权",
            text: "没有您的同意，网页无法认出您。改变主意的话，可以回去再点一次登录。",
            english: "Without your consent the website can\u{2019}t know you. You can go back and try again.",
        },
        Failure::Snapshot => Words {
            title: "请使用完整服务",
            text: "您打开的是网页快照，我们无法认出您。请回到网页，点页面底部的「使用完整服务」，再登录一次。",
            english: "This is a snapshot of the page. Go back, tap \u{201c}使用完整服务\u{201d} at the bottom, and log in again.",
        },
        Failure::AttemptOver => Words {
            title: "这次登录已结束",
            text: "时间太久，或者已经登录过了。请回到网页，重新点登录。",
            english: "This login is over. Go back and log in again.",
        },
        Failure::SpentCode => Words {
            title: "请再试一次",
            text: "微信的授权已经用过或过期了。请回到网页，重新点登录。",
            english: "WeChat\u{2019}s permission was used before or is too old. Go back and log in again.",
        },
        Failure::Unavailable => Words {
            title: "暂时无法登录",
            text: "微信或登录服务没有回应。请稍后回到网页，再试一次。",
            english: "WeChat or the login service isn\u{2019}t responding. Try again in a moment.",
        },
    }
}

/// Where to send a browser from the callback. It holds neither code nor state, and is relative, so
/// that a path in front of the site's own doesn't matter.
pub(super) fn address(failure: Failure, return_to: &ReturnTo) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("because", failure.name())
        .append_pair("return_to", return_to.as_str())
        .finish();
    format!("wechat/stopped?{query}")
}

/// The page. Its status says that there is such a page; what failed was answered with the redirect.
pub(super) async fn page(request: HttpRequest, allowed: Data<AllowedOrigins>) -> HttpResponse {
    let because = parameter(&request, "because");
    let failure = ALL.into_iter().find(|failure| failure.name() == because);
    let Words {
        title,
        text,
        english,
    } = words(failure.unwrap_or(Failure::AttemptOver));
    let return_to = ReturnTo::parse(&parameter(&request, "return_to"), &allowed);
    let html = format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         <link rel=\"icon\" href=\"../../assets/icon.svg\" type=\"image/svg+xml\">\
         <link rel=\"stylesheet\" href=\"../../assets/login-stopped.css\"></head><body><main>\
         <p class=\"mark\" aria-hidden=\"true\">!</p><h1>{title}</h1><p>{text}</p>\
         <p class=\"english\" lang=\"en\">{english}</p>\
         <a class=\"back\" href=\"{}\">返回网页 <span lang=\"en\">Back</span></a></main></body></html>",
        escaped(return_to.as_str())
    );
    let mut response = HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(html);
    security_headers::add_for_page(response.headers_mut());
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
