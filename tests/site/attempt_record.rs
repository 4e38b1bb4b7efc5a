//! The record of an attempt in Redis, read and changed behind the site's back: the states that only
//! time, a phone or an outage would bring.

use jiff::Timestamp;
use system_tests::stack::Stack;

/// The keys of all attempts.
pub(crate) async fn all(stack: &Stack) -> Vec<String> {
    stack
        .redis
        .command(&["KEYS", "wechat-login:attempt:*"])
        .await
}

/// The key of the only attempt.
pub(crate) async fn only(stack: &Stack) -> String {
    let mut keys = all(stack).await;
    assert_eq!(keys.len(), 1, "one attempt");
    keys.remove(0)
}

/// The scene of an attempt.
pub(crate) fn scene(key: &str) -> &str {
    key.strip_prefix("wechat-login:attempt:{")
        .and_then(|scene| scene.strip_suffix('}'))
        .expect("an attempt's key holds its scene")
}

/// Sets a field of the record.
pub(crate) async fn set(stack: &Stack, key: &str, field: &str, value: &str) {
    let _: i64 = stack.redis.command(&["HSET", key, field, value]).await;
}

/// Sets the field to a time this many milliseconds from now.
pub(crate) async fn set_time(stack: &Stack, key: &str, field: &str, milliseconds_from_now: i64) {
    let at = Timestamp::now().as_millisecond() + milliseconds_from_now;
    set(stack, key, field, &at.to_string()).await;
}

/// Removes the record without a word, as Redis does when its time is up.
pub(crate) async fn expire(stack: &Stack, key: &str) {
    let removed: i64 = stack.redis.command(&["DEL", key]).await;
    assert_eq!(removed, 1);
}

/// The keys of all sessions. The end of one is remembered under its key for a while.
pub(crate) async fn sessions(stack: &Stack) -> Vec<String> {
    let mut living = Vec::new();
    for key in session_keys(stack).await {
        let record: String = stack.redis.command(&["GET", &key]).await;
        if record != "ended" {
            living.push(key);
        }
    }
    living
}

/// The keys of all sessions, and of those that were ended a short time ago.
pub(crate) async fn session_keys(stack: &Stack) -> Vec<String> {
    stack
        .redis
        .command(&["KEYS", "wechat-login:session:*"])
        .await
}
