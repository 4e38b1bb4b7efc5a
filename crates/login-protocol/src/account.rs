//! What the owner calls an Official Account.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The name of the account that needs none, in settings, requests and records.
pub const DEFAULT: &str = "default";

/// The name of one of the gateway's Official Accounts: a lower-case letter, and up to 31 lower-case
/// letters and digits. It names the account in settings and records of attempts; what Redis keeps
/// of an account bears its AppID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    description = "An account's name in the gateway's settings",
    pattern = "^[a-z][a-z0-9]{0,31}$"
)]
pub struct AccountName(Arc<str>);

/// The text can't be an account's name.
#[derive(Debug, thiserror::Error)]
#[error("expected a lower-case letter and up to 31 lower-case letters and digits")]
pub struct InvalidAccountName;

impl AccountName {
    /// Accepts `[a-z][a-z0-9]{0,31}`.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidAccountName> {
        let mut bytes = text.bytes();
        let valid = text.len() <= 32
            && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidAccountName)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as the label of a metric, which shares its text.
    pub fn label(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The name for a log line; `None` for the account that needs none.
    pub fn in_log(&self) -> Option<&str> {
        (!self.is_default()).then_some(&*self.0)
    }

    /// Whether it is the account that needs no name.
    pub fn is_default(&self) -> bool {
        &*self.0 == DEFAULT
    }
}

impl Default for AccountName {
    /// The account that needs no name.
    fn default() -> Self {
        Self(DEFAULT.into())
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for AccountName {
    type Error = InvalidAccountName;

    fn try_from(text: String) -> Result<Self, InvalidAccountName> {
        Self::parse(&text)
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_letter_and_letters_and_digits() {
        for name in ["a", "shop", "shop2", DEFAULT, &"a".repeat(32)] {
            assert_eq!(AccountName::parse(name).unwrap().as_str(), name);
        }
        for other in [
            "",
            "2shop",
            "Shop",
            "a-b",
            "a_b",
            "ä",
            "a b",
            &"a".repeat(33),
        ] {
            assert!(AccountName::parse(other).is_err(), "{other}");
        }
        assert!(AccountName::default().is_default());
        assert!(!AccountName::parse("shop").unwrap().is_default());
    }
}
