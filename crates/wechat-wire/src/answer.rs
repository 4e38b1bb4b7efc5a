//! How to read an answer of the server API: its error code first, then its body.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::json;
use crate::members;

/// WeChat's error object. It comes with HTTP 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What went wrong; see [`crate::error_code`]. 0 is success.
    pub errcode: i64,
    /// A text for people, which changes without notice: log it, never compare it.
    #[serde(default)]
    pub errmsg: String,
}

impl ApiError {
    /// The request id that ends `errmsg`, three groups of eight hexadecimal digits: what Tencent's
    /// support and `/cgi-bin/openapi/rid/get` ask for.
    pub fn rid(&self) -> Option<&str> {
        let (_, after) = self.errmsg.rsplit_once("rid: ")?;
        let rid = after.get(..26)?;
        let mut groups = rid.split('-');
        let well_formed =
            groups.by_ref().take(3).all(|group| {
                group.len() == 8 && group.bytes().all(|byte| byte.is_ascii_hexdigit())
            }) && groups.next().is_none();
        well_formed.then_some(rid)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "errcode {}: {}", self.errcode, self.errmsg)
    }
}

impl std::error::Error for ApiError {}

/// The answer of calls that return nothing but `{"errcode":0,"errmsg":"ok"}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Acknowledged {}

/// Why an answer held no result. Nothing of the body is quoted: it may hold a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// WeChat refused the call.
    #[error("WeChat refused the call: {0}")]
    Api(#[from] ApiError),
    /// The answer isn't the JSON that was expected.
    #[error("WeChat's answer of {length} bytes {problem}")]
    Malformed {
        /// The body's length in bytes.
        length: usize,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a malformed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nothing but white space, which a wrong secret has been seen to cause (GitHub thread
    /// Eric-Guo/wechat#184).
    Empty,
    /// Not a JSON object: an HTML error page, or an answer cut short.
    NotAnObject,
    /// A JSON object that lacks a member or holds one of another type.
    UnexpectedMembers,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "is empty",
            Self::NotAnObject => "is not a JSON object",
            Self::UnexpectedMembers => "lacks expected members",
        })
    }
}

/// Reads an answer's bytes, whatever its content type says.
///
/// Each member is read by itself: an unreadable one affects no other, and of several with the same
/// name the last readable one counts. A byte order mark and raw control characters are dropped;
/// broken UTF-8, unpaired surrogates and broken escapes are replaced by U+FFFD, since people's
/// names contain them. An `errcode` of 0 or none is success.
///
/// # Errors
///
/// [`DecodeError::Api`] when WeChat names an error, else [`DecodeError::Malformed`] when the body
/// isn't a `T`.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let malformed = |problem| DecodeError::Malformed {
        length: body.len(),
        problem,
    };
    let text = members::readable(body);
    let text = text
        .trim_matches(|character: char| character.is_ascii_whitespace() || character == '\u{feff}');
    if text.is_empty() {
        return Err(malformed(Problem::Empty));
    }
    let members = members::of_object(text).ok_or_else(|| malformed(Problem::NotAnObject))?;
    if let Some(errcode) =
        named_error(&members).map_err(|()| malformed(Problem::UnexpectedMembers))?
    {
        let errmsg = members.into_iter().rev().find_map(|member| match member {
            (name, value) if name == "errmsg" => serde_json::from_str(value).ok(),
            _ => None,
        });
        return Err(DecodeError::Api(ApiError {
            errcode,
            errmsg: errmsg.unwrap_or_default(),
        }));
    }
    members::read(members).map_err(|_| malformed(Problem::UnexpectedMembers))
}

/// The error that an answer names. If one is named twice, an error counts rather than a success.
fn named_error(members: &[members::Member<'_>]) -> Result<Option<i64>, ()> {
    let mut error = None;
    for (_, value) in members.iter().filter(|(name, _)| name == "errcode") {
        let errcode = json::errcode(value)?;
        error = error.or(errcode.filter(|errcode| *errcode != 0));
    }
    Ok(error)
}
