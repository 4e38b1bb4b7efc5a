//! The two cookies: the attempt's secret, and the session.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
};
use login_protocol::scene::BrowserSecret;
use service_kit::cookie;
use url::Url;

use crate::{
    forward_auth::{
        Target,
        marks::{BrowserMark, HostCookie},
    },
    sessions::identifier::SessionId,
};

/// How long a browser's mark on another host is kept: for longer than a login takes.
const MARK_LIFETIME: Duration = Duration::from_hours(1);

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

    /// This browser's sign-in on another host.
    pub fn of_host(request: &HttpRequest, target: &Target) -> Option<HostCookie> {
        HostCookie::parse(cookie::value(request, host_name(target))?)
    }

    /// Signs this browser in on another host.
    pub fn set_of_host(value: &HostCookie, target: &Target, lifetime: Duration) -> Cookie<'static> {
        build(
            host_name(target),
            value.expose(),
            lifetime,
            target.is_https(),
        )
    }

    /// What tells this browser from others on another host.
    pub fn mark(request: &HttpRequest, target: &Target) -> Option<BrowserMark> {
        BrowserMark::parse(cookie::value(request, mark_name(target))?)
    }

    /// Marks this browser on another host.
    pub fn set_mark(mark: &BrowserMark, target: &Target) -> Cookie<'static> {
        let value = mark.expose().to_owned();
        build(mark_name(target), value, MARK_LIFETIME, target.is_https())
    }

    fn cookie(&self, name: &'static str, value: String, lifetime: Duration) -> Cookie<'static> {
        build(name, value, lifetime, self.secure)
    }
}

fn host_name(target: &Target) -> &'static str {
    if target.is_https() {
        "__Host-wechat-forward-auth"
    } else {
        "wechat-forward-auth"
    }
}

fn mark_name(target: &Target) -> &'static str {
    if target.is_https() {
        "__Host-wechat-forward-auth-browser"
    } else {
        "wechat-forward-auth-browser"
    }
}

fn build(name: &'static str, value: String, lifetime: Duration, secure: bool) -> Cookie<'static> {
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .max_age(time::Duration::seconds(seconds))
        .finish()
}
