//! Session identifiers.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::scene::BrowserSecret;
use sha2::{Digest as _, Sha256};

/// What the session cookie holds: 256 bits in base64url. Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId(String);

impl SessionId {
    /// The session of a redeemed attempt.
    ///
    /// It takes both the browser's secret, which Redis never sees, and the nonce drawn when the
    /// attempt was redeemed, which nobody knows before. So a repeat of the same redemption leads to
    /// the same session, one attempt leads to one session at most, and neither a secret found later
    /// nor a look into Redis leads to any.
    pub fn of_redemption(secret: &BrowserSecret, nonce: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"wechat-login session\0");
        digest.update(secret.as_bytes());
        digest.update(nonce);
        Self(URL_SAFE_NO_PAD.encode(digest.finalize()))
    }

    /// Reads the cookie. Anything that can't be an identifier is none.
    pub fn parse(cookie: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        (bytes.len() == 32).then(|| Self(cookie.to_owned()))
    }

    /// The cookie's value.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What Redis knows the session by: the identifier's SHA-256 in base64url.
    pub fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SessionId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_depends_on_the_secret_and_the_nonce() {
        let [first, second] = [[1; 32], [2; 32]].map(BrowserSecret::from_random);
        let id = SessionId::of_redemption(&first, "a");
        assert_eq!(id, SessionId::of_redemption(&first, "a"));
        assert_ne!(id, SessionId::of_redemption(&first, "b"));
        assert_ne!(id, SessionId::of_redemption(&second, "a"));
        assert_eq!(SessionId::parse(id.expose()), Some(id));
    }

    #[test]
    fn garbage_is_no_identifier() {
        for cookie in [
            "",
            "x",
            &"A".repeat(42),
            &"A".repeat(44),
            "../../../etc/passwd",
        ] {
            assert_eq!(SessionId::parse(cookie), None, "{cookie}");
        }
    }
}
