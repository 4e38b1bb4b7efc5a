//! Serde adapters for what WeChat's JSON leaves loose.

use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde::{Serialize, Serializer};

/// A number, a text, or something whose value says nothing here.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Loose {
    Integer(i64),
    Text(String),
    Other(IgnoredAny),
}

/// Reads an integer that may be written as a text, as `sex` and `errcode` have been seen; null
/// and anything else is absent.
pub(crate) fn loose_integer<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Ok(match Loose::deserialize(deserializer)? {
        Loose::Integer(value) => Some(value),
        Loose::Text(text) => text.trim().parse().ok(),
        Loose::Other(_) => None,
    })
}

/// Reads an integer like [`loose_integer`], with 0 for anything else.
pub(crate) fn loose_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    loose_integer(deserializer).map(Option::unwrap_or_default)
}

/// Reads a text that may be written as an integer; null and anything else is absent.
pub(crate) fn loose_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(match Loose::deserialize(deserializer)? {
        Loose::Integer(value) => Some(value.to_string()),
        Loose::Text(text) => Some(text),
        Loose::Other(_) => None,
    })
}

/// Reads a list of integers; anything else is absent.
pub(crate) fn loose_integers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<i64>>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum List {
        Integers(Vec<i64>),
        Other(IgnoredAny),
    }
    Ok(match List::deserialize(deserializer)? {
        List::Integers(values) => Some(values),
        List::Other(_) => None,
    })
}

/// Secrets travel as plain JSON texts. The `secrecy` crate leaves that out on purpose, so each
/// field that may be written has to ask for it by name.
pub(crate) mod secret_text {
    use super::{Deserialize, Deserializer, ExposeSecret, SecretString, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        secret: &SecretString,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.expose_secret().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SecretString, D::Error> {
        String::deserialize(deserializer).map(SecretString::from)
    }
}
