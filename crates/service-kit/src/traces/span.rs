//! What is known of a piece of work that is over.

use std::borrow::Cow;

use crate::trace_context::TraceContext;

/// A piece of work, in the terms of OpenTelemetry. Nothing in it may be about anybody in
/// particular, or secret.
pub(crate) struct Span {
    /// Its own.
    pub(crate) context: TraceContext,
    /// What it was done for, if that is known.
    pub(crate) parent: Option<[u8; 8]>,
    pub(crate) kind: Kind,
    /// Of few different ones.
    pub(crate) name: Cow<'static, str>,
    /// Nanoseconds since 1970.
    pub(crate) began: u64,
    /// Nanoseconds since 1970.
    pub(crate) ended: u64,
    pub(crate) attributes: Vec<(&'static str, Attribute)>,
    pub(crate) is_failure: bool,
}

/// Whose side of the work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A request that was answered.
    Server,
    /// A request that was made.
    Client,
}

/// An attribute's value.
pub(crate) enum Attribute {
    Text(Cow<'static, str>),
    Number(i64),
}

impl From<&'static str> for Attribute {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<u16> for Attribute {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}
