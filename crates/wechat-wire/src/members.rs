//! An answer's members, each on its own: what can't be read of one costs no other.

use std::borrow::Cow;

use serde::de::value::MapDeserializer;
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IgnoredAny, IntoDeserializer, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Error;

/// A body as text that a strict JSON parser takes.
///
/// Byte order marks and raw control characters are dropped; outside strings the latter are only
/// white space. Broken UTF-8, unpaired surrogates (`\ud83d`, of an emoji that was cut in two) and
/// broken escapes become U+FFFD. All of them have been seen in people's names.
pub(crate) fn readable(body: &[u8]) -> Cow<'_, str> {
    // Most bodies are as they should be, and that is told ten times as fast as what is wrong with
    // one.
    let text = str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    let text = if text.bytes().any(|byte| byte < 0x20) {
        Cow::Owned(text.chars().filter(|character| *character >= ' ').collect())
    } else {
        text
    };
    if text.contains('\\') {
        Cow::Owned(with_good_escapes(&text))
    } else {
        text
    }
}

fn with_good_escapes(text: &str) -> String {
    let mut good = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find('\\') {
        let (before, from_escape) = rest.split_at(begin);
        good.push_str(before);
        let (replacement, after) = escape(from_escape);
        good.push_str(replacement);
        rest = after;
    }
    good.push_str(rest);
    good
}

/// What the escape at the beginning of `text` is replaced by, and what follows it.
fn escape(text: &str) -> (&str, &str) {
    const UNREADABLE: &str = "\u{fffd}";
    match text[1..].chars().next() {
        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => text.split_at(2),
        Some('u') => match (code_unit(text), text.get(6..).and_then(code_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => text.split_at(12),
            (Some(0xd800..=0xdfff), _) => (UNREADABLE, &text[6..]),
            (Some(_), _) => text.split_at(6),
            (None, _) => (UNREADABLE, &text[2..]),
        },
        // As in JavaScript, any other character stands for itself.
        Some(_) => ("", &text[1..]),
        None => ("", ""),
    }
}

/// The UTF-16 code unit of an escape `\uXXXX` at the beginning of `text`.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    are_digits.then(|| u16::from_str_radix(digits, 16).ok())?
}

/// A member's name, and the text of its value.
pub(crate) type Member<'a> = (Cow<'a, str>, &'a str);

/// The members of an object in the order in which they stand. `None` when the text isn't one whole
/// object.
pub(crate) fn of_object(text: &str) -> Option<Vec<Member<'_>>> {
    let mut members = Vec::new();
    let mut rest = text.strip_prefix('{')?.trim_ascii_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return after.trim_ascii().is_empty().then_some(members);
        }
        let (name, after) = rest.split_at(string_length(rest)?);
        let value = after.trim_ascii_start().strip_prefix(':')?;
        let (value, after) = value.split_at(value_length(value)?);
        members.push((text_of(name)?, value.trim_ascii()));
        rest = after.strip_prefix(',').unwrap_or(after).trim_ascii_start();
    }
}

/// The text of a string in quotation marks.
fn text_of(string: &str) -> Option<Cow<'_, str>> {
    if string.contains('\\') {
        serde_json::from_str(string).ok().map(Cow::Owned)
    } else {
        string.get(1..string.len() - 1).map(Cow::Borrowed)
    }
}

/// Reads a `T` from those members that are JSON and not null; of several with one name from the
/// last.
///
/// # Errors
///
/// They are no `T`.
pub(crate) fn read<T: DeserializeOwned>(members: Vec<Member<'_>>) -> Result<T, Error> {
    T::deserialize(Members(members))
}

/// The members, for a struct that says which it wants: the others aren't looked at.
struct Members<'a>(Vec<Member<'a>>);

impl<'de> Members<'de> {
    fn last_readable(&self, wanted: &str) -> Option<ValueText<'de>> {
        let readable = self.0.iter().rev().find(|(name, value)| {
            name.len() == wanted.len() && name == wanted && *value != "null" && is_json(value)
        });
        readable.map(|(_, value)| ValueText(value))
    }
}

impl<'de> Deserializer<'de> for Members<'de> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let wanted = fields
            .iter()
            .filter_map(|name| Some((*name, self.last_readable(name)?)));
        visitor.visit_map(MapDeserializer::new(wanted))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("an answer is read into a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Whether a value is JSON. A string is, once it has [readable] characters and escapes and ends
/// where its member does, and so are digits; that spares most members of most answers a parser.
fn is_json(value: &str) -> bool {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit())
        && (value.len() == 1 || !value.starts_with('0'));
    (is_number && !value.is_empty())
        || string_length(value) == Some(value.len())
        || serde_json::from_str::<IgnoredAny>(value).is_ok()
}

/// The text of a value, which is read when somebody wants it.
struct ValueText<'a>(&'a str);

impl<'de> IntoDeserializer<'de, Error> for ValueText<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for ValueText<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        serde_json::Deserializer::from_str(self.0).deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// How long the string is with which `text` begins, its quotation marks included.
fn string_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut index = 1;
    loop {
        match bytes.get(index)? {
            b'"' => return Some(index + 1),
            b'\\' => index += 2,
            _ => index += 1,
        }
    }
}

/// How far it is to the comma or brace that ends the value with which `text` begins.
fn value_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut index = 0;
    loop {
        match text.as_bytes().get(index)? {
            b'"' => {
                index += string_length(&text[index..])?;
                continue;
            }
            b',' | b'}' if depth == 0 => return Some(index),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        index += 1;
    }
}
