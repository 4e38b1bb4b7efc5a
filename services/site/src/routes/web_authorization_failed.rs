//! `GET /login/wechat/stopped`: explains to somebody who came back from WeChat why they aren't
//! logged in.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use service_kit::pages::{self, Assets, Link, LinkKind, Mark, Notice};
use url::form_urlencoded;

use super::{query::parameter, security_headers};
use crate::{
    allowed_origins::AllowedOrigins, login::WebAuthorizationError, public_url::PublicUrl,
    return_to::ReturnTo,
};

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
    FollowingRequired,
    Banned,
    Unavailable,
}

const ALL: [Failure; 8] = [
    Failure::StateMismatch,
    Failure::ConsentMissing,
    Failure::Snapshot,
    Failure::AttemptOver,
    Failure::SpentCode,
    Failure::FollowingRequired,
    Failure::Banned,
    Failure::Unavailable,
];

impl Failure {
    /// Its name in URLs and metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::StateMismatch => "elsewhere",
            Self::ConsentMissing => "declined",
            Self::Snapshot => "snapshot",
            Self::AttemptOver => "over",
            Self::SpentCode => "spent_code",
            Self::FollowingRequired => "not_following",
            Self::Banned => "banned",
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
            WebAuthorizationError::FollowingRequired => Self::FollowingRequired,
            WebAuthorizationError::Banned => Self::Banned,
            WebAuthorizationError::Gateway(_)
            | WebAuthorizationError::Store(_)
            | WebAuthorizationError::Randomness(_) => Self::Unavailable,
        }
    }
}

/// What the page says; Chinese first, as WeChat's users read it.
const fn notice(failure: Failure) -> Notice<'static> {
    let (title, text, english) = match failure {
        Failure::StateMismatch => (
            "请从头登录",
            "这次登录不是从这个浏览器开始的，您没有被登录。请回到网页，重新点登录。",
            "This login was started in another browser, so nobody was signed in. Go back and log in again.",
        ),
        Failure::ConsentMissing => (
            "您没有同意授权",
            "没有您的同意，网页无法认出您。改变主意的话，可以回去再点一次登录。",
            "Without your consent the website can\u{2019}t identify you. You can go back and try again.",
        ),
        Failure::Snapshot => (
            "请使用完整服务",
            "您打开的是网页快照，我们无法认出您。请回到网页，点页面底部的「使用完整服务」，再登录一次。",
            "This is a snapshot of the page. Go back, tap \u{201c}使用完整服务\u{201d} at the bottom, and log in again.",
        ),
        Failure::AttemptOver => (
            "这次登录已结束",
            "登录已超时，或者已经完成。请回到网页，重新点登录。",
            "This login is over. Go back and log in again.",
        ),
        Failure::SpentCode => (
            "请再试一次",
            "微信的授权已被使用或已过期。请回到网页，重新点登录。",
            "WeChat\u{2019}s authorisation was already used or has expired. Go back and log in again.",
        ),
        Failure::FollowingRequired => (
            "请先关注公众号",
            "关注公众号后才能登录。请先关注，再回到网页，重新点登录。",
            "Only followers of the official account can log in. Follow it first, then go back and log in again.",
        ),
        Failure::Banned => (
            "您不能登录",
            "您的登录权限已被停用，这次没有登录。如有疑问，请联系网站管理员。",
            "You have been banned, so nobody was signed in. If in doubt, ask whoever runs the website.",
        ),
        Failure::Unavailable => (
            "暂时无法登录",
            "微信或登录服务没有响应。请稍后回到网页，再试一次。",
            "WeChat or the login service isn\u{2019}t responding. Try again in a moment.",
        ),
    };
    Notice {
        mark: Mark::Stopped,
        title,
        text,
        english,
        link: None,
    }
}

/// Where to send a browser from the callback. It contains neither code nor state, and is relative,
/// so that a path prefix doesn't matter.
pub(super) fn address(failure: Failure, return_to: &ReturnTo) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("because", failure.name())
        .append_pair("return_to", return_to.as_str())
        .finish();
    format!("wechat/stopped?{query}")
}

/// The page. Its status says that there is such a page; what failed was answered with the redirect.
pub(super) async fn page(
    request: HttpRequest,
    allowed: Data<AllowedOrigins>,
    public_url: Data<PublicUrl>,
) -> HttpResponse {
    let because = parameter(&request, "because");
    let failure = ALL.into_iter().find(|failure| failure.name() == because);
    let return_to = ReturnTo::parse(&parameter(&request, "return_to"), &allowed);
    let notice = Notice {
        link: Some(Link {
            kind: LinkKind::Back,
            url: return_to.as_str(),
            text: "返回网页",
            english: "Back",
        }),
        ..notice(failure.unwrap_or(Failure::AttemptOver))
    };
    // Not relative, since a slash at the path's end changes what the page's own folder is.
    let assets = Assets {
        style_sheet: &public_url.path_of("/assets/login-stopped.css"),
        icon: Some(&public_url.path_of("/assets/icon.svg")),
    };
    let mut response = HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(pages::render(notice.title, assets, &notice));
    security_headers::add_for_page(response.headers_mut());
    response
}
