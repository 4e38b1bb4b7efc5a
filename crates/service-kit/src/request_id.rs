//! Request IDs: on the response, in log lines, and on requests to our other service, so that an
//! operator can correlate them.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::{random, trace_context::TraceContext};

/// The header that carries it from the browser's edge to the gateway, for whoever has headers of
/// another kind.
pub const NAME: &str = "x-request-id";

/// The same.
pub const REQUEST_ID: HeaderName = HeaderName::from_static(NAME);

/// The maximum length of an ID from elsewhere.
const LONGEST: usize = 64;

tokio::task_local! {
    static CURRENT: Option<Current>;
}

/// What work knows of the request that it is done for.
#[derive(Clone)]
struct Current {
    id: HeaderValue,
    /// Where it belongs, if there are [traces](crate::traces).
    trace: Option<TraceContext>,
}

/// The ID of the current request; none in work that no request started.
pub fn current() -> Option<HeaderValue> {
    let id = |current: &Option<Current>| current.as_ref().map(|current| current.id.clone());
    CURRENT.try_with(id).ok().flatten()
}

/// The trace of the current request.
pub(crate) fn current_trace() -> Option<TraceContext> {
    let trace = |current: &Option<Current>| current.as_ref().and_then(|current| current.trace);
    CURRENT.try_with(trace).ok().flatten()
}

/// The same work with the current request's ID and trace, for work that continues in a task of its own.
pub fn carried<Work: Future>(work: Work) -> impl Future<Output = Work::Output> {
    let current = CURRENT.try_with(Option::clone).ok().flatten();
    CURRENT.scope(current, work)
}

/// Runs something with a request ID, as part of a trace.
pub(crate) fn named<Work: Future>(
    id: HeaderValue,
    trace: Option<TraceContext>,
    work: Work,
) -> impl Future<Output = Work::Output> {
    CURRENT.scope(Some(Current { id, trace }), work)
}

/// Runs something synchronously with a request ID.
pub(crate) fn named_now<Outcome>(id: HeaderValue, work: impl FnOnce() -> Outcome) -> Outcome {
    CURRENT.sync_scope(Some(Current { id, trace: None }), work)
}

/// The request's own ID, if it is safe to log, or else a new one.
pub(crate) fn of(headers: &HeaderMap) -> HeaderValue {
    let brought = headers.get(REQUEST_ID).filter(|value| is_plain(value));
    brought.cloned().unwrap_or_else(new)
}

fn is_plain(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=LONGEST).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// An ID that no other request of any process is likely to have: a scrambled counter with a random
/// start.
fn new() -> HeaderValue {
    static BEGINNING: LazyLock<u64> = LazyLock::new(|| {
        // A request without a random ID is still served.
        u64::from_be_bytes(random::bytes().unwrap_or_default())
    });
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = BEGINNING.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
    // A bijection, since the factor is odd: no two counts have the same ID.
    let scrambled = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let scrambled = scrambled ^ (scrambled >> 32);
    let digits = scrambled.to_be_bytes().map(|byte| {
        let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
        [digit(byte >> 4), digit(byte & 15)]
    });
    HeaderValue::from_bytes(digits.as_flattened())
        .unwrap_or_else(|_| HeaderValue::from_static("unnamed"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn new_names_are_sixteen_hexadecimal_digits_and_differ() {
        let names: HashSet<String> = (0..1000)
            .map(|_| new().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names.len(), 1000);
        let is_digit = |digit: char| matches!(digit, '0'..='9' | 'a'..='f');
        assert!(
            names
                .iter()
                .all(|name| name.len() == 16 && name.chars().all(is_digit))
        );
    }

    #[tokio::test]
    async fn work_knows_its_name_and_no_other_does() {
        let id = HeaderValue::from_static("edge-1");
        assert_eq!(
            named(id.clone(), None, async { current() }).await,
            Some(id.clone())
        );
        assert_eq!(named_now(id.clone(), current), Some(id.clone()));
        assert_eq!(current(), None);

        let elsewhere = named_now(id.clone(), || carried(async { current() }));
        assert_eq!(tokio::spawn(elsewhere).await.unwrap(), Some(id));
        assert_eq!(carried(async { current() }).await, None);
    }
}
