//! Off to WeChat and back, in one browser: what the gateway's pages have in common.

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

/// What a person is sent to WeChat for.
#[derive(Debug)]
pub struct Errand {
    /// Its name, with all that it is about.
    pub name: String,
    /// What WeChat is to ask them.
    pub scope: Scope,
    /// Where WeChat sends them afterwards.
    pub return_to: Url,
}

/// What they come back with.
#[derive(Clone)]
pub struct Returned {
    /// WeChat's code; empty without one.
    pub code: String,
    /// Whether it is the second time: the first code was spent, or came to another browser.
    pub again: bool,
    state: String,
}

/// Why a browser isn't the one that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// It went for something else, or somebody else did.
    AnotherErrand,
    /// It was never here, or keeps no cookies.
    WithoutCookie,
}

/// Sends browsers to WeChat and knows them again.
pub struct ConsentTrips {
    authorization: Arc<WebAuthorization>,
    stray_codes: Arc<StrayCodes>,
    browsers: PhoneBrowsers,
    proxies: TrustedProxies,
}

impl Returned {
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

impl ConsentTrips {
    /// Trips of this account's people.
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
    pub fn depart(&self, request: &HttpRequest, errand: &Errand) -> HttpResponse {
        let Ok(browser) = self.browsers.known_or_new(request) else {
            return pages::message(StatusCode::SERVICE_UNAVAILABLE, pages::FAILED);
        };
        let Errand {
            name,
            scope,
            return_to,
        } = errand;
        let state = browser.state(name);
        let address = self.authorization.authorize_url(*scope, return_to, &state);
        let mut response = redirect(&address);
        // It can't fail: the cookie's characters are base64url. A browser without it is told so later.
        let _ = response.add_cookie(&self.browsers.cookie(&browser));
        response
    }

    /// Sends the browser to WeChat once more.
    pub fn depart_again(&self, request: &HttpRequest, errand: &Errand) -> HttpResponse {
        let mut return_to = errand.return_to.clone();
        return_to.query_pairs_mut().append_pair("again", "true");
        let again = Errand {
            name: errand.name.clone(),
            scope: errand.scope,
            return_to,
        };
        self.depart(request, &again)
    }

    /// The browser, if it is the one that went on this errand. Any other one's code is made good for
    /// nobody.
    ///
    /// # Errors
    ///
    /// It isn't; [`Self::turn_away`] answers it.
    pub fn arrive(
        &self,
        request: &HttpRequest,
        errand: &Errand,
        returned: &Returned,
    ) -> Result<PhoneBrowser, Elsewhere> {
        let known = self.browsers.known(request);
        let elsewhere = if known.is_some() {
            Elsewhere::AnotherErrand
        } else {
            Elsewhere::WithoutCookie
        };
        let arrived = known.filter(|browser| browser.went_with(&returned.state, &errand.name));
        arrived.ok_or_else(|| {
            self.discard(request, returned);
            elsewhere
        })
    }

    /// Answers a browser that didn't go on this errand: it gets a way of its own, and if that leads here as
    /// well, it is told what is wrong.
    pub fn turn_away(
        &self,
        request: &HttpRequest,
        errand: &Errand,
        returned: &Returned,
        elsewhere: Elsewhere,
    ) -> HttpResponse {
        if !returned.again {
            return self.depart_again(request, errand);
        }
        let message = match elsewhere {
            Elsewhere::AnotherErrand => pages::START_AGAIN,
            Elsewhere::WithoutCookie => pages::COOKIES_NEEDED,
        };
        pages::message(StatusCode::FORBIDDEN, message)
    }

    /// Makes a code good for nobody that is of no use here.
    pub fn discard(&self, request: &HttpRequest, returned: &Returned) {
        let client = self.proxies.client(request);
        self.stray_codes.of_client(client, returned.code.clone());
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
