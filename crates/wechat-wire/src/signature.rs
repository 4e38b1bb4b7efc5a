//! The SHA-1 signatures on everything that WeChat sends to the callback URL.
//!
//! A signature proves that its maker knows the callback token. The three-part form covers only
//! token, timestamp and nonce, never the body; the four-part form (`msg_signature`) covers the
//! ciphertext as well.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

/// The Token that an operator enters beside the callback URL in WeChat's console.
///
/// It is the key of every signature and is itself never transmitted.
#[derive(Clone, Debug)]
pub struct CallbackToken(SecretString);

/// Why a text is no [`CallbackToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the callback token is empty")]
pub struct InvalidCallbackToken;

impl CallbackToken {
    /// Takes the token exactly as the console shows it.
    ///
    /// # Errors
    ///
    /// An empty token is refused: with it anybody could sign.
    pub fn parse(token: &str) -> Result<Self, InvalidCallbackToken> {
        if token.is_empty() {
            return Err(InvalidCallbackToken);
        }
        Ok(Self(token.into()))
    }

    /// The `signature` parameter of a verification GET or of any push.
    pub fn sign(&self, timestamp: &str, nonce: &str) -> Signature {
        sorted_sha1([self.0.expose_secret(), timestamp, nonce])
    }

    /// The `msg_signature` of an encrypted push or reply; `encrypt` is the base64 text exactly as
    /// it stands in the XML.
    pub fn sign_encrypted(&self, timestamp: &str, nonce: &str, encrypt: &str) -> Signature {
        sorted_sha1([self.0.expose_secret(), timestamp, nonce, encrypt])
    }
}

/// For judging its strength; it is never shown.
impl ExposeSecret<str> for CallbackToken {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A SHA-1 in lower-case hexadecimal, 40 characters.
///
/// There is deliberately no `==`: a received signature is compared with [`Signature::matches`].
#[derive(Clone, Debug)]
pub struct Signature(String);

impl Signature {
    /// The 40 hexadecimal characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `candidate`, as received, is this signature; the time this takes doesn't depend on
    /// how many of its characters are right.
    pub fn matches(&self, candidate: &str) -> bool {
        self.0.as_bytes().ct_eq(candidate.as_bytes()).into()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The SHA-1 of `parts`, sorted as byte strings (digits before upper case before lower case, never
/// by numeric value) and joined without a separator.
pub fn sorted_sha1<const COUNT: usize>(mut parts: [&str; COUNT]) -> Signature {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    parts.sort_unstable();
    let mut hasher = Sha1::new();
    for part in parts {
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let mut text = String::with_capacity(40);
    for byte in digest {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 0x0f)]));
    }
    Signature(text)
}
