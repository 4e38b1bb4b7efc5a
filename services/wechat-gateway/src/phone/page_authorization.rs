//! Web authorisation of the gateway's own pages: a phone's browser is redirected to WeChat, and
//! only that browser is accepted when it returns.

use std::sync::Arc;

use actix_web::cookie::Cookie;
use serde::{Serialize, de::DeserializeOwned};
use service_kit::random::NoRandomness;
use url::{Url, form_urlencoded};

use super::browser::{PhoneBrowser, PhoneBrowsers, PhoneVisit};
use crate::wechat::{
    stray_codes::StrayCodes,
    web_authorization::{AuthorizationError, Scope, WebAuthorization},
};

/// What a person is sent to WeChat for.
#[derive(Debug)]
pub struct Purpose {
    /// Its name, with all that it is about: a `state` and a code are valid for nothing else.
    pub name: String,
    /// What WeChat is to ask them.
    pub scope: Scope,
    /// Where WeChat sends them afterwards.
    pub redirect_uri: Url,
}

/// What a browser comes back from WeChat with.
#[derive(Clone)]
pub struct AuthorizationResponse {
    code: String,
    state: String,
    /// Whether it is the second try: the first code was already used, or reached another browser.
    is_retry: bool,
}

/// Where to send a browser, and the cookie by which it is known when it comes back.
pub struct AuthorizationRedirect {
    /// WeChat's URL, exactly as it is.
    pub url: String,
    /// The browser's cookie.
    pub cookie: Cookie<'static>,
}

/// How far a browser that came back gets.
pub enum Authorized<T> {
    /// It got what it came for.
    Done(T),
    /// It is sent to WeChat once more.
    Retry(AuthorizationRedirect),
}

/// Why a page can't find out whose phone it is.
#[derive(Debug, thiserror::Error)]
pub enum PageAuthorizationError {
    /// There is no redirect URI: the gateway has no public URL.
    #[error("the gateway has no public URL")]
    NotOffered,
    /// Another browser was sent to WeChat, or this one was sent for something else.
    #[error("another browser started")]
    AnotherBrowser,
    /// The browser was never here, or keeps no cookies.
    #[error("the browser keeps no cookies")]
    NoCookie,
    /// A browser without random bytes of its own would be anybody's.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// WeChat, Redis or the person said no.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
}

/// Web authorization of one account's pages.
pub struct PageAuthorization {
    authorization: Arc<WebAuthorization>,
    stray_codes: Arc<StrayCodes>,
    browsers: PhoneBrowsers,
}

impl AuthorizationResponse {
    /// Parses the query, whatever it contains. WeChat appends its parameters to the redirect URI,
    /// so the last ones are WeChat's.
    pub fn of(query: &str) -> Self {
        Self {
            code: last_parameter(query, "code"),
            state: last_parameter(query, "state"),
            is_retry: last_parameter(query, "again") == "true",
        }
    }

    /// WeChat's code; empty without one.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl PageAuthorization {
    /// For this account.
    pub const fn new(
        authorization: Arc<WebAuthorization>,
        stray_codes: Arc<StrayCodes>,
        browsers: PhoneBrowsers,
    ) -> Self {
        Self {
            authorization,
            stray_codes,
            browsers,
        }
    }

    /// Sends a browser to WeChat.
    ///
    /// # Errors
    ///
    /// There are no random bytes.
    pub fn begin(
        &self,
        visit: &PhoneVisit,
        purpose: &Purpose,
    ) -> Result<AuthorizationRedirect, PageAuthorizationError> {
        self.send(visit, purpose, &purpose.redirect_uri)
    }

    fn retry(
        &self,
        visit: &PhoneVisit,
        purpose: &Purpose,
    ) -> Result<AuthorizationRedirect, PageAuthorizationError> {
        let mut redirect_uri = purpose.redirect_uri.clone();
        redirect_uri.query_pairs_mut().append_pair("again", "true");
        self.send(visit, purpose, &redirect_uri)
    }

    fn send(
        &self,
        visit: &PhoneVisit,
        purpose: &Purpose,
        redirect_uri: &Url,
    ) -> Result<AuthorizationRedirect, PageAuthorizationError> {
        let browser = visit.browser_or_new()?;
        let state = browser.state(&self.bound(purpose));
        Ok(AuthorizationRedirect {
            url: self
                .authorization
                .authorize_url(purpose.scope, redirect_uri, &state),
            cookie: self.browsers.cookie(&browser),
        })
    }

    /// The browser, if it is the one that was redirected for this purpose. Any other one's code is
    /// invalidated, and it is redirected itself; if that fails as well, it gets an error.
    ///
    /// # Errors
    ///
    /// It came back twice and isn't the one.
    pub fn recognise(
        &self,
        visit: &PhoneVisit,
        purpose: &Purpose,
        response: &AuthorizationResponse,
    ) -> Result<Authorized<PhoneBrowser>, PageAuthorizationError> {
        match &visit.browser {
            Some(browser) if browser.has_state(&response.state, &self.bound(purpose)) => {
                return Ok(Authorized::Done(browser.clone()));
            }
            _ => self.discard(visit, response),
        }
        if !response.is_retry {
            return self.retry(visit, purpose).map(Authorized::Retry);
        }
        Err(if visit.browser.is_some() {
            PageAuthorizationError::AnotherBrowser
        } else {
            PageAuthorizationError::NoCookie
        })
    }

    /// Exchanges the code of a recognised browser, once, and returns the outcome. If the code was
    /// already used, or consent is missing, the user is sent to WeChat once more.
    ///
    /// # Errors
    ///
    /// Those of `exchange`, which isn't tried a second time.
    pub async fn once<Outcome>(
        &self,
        visit: &PhoneVisit,
        purpose: &Purpose,
        response: &AuthorizationResponse,
        browser: &PhoneBrowser,
        exchange: impl Future<Output = Result<Outcome, AuthorizationError>> + Send + 'static,
    ) -> Result<Authorized<Outcome>, PageAuthorizationError>
    where
        Outcome: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        // The code is valid for nothing else, and in no other browser.
        let bound_to = format!("{} {}", self.bound(purpose), browser.name());
        let exchanged = self
            .authorization
            .once_per_code(&bound_to, &response.code, exchange)
            .await;
        match exchanged {
            Ok(outcome) => Ok(Authorized::Done(outcome)),
            Err(AuthorizationError::SpentCode | AuthorizationError::ConsentMissing)
                if !response.is_retry =>
            {
                self.retry(visit, purpose).map(Authorized::Retry)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A purpose at this account: what was started for one account is invalid for any other.
    fn bound(&self, purpose: &Purpose) -> String {
        match self.authorization.account().in_log() {
            Some(account) => format!("{account} {}", purpose.name),
            None => purpose.name.clone(),
        }
    }

    /// Invalidates a code that is of no use here.
    pub fn discard(&self, visit: &PhoneVisit, response: &AuthorizationResponse) {
        self.stray_codes
            .of_client(visit.client, response.code.clone());
    }
}

/// A parameter of a query, the last one of this name; empty without it.
pub fn last_parameter(query: &str, name: &str) -> String {
    form_urlencoded::parse(query.as_bytes())
        .filter(|(key, _)| key == name)
        .last()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
