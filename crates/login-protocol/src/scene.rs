//! The scene that a QR code carries, and the secret that binds an attempt to one browser.
//!
//! The scene is the SHA-256 of the browser's secret. So the cookie alone leads to the attempt, the
//! scene alone (in the QR code's event, in Redis, in a photograph) leads to nothing, and Redis
//! never holds a secret.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// What every scene of ours begins with. It distinguishes our scenes from the account's other
/// codes, even after their attempt has expired.
const PREFIX: &str = "login_";

/// A SHA-256 in base64url without padding.
const DIGEST_CHARACTERS: usize = 43;

/// The random value that only the browser's cookie holds: 256 bits.
///
/// Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserSecret([u8; 32]);

/// The text is no browser secret: not 32 bytes in unpadded base64url.
#[derive(Debug, thiserror::Error)]
#[error("not a browser secret")]
pub struct InvalidBrowserSecret;

impl BrowserSecret {
    /// A new secret made of these random bytes, which must come from the operating system's
    /// generator.
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a secret back from the cookie that [`Self::expose`] was written to.
    pub fn parse(text: &str) -> Result<Self, InvalidBrowserSecret> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| InvalidBrowserSecret)?;
        Ok(Self(bytes.try_into().map_err(|_| InvalidBrowserSecret)?))
    }

    /// The secret as the cookie's value: 43 characters of base64url.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The raw bytes, from which the site derives the session's identifier.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The scene of this browser's attempt.
    pub fn scene(&self) -> Scene {
        let digest = Sha256::digest(self.0);
        Scene(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(digest)))
    }
}

impl fmt::Debug for BrowserSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BrowserSecret(…)")
    }
}

/// The scene value of a login's QR code: `login_` and 43 characters of base64url, 49 in all.
///
/// WeChat allows a string scene of 1 to 64 characters
/// (<https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode>). Its
/// `Debug` form is redacted, since a scene identifies a login in progress.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    description = "A login: 49 characters that nobody can guess",
    pattern = "^login_[A-Za-z0-9_-]{43}$"
)]
pub struct Scene(String);

/// The text is not a scene of ours. Another system's code, or a permanent marketing code, ends
/// here.
#[derive(Debug, thiserror::Error)]
#[error("not a login scene: expected `{PREFIX}` and {DIGEST_CHARACTERS} characters of base64url")]
pub struct InvalidScene;

impl Scene {
    /// Accepts exactly what [`BrowserSecret::scene`] makes.
    pub fn parse(text: &str) -> Result<Self, InvalidScene> {
        let digest = text.strip_prefix(PREFIX).ok_or(InvalidScene)?;
        let well_formed = digest.len() == DIGEST_CHARACTERS
            && digest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidScene)
        }
    }

    /// What web authorisation carries as `state` for this attempt: 64 hexadecimal digits, since
    /// WeChat takes `a-zA-Z0-9` and 128 bytes at most
    /// (<https://developers.weixin.qq.com/doc/service/guide/h5/auth.html>).
    ///
    /// It is the SHA-256 of the scene, so that the scene itself stays on the servers.
    pub fn authorization_state(&self) -> String {
        let mut state = String::with_capacity(64);
        for byte in Sha256::digest(&self.0) {
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
            state.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        state
    }

    /// The scene as WeChat carries it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Scene {
    type Error = InvalidScene;

    fn try_from(text: String) -> Result<Self, InvalidScene> {
        Self::parse(&text)
    }
}

impl From<Scene> for String {
    fn from(scene: Scene) -> Self {
        scene.0
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Scene(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_fits_wechats_64_characters_and_is_read_back() {
        let scene = BrowserSecret::from_random([7; 32]).scene();
        assert_eq!(scene.as_str().len(), 49);
        assert_eq!(Scene::parse(scene.as_str()).unwrap(), scene);
    }

    #[test]
    fn a_scene_is_the_sha_256_of_the_secret() {
        // printf '\0%.0s' {1..32} | openssl dgst -sha256 -binary | basenc --base64url
        let scene = BrowserSecret::from_random([0; 32]).scene();
        assert_eq!(
            scene.as_str(),
            "login_Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU"
        );
    }

    #[test]
    fn the_state_of_web_authorisation_is_the_scenes_digest_as_wechat_allows_it() {
        // printf login_Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU | sha256sum
        let state = BrowserSecret::from_random([0; 32])
            .scene()
            .authorization_state();
        assert_eq!(
            state,
            "359b177ba79bfe554b6c58a70896198fc3e4f9d6f762f78366f7188a27df6de9"
        );
    }

    #[test]
    fn a_secret_survives_its_cookie() {
        let secret = BrowserSecret::from_random(*b"0123456789abcdefghijklmnopqrstuv");
        assert_eq!(BrowserSecret::parse(&secret.expose()).unwrap(), secret);
    }

    #[test]
    fn other_peoples_scenes_are_refused() {
        let own = BrowserSecret::from_random([1; 32]).scene();
        let longer = format!("{}A", own.as_str());
        for foreign in [
            "",
            "110",
            "login_",
            "login_7f3a",
            "qrscene_login_7f3a",
            &longer,
            &longer[1..],
        ] {
            assert!(Scene::parse(foreign).is_err(), "{foreign}");
        }
        assert!(Scene::parse(&own.as_str().replacen('_', "-", 1)).is_err());
        assert!(Scene::parse(&format!("login_{}", "é".repeat(43))).is_err());
    }

    #[test]
    fn garbage_cookies_are_refused() {
        for cookie in [
            "",
            "x",
            &"A".repeat(44),
            &"A".repeat(42),
            &"=".repeat(43),
            &"+".repeat(43),
        ] {
            assert!(BrowserSecret::parse(cookie).is_err(), "{cookie}");
        }
    }

    #[test]
    fn debug_forms_say_nothing() {
        let secret = BrowserSecret::from_random([9; 32]);
        assert_eq!(
            format!("{secret:?} {:?}", secret.scene()),
            "BrowserSecret(…) Scene(…)"
        );
    }
}
