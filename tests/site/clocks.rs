//! Redis' clock alone counts: sites whose clocks differ tell a browser the same.

use jiff::Timestamp;
use reqwest::Method;
use system_tests::{
    deadline::eventually,
    stack::{Plan, Stack},
};

use crate::attempt_record;

/// What a site whose clock is so many milliseconds ahead would have written.
async fn opened_by_a_clock_ahead(stack: &Stack, milliseconds: i64) {
    let key = attempt_record::only(stack).await;
    attempt_record::set_time(stack, &key, "expires_at_ms", 300_000 + milliseconds).await;
}

#[tokio::test]
async fn a_reload_counts_down_by_what_redis_has_left() {
    for ahead in [-600_000, 0, 600_000] {
        let stack = Plan::default().start().await;
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        opened_by_a_clock_ahead(&stack, ahead).await;
        let again = visitor.call(Method::POST, "/api/login").await;
        assert_eq!(again.json["qr"]["content"], *content, "{ahead}: the same");
        let left = again.json["expires_in_seconds"].as_u64().expect("a number");
        assert!((250..=300).contains(&left), "{ahead}: {left} s");
    }
}

#[tokio::test]
async fn an_attempt_that_is_nearly_over_is_not_shown_again() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    opened_by_a_clock_ahead(&stack, 600_000).await;
    let key = attempt_record::only(&stack).await;
    let _: i64 = stack.redis.command(&["PEXPIRE", &key, "10000"]).await;
    assert_ne!(visitor.start_login().await, content);
}

#[tokio::test]
async fn inside_wechat_it_counts_down_alike() {
    let path = "/api/login/web-authorization?return_to=/";
    for ahead in [-600_000, 600_000] {
        let stack = Plan::default().start().await;
        let mut visitor = stack.visitor();
        let begun = visitor.call(Method::POST, path).await;
        opened_by_a_clock_ahead(&stack, ahead).await;
        let again = visitor.call(Method::POST, path).await;
        assert_eq!(attempt_record::all(&stack).await.len(), 1, "{ahead}");
        for answer in [begun, again] {
            let left = answer.json["expires_in_seconds"].as_u64();
            assert!(left.is_some_and(|left| (250..=300).contains(&left)));
        }
    }
}

#[tokio::test]
async fn a_stream_ends_when_redis_has_no_such_attempt_any_more() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    opened_by_a_clock_ahead(&stack, 600_000).await;
    let key = attempt_record::only(&stack).await;
    let _: i64 = stack.redis.command(&["PEXPIRE", &key, "1500"]).await;
    let opened = Timestamp::now();
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    assert_eq!(events.next_status().await.as_deref(), Some("expired"));
    let waited = Timestamp::now().duration_since(opened).as_secs();
    assert!(waited < 5, "{waited} s, and the look for losses takes five");
}

/// How often attempts were read, and how often one was looked for, which the site does every five
/// seconds while browsers wait.
async fn asked(stack: &Stack) -> (u64, u64) {
    let statistics: String = stack.redis.command(&["INFO", "commandstats"]).await;
    let calls = |name: &str| {
        let line = statistics.lines().find_map(|line| line.strip_prefix(name));
        let digits = line.and_then(|line| line.split(',').next());
        digits.map_or(0, |digits| digits.parse::<u64>().expect("a number"))
    };
    let (reads, looks) = (
        calls("cmdstat_hmget:calls="),
        calls("cmdstat_exists:calls="),
    );
    (reads, looks)
}

/// How often attempts are read until the site has looked for one so many times more.
async fn reads_until_looks(stack: &Stack, times: u64) -> u64 {
    let (reads, looks) = asked(stack).await;
    eventually("the site has looked for losses", async || {
        (asked(stack).await.1 >= looks + times).then_some(())
    })
    .await;
    asked(stack).await.0 - reads
}

#[tokio::test]
async fn a_clock_that_is_ahead_makes_no_stream_ask_again_and_again() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    // A site whose clock is ahead takes it for over long ago.
    opened_by_a_clock_ahead(&stack, -600_000).await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    assert_eq!(reads_until_looks(&stack, 2).await, 0);
}

#[tokio::test]
async fn a_scan_that_prolongs_an_attempt_makes_no_stream_ask_again_and_again() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let key = attempt_record::only(&stack).await;
    let _: i64 = stack.redis.command(&["PEXPIRE", &key, "3000"]).await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    let reads = reads_until_looks(&stack, 2).await;
    assert!(reads <= 1, "{reads} instead of one when its time seemed up");
}
