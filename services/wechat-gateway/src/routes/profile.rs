//! `/wechat/oauth/profile`: a person shows nickname and avatar.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{
    account::AccountInPath,
    phone::{redirect, to_wechat, unauthorized},
};
use crate::{
    phone::{
        browser::PhoneVisit,
        page_authorization::{AuthorizationResponse, Authorized, PageAuthorizationError},
        pages,
        profile::Shown,
    },
    wechat::web_authorization::AuthorizationError,
};

/// `GET`: off to WeChat's consent.
pub(super) async fn ask(visit: PhoneVisit, account: AccountInPath) -> HttpResponse {
    match account.profiles.begin(&visit) {
        Ok(to) => to_wechat(&to),
        Err(error) => unauthorized(&error),
    }
}

/// `GET …/return`: back with a code.
pub(super) async fn store(
    request: HttpRequest,
    visit: PhoneVisit,
    account: AccountInPath,
) -> HttpResponse {
    let response = AuthorizationResponse::of(request.query_string());
    match account.profiles.store(&visit, &response).await {
        Ok(Authorized::Done(Shown::Kept)) => redirect("../thanks"),
        Ok(Authorized::Done(Shown::NotFollowing)) => redirect("../follow-first"),
        Ok(Authorized::Retry(to)) => to_wechat(&to),
        Err(error) => {
            if let PageAuthorizationError::Authorization(AuthorizationError::TooMany { .. }) = error
            {
                tracing::warn!(
                    "too many refused authorisation codes from one IP address; if it is a reverse proxy, add it to \
                     public.trusted_proxies"
                );
            }
            unauthorized(&error)
        }
    }
}

/// `GET /wechat/oauth/thanks`.
pub(super) async fn thanks(_: AccountInPath) -> HttpResponse {
    pages::message(StatusCode::OK, pages::THANKS)
}

/// `GET /wechat/oauth/follow-first`.
pub(super) async fn follow_first(_: AccountInPath) -> HttpResponse {
    pages::message(StatusCode::OK, pages::FOLLOW_FIRST)
}
