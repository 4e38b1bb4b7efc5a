//! The browser on a phone. A cookie shows whether the browser that returns from WeChat, or presses
//! a button, is the one that opened the link: codes and tickets alone would be valid in anybody's
//! hands.

use std::{net::IpAddr, time::Duration};

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::scene::BrowserSecret;
use service_kit::{
    client_address::TrustedProxies,
    cookie,
    random::{self, NoRandomness},
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

/// How long a cookie is of use: longer than a code and a ticket one after the other.
const LIFETIME: Duration = Duration::from_hours(1);

/// The phones' cookies. Under https they are `Secure` and carry the `__Host-` prefix (RFC 6265bis),
/// so that no other host can set them.
#[derive(Debug, Clone)]
pub struct PhoneBrowsers {
    secure: bool,
    proxies: TrustedProxies,
}

/// A request from a phone: its browser, and where it comes from.
#[derive(Debug, Clone)]
pub struct PhoneVisit {
    /// The browser, if it has been here within the hour and keeps cookies.
    pub browser: Option<PhoneBrowser>,
    /// The client's address.
    pub client: IpAddr,
}

/// One browser. Its `Debug` form is redacted.
#[derive(Debug, Clone)]
pub struct PhoneBrowser(BrowserSecret);

impl PhoneBrowsers {
    /// Cookies of pages below the gateway's public URL.
    pub fn new(public_url: Option<&Url>, proxies: TrustedProxies) -> Self {
        let secure = public_url.is_some_and(|url| url.scheme() == "https");
        Self { secure, proxies }
    }

    const fn name(&self) -> &'static str {
        if self.secure {
            "__Host-wechat-login-phone"
        } else {
            "wechat-login-phone"
        }
    }

    /// Who sends this request.
    pub fn visit(&self, request: &HttpRequest) -> PhoneVisit {
        let browser = cookie::value(request, self.name())
            .and_then(|value| BrowserSecret::parse(value).ok())
            .map(PhoneBrowser);
        PhoneVisit {
            browser,
            client: self.proxies.client(request),
        }
    }

    /// The cookie by which it is known.
    pub fn cookie(&self, browser: &PhoneBrowser) -> Cookie<'static> {
        let seconds = i64::try_from(LIFETIME.as_secs()).unwrap_or(i64::MAX);
        Cookie::build(self.name(), browser.0.expose())
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(time::Duration::seconds(seconds))
            .finish()
    }
}

impl PhoneVisit {
    /// The browser. One that is known stays what it is, since it may have another page of ours
    /// open.
    ///
    /// # Errors
    ///
    /// Without random bytes a new browser would be anybody's.
    pub fn browser_or_new(&self) -> Result<PhoneBrowser, NoRandomness> {
        if let Some(known) = &self.browser {
            return Ok(known.clone());
        }
        Ok(PhoneBrowser(BrowserSecret::from_random(random::bytes()?)))
    }

    /// Whether its browser is the one that Redis knows by this name.
    pub fn is_by(&self, name: &str) -> bool {
        self.browser
            .as_ref()
            .is_some_and(|browser| browser.is_called(name))
    }
}

impl PhoneBrowser {
    /// The `state` with which it goes to WeChat: 64 hexadecimal digits, since WeChat takes
    /// `a-zA-Z0-9` and 128 bytes at most
    /// (<https://developers.weixin.qq.com/doc/service/guide/h5/auth.html>). It says nothing about
    /// the cookie, and is another one for each purpose.
    pub fn state(&self, purpose: &str) -> String {
        let mut state = String::with_capacity(64);
        for byte in self.digest("state", purpose) {
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
            state.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        state
    }

    /// Whether it went to WeChat with this `state` for this purpose.
    pub fn has_state(&self, state: &str, purpose: &str) -> bool {
        self.state(purpose)
            .as_bytes()
            .ct_eq(state.as_bytes())
            .into()
    }

    /// What Redis knows it by; the cookie can't be made of it.
    pub fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest("name", ""))
    }

    /// Whether Redis knows it by this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name().as_bytes().ct_eq(name.as_bytes()).into()
    }

    fn digest(&self, use_of_it: &str, purpose: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.0.as_bytes())
            .chain_update(format!("{use_of_it}\0{purpose}"))
            .finalize()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_belongs_to_one_browser_and_one_purpose() {
        let browser = |byte| PhoneBrowser(BrowserSecret::from_random([byte; 32]));
        let state = browser(1).state("profile");
        assert!(state.len() == 64 && state.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(browser(1).has_state(&state, "profile"));
        assert!(!browser(1).has_state(&state, "confirm"));
        assert!(!browser(2).has_state(&state, "profile"));
        assert!(!browser(1).has_state("", "profile"));
        assert!(browser(1).is_called(&browser(1).name()));
        assert!(!browser(1).is_called(&browser(2).name()));
        assert!(!format!("{:?}", browser(1)).contains("[1"));
    }
}
