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
use service_kit::{client_address::TrustedProxies, redis::Store};

use crate::{
    phone::{
        consent_trip::{ConsentTrips, Errand, Returned, redirect},
        links::PhoneLinks,
        pages,
    },
    wechat::{
        profile,
        web_authorization::{AuthorizationError, Scope, WebAuthorization},
    },
};

fn errand(links: &PhoneLinks) -> Option<Errand> {
    Some(Errand {
        name: "profile".to_owned(),
        scope: Scope::UserInfo,
        return_to: links.profile_return()?,
    })
}

/// `GET`: off to WeChat's consent.
pub(super) async fn ask(
    request: HttpRequest,
    links: Data<PhoneLinks>,
    trips: Data<ConsentTrips>,
) -> HttpResponse {
    match errand(&links) {
        Some(errand) => trips.depart(&request, &errand),
        None => pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED),
    }
}

/// `GET …/return`: back with a code.
pub(super) async fn store(
    request: HttpRequest,
    links: Data<PhoneLinks>,
    trips: Data<ConsentTrips>,
    authorization: Data<WebAuthorization>,
    proxies: Data<TrustedProxies>,
    app_id: Data<AppId>,
    store: Data<Store>,
) -> HttpResponse {
    let returned = Returned::of(&request);
    let Some(errand) = errand(&links) else {
        trips.discard(&request, &returned);
        return pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED);
    };
    let browser = match trips.arrive(&request, &errand, &returned) {
        Ok(browser) => browser,
        Err(elsewhere) => return trips.turn_away(&request, &errand, &returned, elsewhere),
    };
    let exchange = {
        let authorization = Arc::clone(&authorization);
        let (app_id, code) = (app_id.as_ref().clone(), returned.code.clone());
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
            Ok(if kept { "../thanks" } else { "../follow-first" }.to_owned())
        }
    };
    // The code is good for nothing else, and for no other browser.
    let purpose = format!("profile {}", browser.name());
    match authorization
        .once_per_code(&purpose, &returned.code, exchange)
        .await
    {
        Ok(next) => redirect(&next),
        Err(AuthorizationError::SpentCode | AuthorizationError::ConsentMissing)
            if !returned.again =>
        {
            trips.depart_again(&request, &errand)
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
