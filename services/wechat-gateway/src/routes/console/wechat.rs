//! `/console/sign-in/wechat`: signing in by WeChat, where the settings name somebody who may.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Form, Query},
};
use login_protocol::attempt::AttemptStatus;
use serde::Deserialize;

use super::page::{
    BASE, doubled, foreign, later, no_randomness, not_found, not_kept, outside, redirect,
    say_in_short, store_failed, too_many,
};
use crate::{
    audit::OwnerAction,
    console::{
        Console,
        language::Language,
        pages::{Stage, WechatSignInPage},
        sessions::{self, OpenError},
        wechat_sign_in::{self, BeginError, FinishError, Finished, Waiter},
    },
};

const WAITING: &str = "/console/sign-in/wechat";

/// How often the page looks at the phone, in milliseconds.
const RENEWED_MS: u32 = 1500;

fn page(say: Language, status: StatusCode, stage: Stage) -> HttpResponse {
    let title = say.say("用微信登录", "Sign in by WeChat");
    let content = WechatSignInPage { say, stage };
    let renewed_ms = (!content.is_at_end()).then_some(RENEWED_MS);
    outside(say, status, title, renewed_ms, &content)
}

/// `POST /console/sign-in/wechat`: shows the browser a code. Always a new one, for a browser that
/// brings a cookie may have been given it by a stranger.
pub(super) async fn begin(request: HttpRequest, console: Data<Console>) -> HttpResponse {
    let say = Language::of(&request);
    let Some(wechat) = &console.wechat else {
        return not_found(say);
    };
    if sessions::is_foreign(&request) {
        return foreign(say);
    }
    let client = console.proxies.client(&request);
    let user_agent = request.headers().get(header::USER_AGENT);
    let user_agent = user_agent.and_then(|value| value.to_str().ok());
    match wechat.begin(user_agent.unwrap_or_default(), client).await {
        Ok(waiting) => {
            let mut response = redirect(&format!("{WAITING}?browser={}", waiting.page()));
            // A cookie's text is a header's.
            let _ = response.add_cookie(&waiting.cookie(console.is_https(&request)));
            response
        }
        Err(BeginError::TooMany { retry_after }) => {
            tracing::warn!("too many sign-ins to the console failed");
            let title = too_many(say, retry_after);
            let page = say_in_short(say, StatusCode::TOO_MANY_REQUESTS, &title, "");
            later(page, retry_after)
        }
        Err(BeginError::Prompt(error)) => {
            tracing::warn!(%error, "there is no code to sign in to the console by");
            let title = say.say("现在拿不到二维码", "There is no code right now");
            let text = say.say(
                "先用密钥登录，概览页会说明原因。",
                "Sign in by the key: the overview says why.",
            );
            say_in_short(say, StatusCode::SERVICE_UNAVAILABLE, title, text)
        }
        Err(BeginError::Randomness(error)) => no_randomness(say, error),
        Err(BeginError::Store(error)) => store_failed(say, &error),
    }
}

#[derive(Deserialize)]
pub(super) struct Looking {
    /// A digest of its cookie.
    #[serde(default)]
    browser: String,
}

/// `GET /console/sign-in/wechat`: where it stands, for the browser that asked for the code. Whoever
/// was led here, or was given another's cookie, would confirm another's sign-in.
pub(super) async fn look(
    request: HttpRequest,
    looking: Query<Looking>,
    console: Data<Console>,
) -> HttpResponse {
    let say = Language::of(&request);
    let Some(wechat) = &console.wechat else {
        return not_found(say);
    };
    let waiting = match Waiter::of(&request, console.is_https(&request)) {
        Waiter::One(waiting) if waiting.is_at(&looking.browser) => waiting,
        Waiter::One(_) | Waiter::Nobody => return page(say, StatusCode::OK, Stage::Over),
        Waiter::Doubled => return page(say, StatusCode::FORBIDDEN, Stage::Doubled(doubled(say))),
    };
    if sessions::is_foreign(&request) {
        return page(say, StatusCode::FORBIDDEN, Stage::Over);
    }
    let attempt = match wechat.look(&waiting).await {
        Ok(attempt) => attempt,
        Err(error) => return store_failed(say, &error),
    };
    let Some(attempt) = attempt else {
        return page(say, StatusCode::OK, Stage::Over);
    };
    let stage = match attempt.status {
        AttemptStatus::Pending => match (attempt.code, attempt.digits) {
            (Some(code), _) => Stage::Code(code.content),
            (None, Some(shown)) => {
                Stage::Digits(shown.digits.as_str().to_owned(), shown.account_name)
            }
            (None, None) => Stage::Over,
        },
        AttemptStatus::Scanned => Stage::Scanned,
        AttemptStatus::Confirmed => Stage::Confirmed(waiting.form_token()),
        AttemptStatus::Denied => Stage::Denied,
        AttemptStatus::Consumed | AttemptStatus::Expired => Stage::Over,
    };
    page(say, StatusCode::OK, stage)
}

#[derive(Deserialize)]
pub(super) struct GoingOn {
    token: String,
}

/// `POST /console/sign-in/wechat/finish`: signs the browser in, if an owner confirmed.
pub(super) async fn finish(
    request: HttpRequest,
    sent: Form<GoingOn>,
    console: Data<Console>,
) -> HttpResponse {
    let say = Language::of(&request);
    let Some(wechat) = &console.wechat else {
        return not_found(say);
    };
    let waiting = match Waiter::of(&request, console.is_https(&request)) {
        Waiter::One(waiting) => waiting,
        Waiter::Nobody => return page(say, StatusCode::FORBIDDEN, Stage::Over),
        Waiter::Doubled => return page(say, StatusCode::FORBIDDEN, Stage::Doubled(doubled(say))),
    };
    if sessions::is_foreign(&request) || !waiting.sent(&sent.token) {
        return foreign(say);
    }
    let client = console.proxies.client(&request);
    let member = match wechat.finish(&waiting, client).await {
        Ok(Finished::Owner(member)) => member,
        Ok(Finished::Stranger) => {
            tracing::warn!("somebody who is no owner tried to sign in to the console by WeChat");
            let actor = console.actor(&request, None);
            if let Err(error) = console.record(actor, OwnerAction::SignInRefused).await {
                return not_kept(say, error);
            }
            return page(say, StatusCode::FORBIDDEN, Stage::Stranger);
        }
        Ok(Finished::Over) => return page(say, StatusCode::FORBIDDEN, Stage::Over),
        Err(FinishError::Randomness(error)) => return no_randomness(say, error),
        Err(FinishError::Store(error)) => return store_failed(say, &error),
    };
    match console.sessions.sign_in_as(member).await {
        Ok(owner) => {
            let actor = console.actor(&request, owner.openid());
            if let Err(error) = console.record(actor, OwnerAction::SignIn).await {
                return not_kept(say, error);
            }
            tracing::info!("somebody signed in to the console");
            let mut response = redirect(BASE);
            let is_https = console.is_https(&request);
            for cookie in [owner.cookie(is_https), wechat_sign_in::no_cookie(is_https)] {
                // A cookie's text is a header's.
                let _ = response.add_cookie(&cookie);
            }
            response
        }
        Err(OpenError::Store(error)) => store_failed(say, &error),
        Err(OpenError::Randomness(error)) => no_randomness(say, error),
    }
}
