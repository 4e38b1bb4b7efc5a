//! Identifiers that WeChat assigns.

use std::fmt;
use std::str::FromStr;

/// An account's `AppID`: `wx` and 16 hexadecimal digits in practice. Case matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppId(String);

/// Why a text is no [`AppId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an AppID is 1 to 64 letters, digits, '-' or '_', such as wx0123456789abcdef")]
pub struct InvalidAppId;

impl AppId {
    /// Takes 1 to 64 characters of `A-Za-z0-9_-`; the official form isn't promised anywhere, so
    /// nothing narrower is enforced.
    ///
    /// # Errors
    ///
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidAppId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(InvalidAppId);
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for AppId {
    type Err = InvalidAppId;

    fn from_str(text: &str) -> Result<Self, InvalidAppId> {
        Self::parse(text)
    }
}
