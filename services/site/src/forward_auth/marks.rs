//! What forward authentication hands to browsers. Redis knows the hashes of it alone.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// 256 bits in base64url. Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

impl Secret {
    fn from_random(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

/// Tells the browser that asked from others, in a cookie of the other host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserMark(Secret);

impl BrowserMark {
    /// The mark of these random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::from_random(bytes))
    }

    /// Reads the cookie. Anything that can't be a mark is none.
    pub fn parse(cookie: &str) -> Option<Self> {
        Secret::parse(cookie).map(Self)
    }

    /// The cookie's value.
    pub fn expose(&self) -> &str {
        &self.0.0
    }

    /// What everybody may see of it: its SHA-256 in base64url.
    pub fn sha256(&self) -> String {
        self.0.sha256()
    }
}

/// Whether a text can be the hash of a mark.
pub fn is_hash(text: &str) -> bool {
    Secret::parse(text).is_some()
}

/// A code that goes through the browser's address to another host, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnCode(Secret);

impl ReturnCode {
    /// The code of these random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::from_random(bytes))
    }

    /// Reads the parameter. Anything that can't be a code is none.
    pub fn parse(text: &str) -> Option<Self> {
        Secret::parse(text).map(Self)
    }

    /// The parameter's value.
    pub fn expose(&self) -> &str {
        &self.0.0
    }

    /// What Redis knows it by.
    pub fn sha256(&self) -> String {
        self.0.sha256()
    }
}

/// What nobody else knows of the cookie that signs a browser in on another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSecret(Secret);

impl HostSecret {
    /// The secret of these random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::from_random(bytes))
    }

    /// What Redis knows it by.
    pub fn sha256(&self) -> String {
        self.0.sha256()
    }
}

/// The cookie that signs a browser in on another host. It names the session, which is no secret, so
/// that both are read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCookie {
    secret: HostSecret,
    session_sha256: String,
}

impl HostCookie {
    /// The cookie with this secret, for a session by the SHA-256 of its identifier.
    pub const fn new(secret: HostSecret, session_sha256: String) -> Self {
        Self {
            secret,
            session_sha256,
        }
    }

    /// Reads the cookie. Anything that can't be one is none.
    pub fn parse(cookie: &str) -> Option<Self> {
        let (secret, session_sha256) = cookie.split_once('.')?;
        is_hash(session_sha256).then_some(())?;
        Some(Self {
            secret: HostSecret(Secret::parse(secret)?),
            session_sha256: session_sha256.to_owned(),
        })
    }

    /// The cookie's value.
    pub fn expose(&self) -> String {
        format!("{}.{}", self.secret.0.0, self.session_sha256)
    }

    /// The session that it names.
    pub fn session_sha256(&self) -> &str {
        &self.session_sha256
    }

    /// What Redis knows it by.
    pub fn sha256(&self) -> String {
        self.secret.sha256()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_out_is_read_and_nothing_else() {
        let session = BrowserMark::from_random([1; 32]).sha256();
        let cookie = HostCookie::new(HostSecret::from_random([2; 32]), session.clone());
        assert_eq!(HostCookie::parse(&cookie.expose()), Some(cookie.clone()));
        let secret = &cookie.expose()[..43];
        for garbage in [
            "",
            ".",
            secret,
            &format!("{secret}."),
            &format!("{secret}.{session}x"),
            &format!("{secret}x.{session}"),
            &format!("{secret}.{session}.{session}"),
            &format!("{secret}.{}", "é".repeat(43)),
        ] {
            assert_eq!(HostCookie::parse(garbage), None, "{garbage}");
        }
        assert!(!format!("{cookie:?}").contains(secret));
        assert_ne!(cookie.sha256(), secret);
    }
}
