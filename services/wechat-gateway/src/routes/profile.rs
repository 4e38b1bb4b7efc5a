//! `/wechat/oauth/profile`: a person shows nickname and avatar.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{LOCATION, RETRY_AFTER},
    },
    web::{Data, Query},
};
use jiff::Timestamp;
use login_protocol::{
    identity::{AppId, MemberId},
    steps::{Exchanger, RecordProfile},
};
use serde::Deserialize;
use service_kit::{client_address::TrustedProxies, redis::Store};

use crate::{
    phone::{links::PhoneLinks, pages},
    wechat::{
        profile,
        web_authorization::{AuthorizationError, Scope, WebAuthorization},
    },
};

/// Codes that were brought here are good for nothing else.
const PURPOSE: &str = "profile";

/// The state of pages that keep none: whose phone it is comes from the code alone.
pub(super) const STATE: &str = "login";

/// What web authorisation returns with.
#[derive(Deserialize)]
pub(super) struct Returned {
    #[serde(default)]
    code: String,
    /// Set when the first code was spent already.
    #[serde(default)]
    again: bool,
}

/// `GET`: off to WeChat's consent.
pub(super) async fn ask(
    links: Data<PhoneLinks>,
    authorization: Data<WebAuthorization>,
) -> HttpResponse {
    match links.profile_return() {
        Some(return_to) => {
            redirect(&authorization.authorize_url(Scope::UserInfo, &return_to, STATE))
        }
        None => pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED),
    }
}

/// `GET …/return`: back with a code.
pub(super) async fn store(
    request: HttpRequest,
    returned: Query<Returned>,
    links: Data<PhoneLinks>,
    authorization: Data<WebAuthorization>,
    proxies: Data<TrustedProxies>,
    app_id: Data<AppId>,
    store: Data<Store>,
) -> HttpResponse {
    let exchange = {
        let authorization = Arc::clone(&authorization);
        let (app_id, code) = (app_id.as_ref().clone(), returned.code.clone());
        let client = Exchanger::Client(proxies.client(&request));
        async move {
            authorization.admit(client).await?;
            let person = authorization.recognise(&code).await?;
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
    match authorization
        .once_per_code(PURPOSE, &returned.code, exchange)
        .await
    {
        Ok(next) => redirect(&next),
        Err(AuthorizationError::SpentCode) if !returned.again => match links.profile_return() {
            Some(mut return_to) => {
                return_to.query_pairs_mut().append_pair("again", "true");
                redirect(&authorization.authorize_url(Scope::UserInfo, &return_to, STATE))
            }
            None => pages::message(StatusCode::NOT_FOUND, pages::NOT_OFFERED),
        },
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

pub(super) fn redirect(address: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, address))
        .insert_header((actix_web::http::header::CACHE_CONTROL, "no-store"))
        .finish()
}

pub(super) fn failed(error: &AuthorizationError) -> HttpResponse {
    if let AuthorizationError::TooMany { retry_after } = error {
        tracing::warn!(
            "too many authorisation codes from one address; if it is a reverse proxy's: name it in \
             public.trusted_proxies"
        );
        let mut page = pages::message(StatusCode::TOO_MANY_REQUESTS, pages::TOO_MANY);
        let seconds = retry_after.as_secs() + 1;
        page.headers_mut().insert(RETRY_AFTER, seconds.into());
        return page;
    }
    if matches!(error, AuthorizationError::Snapshot) {
        return pages::message(StatusCode::FORBIDDEN, pages::SNAPSHOT);
    }
    tracing::warn!(%error, "web authorisation failed");
    pages::message(StatusCode::SERVICE_UNAVAILABLE, pages::FAILED)
}
