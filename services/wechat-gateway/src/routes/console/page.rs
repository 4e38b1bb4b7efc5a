//! What the console's answers have in common: who asks, the headers, and pages of few words.

use std::{fmt::Display, future::Future, pin::Pin, time::Duration};

use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder,
    dev::Payload,
    error::InternalError,
    http::{StatusCode, header},
    web::Data,
};
use askama::Template;
use service_kit::{random::NoRandomness, redis::StoreError};

use crate::audit::{Actor, AuditError};
use crate::console::{
    Console,
    language::Language,
    pages::{Layout, Message, Place},
    sessions::{self, Owner},
};

/// The console's first page.
pub(super) const BASE: &str = "/console";
/// Where a browser signs in.
pub(super) const SIGN_IN: &str = "/console/sign-in";

/// How often the overview is renewed, in milliseconds.
const RENEWED_MS: u32 = 10_000;

/// Nothing but the console's own files, and forms to its own listener.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A browser that is signed in, and its language. Another one is led to where it can sign in.
pub(super) struct Visit {
    /// Who.
    pub(super) owner: Owner,
    /// What is said to them.
    pub(super) say: Language,
}

impl FromRequest for Visit {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let say = Language::of(&request);
            let response = match of_console(&request) {
                None => HttpResponse::NotFound().finish(),
                Some(console) => match console
                    .sessions
                    .owner(&request, console.is_https(&request))
                    .await
                {
                    Ok(Some(owner)) => return Ok(Self { owner, say }),
                    Ok(None) => redirect(SIGN_IN),
                    Err(error) => store_failed(say, &error),
                },
            };
            Err(InternalError::from_response("not signed in", response).into())
        })
    }
}

fn of_console(request: &HttpRequest) -> Option<&Data<Console>> {
    request.app_data::<Data<Console>>()
}

impl Visit {
    pub(super) fn page<Content: Template + Display>(
        &self,
        here: Place,
        title: &str,
        content: &Content,
    ) -> HttpResponse {
        let token = self.owner.form_token();
        let layout = Layout {
            say: self.say,
            title,
            here,
            token: Some(&token),
            renewed_ms: (here == Place::Overview).then_some(RENEWED_MS),
            content,
        };
        respond(StatusCode::OK).body(layout.to_string())
    }

    /// Who acts, for the record.
    pub(super) fn actor(&self, request: &HttpRequest, console: &Console) -> Actor {
        console.actor(request, self.owner.openid())
    }

    /// What is answered to a form that isn't one of its own pages'.
    pub(super) fn refusal(&self, request: &HttpRequest, token: &str) -> Option<HttpResponse> {
        if !sessions::is_foreign(request) && self.owner.sent(token) {
            return None;
        }
        Some(foreign(self.say))
    }
}

/// What is answered to a form that isn't one of the console's own pages'.
pub(super) fn foreign(say: Language) -> HttpResponse {
    tracing::warn!("refused a form for the console that isn't one of its own pages'");
    let title = say.say(
        "这个请求不是从控制台发出的",
        "This request doesn't come from the console",
    );
    let text = say.say(
        "请回到控制台，再做一次。",
        "Go back to the console and do it again.",
    );
    say_in_short(say, StatusCode::FORBIDDEN, title, text)
}

pub(super) fn respond(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .insert_header((header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .insert_header((header::VARY, "Accept-Language, Cookie"));
    response
}

pub(super) fn redirect(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// A page of few words, for whoever may not be signed in.
pub(super) fn say_in_short(
    say: Language,
    status: StatusCode,
    title: &str,
    text: &str,
) -> HttpResponse {
    let content = Message {
        say,
        title,
        text,
        back: BASE,
    };
    outside(say, status, title, None, &content)
}

pub(super) fn outside<Content: Template + Display>(
    say: Language,
    status: StatusCode,
    title: &str,
    renewed_ms: Option<u32>,
    content: &Content,
) -> HttpResponse {
    let layout = Layout {
        say,
        title,
        here: Place::Outside,
        token: None,
        renewed_ms,
        content,
    };
    respond(status).body(layout.to_string())
}

pub(super) fn store_failed(say: Language, error: &StoreError) -> HttpResponse {
    error.log();
    let title = say.say("连接不上 Redis", "Redis can't be reached");
    let text = say.say(
        "现在无法登录，也看不到数据。检查 Redis 是否在运行，以及 GATEWAY__REDIS__URL；网关的日志里有详细信息。",
        "Nobody can log in, and there is nothing to show. Check that Redis runs, and GATEWAY__REDIS__URL; the gateway's log says more.",
    );
    say_in_short(say, StatusCode::SERVICE_UNAVAILABLE, title, text)
}

pub(super) fn not_found(say: Language) -> HttpResponse {
    let title = say.say("没有这个页面", "There is no such page");
    say_in_short(say, StatusCode::NOT_FOUND, title, "")
}

pub(super) fn nobody(say: Language) -> HttpResponse {
    let title = say.say("没有这个人", "There is no such person");
    let text = say.say("可能已经被删除。", "They may have been erased.");
    say_in_short(say, StatusCode::NOT_FOUND, title, text)
}

/// Something else on this host set a cookie of the console's name. A browser doesn't say which is
/// whose, and neither is believed.
pub(super) fn doubled(say: Language) -> &'static str {
    tracing::warn!("refused two cookies of a name that is the console's");
    say.say(
        "浏览器发来两个同名的 cookie，其中一个不是控制台设置的，可能是这台主机上的其他程序。请清除这个地址的 cookie，或者换一个浏览器窗口（无痕模式）再登录。",
        "The browser sent two cookies of the same name. One of them isn't the console's: other software on this host may have set it. Clear this address's cookies, or sign in in a private window.",
    )
}

/// How long until another sign-in is looked at, as a page says it.
pub(super) fn too_many(say: Language, retry_after: Duration) -> String {
    let minutes = retry_after.as_secs().div_ceil(60);
    match say {
        Language::Chinese => format!("失败次数太多，请 {minutes} 分钟后再试。"),
        Language::English => format!("Too many sign-ins failed. Try again in {minutes} min."),
    }
}

/// The same page, with the header that says when to come back.
pub(super) fn later(mut page: HttpResponse, retry_after: Duration) -> HttpResponse {
    let seconds = header::HeaderValue::from(retry_after.as_secs().max(1));
    page.headers_mut().insert(header::RETRY_AFTER, seconds);
    page
}

/// There is no randomness to make a secret of.
pub(super) fn no_randomness(say: Language, error: NoRandomness) -> HttpResponse {
    error.log();
    let title = say.say("暂时无法完成", "This isn't possible right now");
    say_in_short(say, StatusCode::SERVICE_UNAVAILABLE, title, "")
}

/// What the owner does can't be kept as an event, so it isn't done.
pub(super) fn not_kept(say: Language, error: AuditError) -> HttpResponse {
    match error {
        AuditError::Store(error) => store_failed(say, &error),
        AuditError::Randomness(error) => no_randomness(say, error),
    }
}
