//! Serde adapters for what WeChat's JSON leaves loose: the one place that says which forms of a
//! number or a text are taken.

#![expect(
    clippy::ref_option,
    clippy::unnecessary_wraps,
    reason = "serde says how these functions are called"
)]

use std::fmt;
use std::marker::PhantomData;

use secrecy::{ExposeSecret, SecretString};
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess,
    Visitor,
};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A value in any of the forms that have been seen, or one that says nothing here.
enum Loose {
    Flag(bool),
    Integer(i64),
    Fraction(f64),
    Text(String),
    Other,
}

impl Loose {
    /// What can't be read says nothing. That leaves a reader where it was, so that it is for
    /// members that have a reader each ([`crate::members`]).
    fn of<'de, D: Deserializer<'de>>(deserializer: D) -> Self {
        Self::deserialize(deserializer).unwrap_or(Self::Other)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

/// Keeps nothing of lists and objects, however long they are.
struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = Loose;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Loose, E> {
        Ok(Loose::Flag(flag))
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Loose, E> {
        Ok(Loose::Integer(integer))
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Loose, E> {
        Ok(Loose::Integer(integer.try_into().unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, fraction: f64) -> Result<Loose, E> {
        Ok(Loose::Fraction(fraction))
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(Loose::Text(text))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Loose, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }
}

impl Loose {
    /// The number, which may be written as a text, with blanks around it, as `7200.0`, or as a
    /// boolean.
    fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Flag(flag) => f64::from(*flag),
            #[expect(
                clippy::cast_precision_loss,
                reason = "no number of WeChat's has more than 53 bits"
            )]
            Self::Integer(integer) => *integer as f64,
            Self::Fraction(fraction) => *fraction,
            Self::Text(text) => match text.trim() {
                "true" => 1.0,
                "false" => 0.0,
                text => text.parse().ok()?,
            },
            Self::Other => return None,
        };
        number.is_finite().then_some(number)
    }

    /// The number, if it is a whole one. What is too large is as large as can be.
    fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => self
                .number()
                .filter(|number| number.fract() == 0.0)
                .map(whole),
        }
    }

    fn text(self) -> Option<String> {
        match self {
            Self::Integer(integer) => Some(integer.to_string()),
            Self::Text(text) => Some(text),
            Self::Flag(_) | Self::Fraction(_) | Self::Other => None,
        }
    }

    /// The text, if there is anything in it.
    fn filled_text(self) -> Option<String> {
        self.text().filter(|text| !text.trim().is_empty())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a fraction is dropped, and `as` ends at the bounds"
)]
const fn whole(number: f64) -> i64 {
    number as i64
}

/// Reads an integer that may be written as a text, a whole fraction or a boolean, as `sex`,
/// `errcode` and `subscribe` have been seen; null and anything else is absent.
pub(crate) fn loose_integer<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Ok(Loose::of(deserializer).integer())
}

/// Reads an integer like [`loose_integer`], with 0 for anything else.
pub(crate) fn loose_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    loose_integer(deserializer).map(Option::unwrap_or_default)
}

/// Reads a time span in whole seconds like [`loose_integer`]; a fraction of a second is dropped,
/// and less than a second is absent.
pub(crate) fn loose_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let seconds = Loose::of(deserializer).number().map(whole);
    Ok(seconds
        .and_then(|seconds| seconds.try_into().ok())
        .filter(|seconds| *seconds > 0))
}

/// Reads a text that may be written as an integer; null and anything else is absent.
pub(crate) fn loose_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Loose::of(deserializer).text())
}

/// Reads a text like [`loose_text`], with an empty one for anything else.
pub(crate) fn loose_string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    loose_text(deserializer).map(Option::unwrap_or_default)
}

/// Reads a text like [`loose_text`], without which the answer is of no use.
pub(crate) fn needed_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = Loose::of(deserializer).filled_text();
    text.ok_or_else(|| D::Error::custom("a text is missing"))
}

/// The errcode of an answer: `None` for null and an empty text.
///
/// # Errors
///
/// It is something else that is no whole number.
pub(crate) fn errcode(value: &str) -> Result<Option<i64>, ()> {
    match serde_json::from_str(value).map_err(drop)? {
        None => Ok(None),
        Some(Loose::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(loose) => loose.integer().map(Some).ok_or(()),
    }
}

/// Reads a list and leaves out what isn't one of its kind; anything else than a list is absent.
pub(crate) fn loose_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Ok(deserializer
        .deserialize_any(List(PhantomData))
        .unwrap_or_default())
}

/// A list, or one of the forms that are none.
struct List<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for List<T> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element::<Value>()? {
            read.extend(T::deserialize(item));
        }
        Ok(Some(read))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// Reads a list like [`loose_list`], without which the answer is of no use.
pub(crate) fn needed_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    loose_list(deserializer)?.ok_or_else(|| D::Error::custom("a list is missing"))
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

/// As [`secret_text`], without which the answer is of no use.
pub(crate) mod needed_secret {
    use super::{Deserializer, SecretString};

    pub(crate) use super::secret_text::serialize;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SecretString, D::Error> {
        super::needed_text(deserializer).map(SecretString::from)
    }
}

/// As [`secret_text`], for a secret that may be missing.
pub(crate) mod loose_secret {
    use super::{Deserializer, ExposeSecret, Loose, SecretString, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        secret: &Option<SecretString>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let secret = secret.as_ref().map(ExposeSecret::expose_secret);
        secret.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SecretString>, D::Error> {
        let text = Loose::of(deserializer).filled_text();
        Ok(text.map(SecretString::from))
    }
}
