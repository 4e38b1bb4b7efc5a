//! Who somebody is to the owner's own software: the same in all of their accounts, and nothing of
//! WeChat's.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// A person's subject: opaque, 1 to 64 characters of `A-Z a-z 0-9 _ -`, given with the first login,
/// never changed and never given again. Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    description = "Who somebody is to the owner's software: opaque, and never changed",
    pattern = "^[A-Za-z0-9_-]{1,64}$"
)]
pub struct Subject(String);

/// A UnionID's SHA-256 in base64url: enough to find somebody by their UnionID again, and nothing to
/// learn it from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnionDigest(String);

impl UnionDigest {
    /// Of this UnionID.
    pub fn of(unionid: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(unionid)))
    }

    /// A digest that was read from a record.
    pub(crate) fn read(digest: &str) -> Self {
        Self(digest.to_owned())
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text can't be a subject.
#[derive(Debug, thiserror::Error)]
#[error("expected 1 to 64 characters of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidSubject;

impl Subject {
    /// The subject of these random bytes, in base64url.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Accepts 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidSubject> {
        let valid = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSubject)
        }
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Subject(…)")
    }
}

impl TryFrom<String> for Subject {
    type Error = InvalidSubject;

    fn try_from(text: String) -> Result<Self, InvalidSubject> {
        Self::parse(&text)
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_opaque_and_needs_no_escaping() {
        let subject = Subject::from_random([0xff; 16]);
        assert_eq!(subject.as_str().len(), 22);
        assert_eq!(Subject::parse(subject.as_str()).unwrap(), subject);
        for other in ["", "a b", "a:b", "a{b}", "ä", &"a".repeat(65)] {
            assert!(Subject::parse(other).is_err(), "{other}");
        }
        assert!(!format!("{subject:?}").contains(subject.as_str()));
    }
}
