//! What the phone's pages have in common: who opens them, redirects and errors.

use std::{
    future::{Ready, ready},
    time::Duration,
};

use actix_web::{
    Error, FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    error::ErrorInternalServerError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION, RETRY_AFTER},
    },
    web::Data,
};

use crate::{
    phone::{
        browser::{PhoneBrowsers, PhoneVisit},
        page_authorization::{AuthorizationRedirect, PageAuthorizationError},
        pages,
    },
    wechat::web_authorization::AuthorizationError,
};

impl FromRequest for PhoneVisit {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let browsers = request.app_data::<Data<PhoneBrowsers>>();
        let visit = browsers.map(|browsers| browsers.visit(request));
        ready(visit.ok_or_else(|| ErrorInternalServerError("the phones' cookies have no name")))
    }
}

/// Redirects a browser. The URL may contain a code, a state or a ticket, so it isn't cached.
pub(super) fn redirect(address: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, address))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// Sends a browser to WeChat.
pub(super) fn to_wechat(to: &AuthorizationRedirect) -> HttpResponse {
    let mut response = redirect(&to.url);
    // It can't fail: the cookie's characters are base64url. A browser without it gets an error
    // later.
    let _ = response.add_cookie(&to.cookie);
    response
}

/// The page that says why a phone can't be recognised.
pub(super) fn unauthorized(error: &PageAuthorizationError) -> HttpResponse {
    let (status, message) = match error {
        PageAuthorizationError::NotOffered => (StatusCode::NOT_FOUND, pages::NOT_OFFERED),
        PageAuthorizationError::AnotherBrowser
        | PageAuthorizationError::Authorization(AuthorizationError::ConsentMissing) => {
            (StatusCode::FORBIDDEN, pages::START_AGAIN)
        }
        PageAuthorizationError::NoCookie => (StatusCode::FORBIDDEN, pages::COOKIES_NEEDED),
        PageAuthorizationError::Authorization(AuthorizationError::Snapshot) => {
            (StatusCode::FORBIDDEN, pages::SNAPSHOT)
        }
        PageAuthorizationError::Authorization(AuthorizationError::TooMany { retry_after }) => {
            return too_many(*retry_after);
        }
        PageAuthorizationError::Randomness(_)
        | PageAuthorizationError::Authorization(
            AuthorizationError::SpentCode
            | AuthorizationError::Wechat(_)
            | AuthorizationError::Store(_)
            | AuthorizationError::Randomness(_),
        ) => {
            tracing::warn!(%error, "web authorisation of a phone's page failed");
            (StatusCode::SERVICE_UNAVAILABLE, pages::FAILED)
        }
    };
    pages::message(status, message)
}

fn too_many(retry_after: Duration) -> HttpResponse {
    let mut page = pages::message(StatusCode::TOO_MANY_REQUESTS, pages::TOO_MANY);
    let seconds = retry_after.as_secs() + 1;
    page.headers_mut().insert(RETRY_AFTER, seconds.into());
    page
}
