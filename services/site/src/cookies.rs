//! The two cookies: the attempt's secret, and the session.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};
use login_protocol::scene::BrowserSecret;
use service_kit::cookie;
use url::Url;

use crate::sessions::identifier::SessionId;

/// Names and attributes of the cookies, which depend on the site's scheme: under https they are
/// `Secure` and carry the `__Host-` prefix (RFC 6265bis), so that no other host can set them.
#[derive(Debug, Clone)]
pub struct Cookies {
    secure: bool,
}

impl Cookies {
    /// Cookies of the site at this URL.
    pub fn new(public_url: &Url) -> Self {
        Self {
            secure: public_url.scheme() == "https",
        }
    }

    const fn attempt_name(&self) -> &'static str {
        if self.secure {
            "__Host-wechat-login"
        } else {
            "wechat-login"
        }
    }

    const fn session_name(&self) -> &'static str {
        if self.secure {
            "__Host-wechat-session"
        } else {
            "wechat-session"
        }
    }

    /// The secret of this browser's attempt.
    pub fn attempt(&self, request: &HttpRequest) -> Option<BrowserSecret> {
        BrowserSecret::parse(cookie::value(request, self.attempt_name())?).ok()
    }

    /// This browser's session.
    pub fn session(&self, request: &HttpRequest) -> Option<SessionId> {
        SessionId::parse(cookie::value(request, self.session_name())?)
    }

    /// Binds an attempt to this browser.
    pub fn set_attempt(&self, secret: &BrowserSecret, lifetime: Duration) -> Cookie<'static> {
        self.cookie(self.attempt_name(), secret.expose(), lifetime)
    }

    /// Signs this browser in.
    pub fn set_session(&self, id: &SessionId, lifetime: Duration) -> Cookie<'static> {
        self.cookie(self.session_name(), id.expose().to_owned(), lifetime)
    }

    /// Forgets the attempt.
    pub fn clear_attempt(&self) -> Cookie<'static> {
        self.cookie(self.attempt_name(), String::new(), Duration::ZERO)
    }

    /// Forgets the session.
    pub fn clear_session(&self) -> Cookie<'static> {
        self.cookie(self.session_name(), String::new(), Duration::ZERO)
    }

    fn cookie(&self, name: &'static str, value: String, lifetime: Duration) -> Cookie<'static> {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        Cookie::build(name, value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(time::Duration::seconds(seconds))
            .finish()
    }
}
