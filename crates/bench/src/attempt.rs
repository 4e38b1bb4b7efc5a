//! One browser's attempt, as its browser and its phone know it.

use login_protocol::scene::{BrowserSecret, Scene};

/// The site's cookie of the attempt, without https.
const COOKIE: &str = "wechat-login";

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The browser's cookie, `name=value`.
    pub(crate) cookie: String,
    /// What the code's picture leads the phone to.
    pub(crate) scene: Scene,
}

impl Attempt {
    /// Our own: the scene is a hash of the secret in the cookie.
    pub(crate) fn of(secret: &BrowserSecret) -> Self {
        Self {
            cookie: format!("{COOKIE}={}", secret.expose()),
            scene: secret.scene(),
        }
    }

    /// Our own, from the cookie that a site sets.
    pub(crate) fn from_cookie(cookie: &str) -> Option<Self> {
        let secret = cookie.strip_prefix(COOKIE)?.strip_prefix('=')?;
        Some(Self::of(&BrowserSecret::parse(secret).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_names_the_attempt() {
        let attempt = Attempt::of(&BrowserSecret::from_random([3; 32]));
        assert_eq!(Attempt::from_cookie(&attempt.cookie), Some(attempt.clone()));
        assert_eq!(Attempt::from_cookie("other=1"), None);
    }
}
