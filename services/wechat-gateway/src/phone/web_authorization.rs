//! Web authorisation as the phone's browser sees it: off to WeChat with a `state`, and back with it. What the
//! gateway's pages have in common.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION},
    },
};
use service_kit::client_address::TrustedProxies;
use url::{Url, form_urlencoded};

use super::{
    browser::{PhoneBrowser, PhoneBrowsers},
    pages,
};
use crate::wechat::{
    stray_codes::StrayCodes,
    web_authorization::{Scope, WebAuthorization},
};

/// What a person is sent to WeChat for (RFC 6749, section 4.1.1).
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// What the page wants to know it for, and all that it is about. The `state` is made of it.
    pub purpose: String,
    /// What WeChat is to ask them.
    pub scope: Scope,
    /// Where WeChat sends them afterwards.
    pub redirect_uri: Url,
}

/// What they come back with (RFC 6749, section 4.1.2).
#[derive(Clone)]
pub struct Callback {
    /// WeChat's code; empty without one.
    pub code: String,
    /// Whether it is the second time: the first code was spent, or came to another browser.
    pub again: bool,
    state: String,
}

/// Why the `state` isn't one of this browser's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateMismatch {
    /// It went for something else, or somebody else did.
    AnotherRequest,
    /// It was never here, or keeps no cookies.
    NoCookie,
}

/// Sends browsers to WeChat and knows them again.
pub struct BrowserAuthorization {
    authorization: Arc<WebAuthorization>,
    stray_codes: Arc<StrayCodes>,
    browsers: PhoneBrowsers,
    proxies: TrustedProxies,
}

impl Callback {
    /// Reads the query, whatever it holds. WeChat appends its parameters to the address that it was given,
    /// so the last ones are its own.
    pub fn of(request: &HttpRequest) -> Self {
        Self {
            code: parameter(request, "code"),
            again: parameter(request, "again") == "true",
            state: parameter(request, "state"),
        }
    }
}

impl BrowserAuthorization {
    /// That of this account's people.
    pub const fn new(
        authorization: Arc<WebAuthorization>,
        stray_codes: Arc<StrayCodes>,
        browsers: PhoneBrowsers,
        proxies: TrustedProxies,
    ) -> Self {
        Self {
            authorization,
            stray_codes,
            browsers,
            proxies,
        }
    }

    /// Sends the browser to WeChat.
    pub fn begin(&self, request: &HttpRequest, wanted: &AuthorizationRequest) -> HttpResponse {
        let browser = match self.browsers.known_or_new(request) {
            Ok(browser) => browser,
            Err(error) => {
                error.log();
                return pages::message(StatusCode::SERVICE_UNAVAILABLE, pages::FAILED);
            }
        };
        let AuthorizationRequest {
            purpose,
            scope,
            redirect_uri,
        } = wanted;
        let state = browser.state(purpose);
        let address = self
            .authorization
            .authorize_url(*scope, redirect_uri, &state);
        let mut response = redirect(&address);
        // It can't fail: the cookie's characters are base64url. A browser without it is told so later.
        let _ = response.add_cookie(&self.browsers.cookie(&browser));
        response
    }

    /// Sends the browser to WeChat once more.
    pub fn begin_again(
        &self,
        request: &HttpRequest,
        wanted: &AuthorizationRequest,
    ) -> HttpResponse {
        let mut redirect_uri = wanted.redirect_uri.clone();
        redirect_uri.query_pairs_mut().append_pair("again", "true");
        let again = AuthorizationRequest {
            purpose: wanted.purpose.clone(),
            scope: wanted.scope,
            redirect_uri,
        };
        self.begin(request, &again)
    }

    /// The browser, if it is the one that made this authorization request. Any other one's code is made good
    /// for nobody.
    ///
    /// # Errors
    ///
    /// It isn't; [`Self::turn_away`] answers it.
    pub fn verify(
        &self,
        request: &HttpRequest,
        wanted: &AuthorizationRequest,
        callback: &Callback,
    ) -> Result<PhoneBrowser, StateMismatch> {
        let known = self.browsers.known(request);
        let mismatch = if known.is_some() {
            StateMismatch::AnotherRequest
        } else {
            StateMismatch::NoCookie
        };
        let verified = known.filter(|browser| browser.has_state(&callback.state, &wanted.purpose));
        verified.ok_or_else(|| {
            self.discard(request, callback);
            mismatch
        })
    }

    /// Answers a browser that made no such authorization request: it makes one of its own, and if that leads
    /// here as well, it is told what is wrong.
    pub fn turn_away(
        &self,
        request: &HttpRequest,
        wanted: &AuthorizationRequest,
        callback: &Callback,
        mismatch: StateMismatch,
    ) -> HttpResponse {
        if !callback.again {
            return self.begin_again(request, wanted);
        }
        let message = match mismatch {
            StateMismatch::AnotherRequest => pages::START_AGAIN,
            StateMismatch::NoCookie => pages::COOKIES_NEEDED,
        };
        pages::message(StatusCode::FORBIDDEN, message)
    }

    /// Makes a code good for nobody that is of no use here.
    pub fn discard(&self, request: &HttpRequest, callback: &Callback) {
        let client = self.proxies.client(request);
        self.stray_codes.of_client(client, callback.code.clone());
    }

    /// Whether the browser that sends this request is the one that Redis knows by this name.
    pub fn is_called(&self, request: &HttpRequest, name: &str) -> bool {
        self.browsers
            .known(request)
            .is_some_and(|browser| browser.is_called(name))
    }
}

/// A parameter of the query, the last one of this name; empty without it.
pub fn parameter(request: &HttpRequest, name: &str) -> String {
    form_urlencoded::parse(request.query_string().as_bytes())
        .filter(|(key, _)| key == name)
        .last()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// Sends a browser on. The address may hold a code, a state or a ticket, so nobody keeps it.
pub fn redirect(address: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, address))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}
