//! Who an Official Account's follower is: an openid under an app id.
//!
//! An openid identifies a person towards one account only, so the pair is the key. A unionid is
//! something else (one person across the accounts of one Open Platform account) and stays a field
//! of its own: mixing them up splits or joins people's accounts (casdoor/casdoor#979).

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The text can't be such an identifier: 1 to 64 characters of `A-Z a-z 0-9 _ -`.
#[derive(Debug, thiserror::Error)]
#[error("expected 1 to 64 characters of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidIdentifier;

fn check(text: &str) -> Result<(), InvalidIdentifier> {
    let valid = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if valid {
        Ok(())
    } else {
        Err(InvalidIdentifier)
    }
}

/// The Official Account's AppID, such as `wx0123456789abcdef`. It is case-sensitive, and public.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(description = "An account's AppID")]
pub struct AppId(String);

/// A follower's OpenID: 28 characters in practice, case-sensitive. Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(description = "A person towards an account")]
pub struct OpenId(String);

impl AppId {
    /// Accepts 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        check(text).map(|()| Self(text.to_owned()))
    }

    /// The identifier as WeChat writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OpenId {
    /// Accepts 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        check(text).map(|()| Self(text.to_owned()))
    }

    /// The identifier as WeChat writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OpenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OpenId(…)")
    }
}

macro_rules! string_conversions {
    ($($name:ty),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidIdentifier;

            fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(identifier: $name) -> Self {
                identifier.0
            }
        }
    )*};
}

string_conversions!(AppId, OpenId);

/// A person towards one Official Account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MemberId {
    /// The account.
    pub app_id: AppId,
    /// The person.
    pub openid: OpenId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_smuggle_anything_into_a_key_or_an_address() {
        for hostile in [
            "",
            "o/../x",
            "o:x",
            "o{x}",
            "o x",
            "o\n",
            "ö",
            &"o".repeat(65),
        ] {
            assert!(OpenId::parse(hostile).is_err(), "{hostile}");
            assert!(AppId::parse(hostile).is_err(), "{hostile}");
        }
        assert_eq!(
            OpenId::parse("oJqxQwYRyZMXFTc8sipB5TSe6Vw4")
                .unwrap()
                .as_str()
                .len(),
            28
        );
    }
}
