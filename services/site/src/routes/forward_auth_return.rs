//! `GET /.wechat-login/return?code&return_to`: on another host, a visitor comes back from the login
//! with a code, which becomes a cookie of that host. Always answered without a trace of the code.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HOST, LOCATION},
    },
    web::Data,
};
use service_kit::{
    client_address::TrustedProxies,
    pages::{self, Assets, Link, LinkKind, Mark, Notice},
    problem::Problem,
    random,
};

use super::{forward_auth_page, query::parameter};
use crate::{
    cookies::Cookies,
    forward_auth::{
        ForwardAuth, Target, UnknownHost,
        marks::{HostSecret, ReturnCode},
    },
    sessions::{other_hosts::Return, store::Sessions},
};

/// The style sheet of the pages here, which come from other hosts.
pub(super) const STYLE: &str = "/.wechat-login/style.css";

/// Signs the browser in on this host.
pub(super) async fn come_back(
    request: HttpRequest,
    forward_auth: Data<ForwardAuth>,
    sessions: Data<Sessions>,
    proxies: Data<TrustedProxies>,
) -> Result<HttpResponse, Problem> {
    let return_to = parameter(&request, "return_to");
    let target = match here(&request, &forward_auth, &proxies, &return_to) {
        Ok(target) if !target.is_own() => target,
        // The site's own origin has the login's own cookie.
        _ => {
            return Ok(stopped(
                StatusCode::FORBIDDEN,
                &forward_auth_page::UNKNOWN_HOST,
            ));
        }
    };
    let again = target.url().as_str();
    let Some(mark) = Cookies::mark(&request, &target) else {
        count("elsewhere");
        return Ok(elsewhere(again));
    };
    let Some(code) = ReturnCode::parse(&parameter(&request, "code")) else {
        count("over");
        return Ok(over(again));
    };
    let secret = HostSecret::from_random(random::bytes()?);
    let outcome = sessions
        .redeem_return_code(&target, &code, &mark, secret)
        .await?;
    Ok(match outcome {
        Return::SignedIn(cookie) => {
            count("signed_in");
            HttpResponse::SeeOther()
                .insert_header((LOCATION, again))
                .cookie(Cookies::set_of_host(
                    &cookie,
                    &target,
                    sessions.cookie_lifetime(),
                ))
                .finish()
        }
        Return::Elsewhere => {
            count("elsewhere");
            elsewhere(again)
        }
        Return::Over => {
            count("over");
            over(again)
        }
    })
}

/// Where the visitor is, by the proxy's word or else by what they asked for. (Whoever makes up a
/// `Host` header of their own signs nobody else in.)
fn here(
    request: &HttpRequest,
    forward_auth: &ForwardAuth,
    proxies: &TrustedProxies,
    return_to: &str,
) -> Result<Target, UnknownHost> {
    if let Some(forwarded) = proxies.forwarded(request) {
        return forward_auth.on_host(forwarded.protocol, forwarded.host, return_to);
    }
    let host = request.headers().get(HOST).map(|host| host.to_str());
    let host = host.and_then(Result::ok).unwrap_or_default();
    forward_auth.on_host(proxies.protocol(request), host, return_to)
}

fn count(outcome: &'static str) {
    metrics::counter!("forward_auth_returns_total", "outcome" => outcome).increment(1);
}

fn elsewhere(again: &str) -> HttpResponse {
    let notice = Notice {
        mark: Mark::Stopped,
        title: "请从头登录",
        text: "这次登录不是从这个浏览器开始的，或者浏览器不保存 Cookie，您没有被登录。",
        english: "This login was started in another browser, or this one keeps no cookies. Nobody was signed in.",
        link: Some(start_again(again)),
    };
    stopped(StatusCode::FORBIDDEN, &notice)
}

fn over(again: &str) -> HttpResponse {
    let notice = Notice {
        mark: Mark::Stopped,
        title: "这个链接已失效",
        text: "登录链接只能用一次，一分钟内有效。",
        english: "This link was good for one minute, and once.",
        link: Some(start_again(again)),
    };
    stopped(StatusCode::GONE, &notice)
}

const fn start_again(url: &str) -> Link<'_> {
    Link {
        kind: LinkKind::Back,
        url,
        text: "重新登录",
        english: "Log in again",
    }
}

fn stopped(status: StatusCode, notice: &Notice<'_>) -> HttpResponse {
    let assets = Assets {
        style_sheet: STYLE,
        icon: None,
    };
    forward_auth_page::render(status, notice, assets)
}

/// `GET /.wechat-login/style.css`.
pub(super) async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("cache-control", "public, max-age=3600"))
        .body(pages::STYLE_SHEET)
}
