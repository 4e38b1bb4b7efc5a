//! The console's cookies. Where the browser speaks https they are `Secure` and carry the `__Host-`
//! prefix (RFC 6265bis), so that nothing else on the host can set them. The internal listener itself
//! speaks http, as the ends of an SSH tunnel do: there software on another port of the host can, and
//! whoever sends two of a name is told so.

use actix_web::{
    HttpRequest,
    cookie::{Cookie as SetCookie, SameSite, time},
};
use login_protocol::scene::BrowserSecret;
use service_kit::cookie::{self, Found};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// Of a browser that is signed in.
    Session,
    /// Of one that waits for the phone.
    SignIn,
}

/// What a browser sends.
#[derive(Debug, Clone)]
pub(super) enum Sent {
    /// Nothing of use.
    Nothing,
    /// This.
    Secret(BrowserSecret),
    /// Several of a name.
    Several,
}

impl Cookie {
    const fn name(self, is_https: bool) -> &'static str {
        match (self, is_https) {
            (Self::Session, false) => "wechat-login-console",
            (Self::Session, true) => "__Host-wechat-login-console",
            (Self::SignIn, false) => "wechat-login-console-sign-in",
            (Self::SignIn, true) => "__Host-wechat-login-console-sign-in",
        }
    }

    /// The prefix demands the whole host.
    const fn path(self, is_https: bool) -> &'static str {
        match (self, is_https) {
            (_, true) => "/",
            (Self::Session, false) => "/console",
            (Self::SignIn, false) => "/console/sign-in",
        }
    }

    /// What this request brings.
    pub(super) fn sent(self, request: &HttpRequest, is_https: bool) -> Sent {
        match cookie::find(request, self.name(is_https)) {
            Found::Nothing => Sent::Nothing,
            Found::One(value) => BrowserSecret::parse(value).map_or(Sent::Nothing, Sent::Secret),
            Found::Several => Sent::Several,
        }
    }

    /// Gives a browser this secret for so many seconds.
    pub(super) fn set(
        self,
        secret: &BrowserSecret,
        is_https: bool,
        seconds: i64,
    ) -> SetCookie<'static> {
        let life = time::Duration::seconds(seconds);
        self.build(secret.expose(), is_https, life)
    }

    /// Takes it away.
    pub(super) fn clear(self, is_https: bool) -> SetCookie<'static> {
        self.build(String::new(), is_https, time::Duration::ZERO)
    }

    fn build(self, value: String, is_https: bool, life: time::Duration) -> SetCookie<'static> {
        SetCookie::build(self.name(is_https), value)
            .path(self.path(is_https))
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(is_https)
            .max_age(life)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_https_no_other_host_and_no_other_port_can_set_them() {
        let secret = BrowserSecret::from_random([1; 32]);
        for cookie in [Cookie::Session, Cookie::SignIn] {
            let plain = cookie.set(&secret, false, 60).to_string();
            assert!(!plain.contains("Secure"), "{plain}");
            let secure = cookie.set(&secret, true, 60).to_string();
            assert!(secure.starts_with("__Host-"), "{secure}");
            for set in [plain, secure.clone()] {
                for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=60"] {
                    assert!(set.contains(attribute), "{set}");
                }
            }
            assert!(secure.contains("Path=/;"), "{secure}");
            assert!(secure.contains("Secure"), "{secure}");
        }
    }
}
