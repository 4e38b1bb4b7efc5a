//! What every answer of a kind has in common.

use std::collections::BTreeSet;

use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, RETRY_AFTER, SET_COOKIE};
use serde_json::Value;
use system_tests::visitor::Answer;

/// A header's text; empty when it is missing.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().expect("headers are plain"))
}

/// The object has these members, in whatever order, and no others.
#[track_caller]
pub(crate) fn assert_members(object: &Value, expected: &[&str]) {
    let object = object.as_object().expect("an object");
    let members: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(members, expected.iter().copied().collect(), "{object:?}");
}

/// The answer is a problem with this status and code, and nothing besides.
#[track_caller]
pub(crate) fn assert_problem(answer: &Answer, status: u16, code: &str) {
    let Answer {
        status: found,
        headers,
        text,
        json,
    } = answer;
    assert_eq!(found.as_u16(), status, "{text}");
    assert_eq!(
        header(headers, CONTENT_TYPE.as_str()),
        "application/problem+json"
    );
    assert_eq!(header(headers, CACHE_CONTROL.as_str()), "no-store");
    assert_members(json, &["code", "detail", "status", "title"]);
    assert_eq!(json["code"], code);
    assert_eq!(json["status"], status);
    assert_eq!(
        json["title"].as_str(),
        answer.status.canonical_reason(),
        "{text}"
    );
    assert_ne!(json["detail"].as_str(), Some(""), "{text}");
    assert!(headers.get(SET_COOKIE).is_none(), "{headers:?}");
}

/// The seconds of `Retry-After`.
#[track_caller]
pub(crate) fn retry_after(answer: &Answer) -> u64 {
    let value = header(&answer.headers, RETRY_AFTER.as_str());
    value
        .parse()
        .unwrap_or_else(|_| panic!("no seconds in Retry-After: {value:?}"))
}

/// The whole `Set-Cookie` line of this cookie, if the answer has one.
pub(crate) fn set_cookie<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer
        .headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|line| line.to_str().expect("cookies are plain"))
        .find(|line| line.split('=').next() == Some(name))
}
