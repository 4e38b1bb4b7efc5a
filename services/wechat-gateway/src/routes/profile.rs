//! `/wechat/oauth/profile`: a person shows nickname and avatar.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::RETRY_AFTER},
    web::Data,
};
use jiff::Timestamp;
use login_protocol::{
    identity::{AppId, MemberId},
    steps::{Exchanger, RecordProfile},
};
use serde::{Deserialize, Serialize};
use service_kit::{client_address::TrustedProxies, redis::Store};

use crate::{
    phone::{
        links::PhoneLinks,
        pages,
        web_authorization::{AuthorizationRequest, BrowserAuthorization, Callback, redirect},
    },
    wechat::{
        profile,
        web_authorization::{AuthorizationError, Scope, WebAuthorization},
    },
};

/// What came of a code. The version before kept where the browser is sent.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Nickname and avatar are stored.
    #[serde(alias = "../thanks")]
    Kept,
    /// Who doesn't follow has no record to keep them in.
    #[serde(alias = "../follow-first")]
    NotFollowing,
}

fn authorization_request(links: &PhoneLinks) -> Option<AuthorizationRequest> {
    Some(AuthorizationRequest {
        purpose: "profile".to_owned(),
        scope: Scope::UserInfo,
        redirect_uri: links.profile_return()?,
    })
}

/// `GET`: off to WeChat's consent.
pub(super) async fn ask(
    request: HttpRequest,
    links: Data<PhoneLinks>,
    browsers: Data<BrowserAuthorization>,
) -> HttpResponse {
    match authorization_request(&links) {
        Some(wanted) => browsers.begin(&request, &wanted),
        None => pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED),
    }
}

/// `GET …/return`: back with a code.
pub(super) async fn store(
    request: HttpRequest,
    links: Data<PhoneLinks>,
    browsers: Data<BrowserAuthorization>,
    authorization: Data<WebAuthorization>,
    proxies: Data<TrustedProxies>,
    app_id: Data<AppId>,
    store: Data<Store>,
) -> HttpResponse {
    let callback = Callback::of(&request);
    let Some(wanted) = authorization_request(&links) else {
        browsers.discard(&request, &callback);
        return pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED);
    };
    let browser = match browsers.verify(&request, &wanted, &callback) {
        Ok(browser) => browser,
        Err(mismatch) => return browsers.turn_away(&request, &wanted, &callback, mismatch),
    };
    let exchange = {
        let authorization = Arc::clone(&authorization);
        let (app_id, code) = (app_id.as_ref().clone(), callback.code.clone());
        let client = Exchanger::Client(proxies.client(&request));
        async move {
            let person = authorization
                .recognise(client, &code, Scope::UserInfo)
                .await?;
            let info = authorization.profile(&person).await;
            let unionid = person.unionid().map(str::to_owned);
            let openid = person.openid;
            let step = RecordProfile {
                member: MemberId { app_id, openid },
                at: Timestamp::now(),
                unionid,
                profile: info.as_ref().ok().map(profile::from_web_user_info),
            };
            // Also when only the UnionID is known.
            let kept = store.run(&step).await?;
            info?;
            metrics::counter!("profiles_shown_total", "kept" => if kept { "yes" } else { "no" })
                .increment(1);
            Ok(if kept {
                Outcome::Kept
            } else {
                Outcome::NotFollowing
            })
        }
    };
    // The code is good for nothing else, and for no other browser.
    let purpose = format!("profile {}", browser.name());
    match authorization
        .once_per_code(&purpose, &callback.code, exchange)
        .await
    {
        Ok(Outcome::Kept) => redirect("../thanks"),
        Ok(Outcome::NotFollowing) => redirect("../follow-first"),
        Err(AuthorizationError::SpentCode | AuthorizationError::ConsentMissing)
            if !callback.again =>
        {
            browsers.begin_again(&request, &wanted)
        }
        Err(AuthorizationError::TooMany { retry_after }) => {
            tracing::warn!(
                "too many authorisation codes from one address; if it is a reverse proxy's: name it in \
                 public.trusted_proxies"
            );
            too_many(retry_after)
        }
        Err(error) => failed(&error),
    }
}

/// `GET /wechat/oauth/thanks`.
pub(super) async fn thanks() -> HttpResponse {
    pages::message(StatusCode::OK, pages::THANKS)
}

/// `GET /wechat/oauth/follow-first`.
pub(super) async fn follow_first() -> HttpResponse {
    pages::message(StatusCode::OK, pages::FOLLOW_FIRST)
}

pub(super) fn too_many(retry_after: Duration) -> HttpResponse {
    let mut page = pages::message(StatusCode::TOO_MANY_REQUESTS, pages::TOO_MANY);
    let seconds = retry_after.as_secs() + 1;
    page.headers_mut().insert(RETRY_AFTER, seconds.into());
    page
}

pub(super) fn failed(error: &AuthorizationError) -> HttpResponse {
    match error {
        AuthorizationError::Snapshot => pages::message(StatusCode::FORBIDDEN, pages::SNAPSHOT),
        AuthorizationError::ConsentMissing => {
            pages::message(StatusCode::FORBIDDEN, pages::START_AGAIN)
        }
        AuthorizationError::TooMany { retry_after } => too_many(*retry_after),
        error => {
            tracing::warn!(%error, "web authorisation failed");
            pages::message(StatusCode::SERVICE_UNAVAILABLE, pages::FAILED)
        }
    }
}
