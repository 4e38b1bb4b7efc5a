//! How many logins and streams one client gets, and what it is told when it wants more.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    deadline::eventually,
    stack::{Plan, Stack},
    visitor::Visitor,
};

use crate::{
    answers::{assert_problem, retry_after},
    attempt_record,
};

/// Starts a login in a new browser at this site and returns the status.
async fn start_anew(stack: &Stack, site: usize) -> u16 {
    let mut visitor = Visitor::new(&stack.sites[site].public);
    let answer = visitor.call(Method::POST, "/api/login").await;
    answer.status.as_u16()
}

#[tokio::test]
async fn a_client_starts_so_many_logins_in_a_minute_at_all_replicas_together() {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_PER_MINUTE", "3");
    let stack = plan.sites(2).start().await;
    for site in [0, 1, 0] {
        assert_eq!(start_anew(&stack, site).await, 201);
    }
    for site in [1, 0] {
        let mut visitor = Visitor::new(&stack.sites[site].public);
        let answer = visitor.call(Method::POST, "/api/login").await;
        assert_problem(&answer, 429, "too_many_logins");
        assert!((1..=60).contains(&retry_after(&answer)));
        assert!(visitor.cookies().is_empty());
    }
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 3);
    assert_eq!(attempt_record::all(&stack).await.len(), 3);

    assert_eq!(begun_today(&stack).await, 3, "refusals don't count");
    let counters = counters(&stack).await;
    let left: i64 = stack.redis.command(&["PTTL", &counters[0]]).await;
    assert!((86_000_000..=86_400_000).contains(&left), "{left} ms");
    // Their time is over.
    attempt_record::expire(&stack, &counters[0]).await;
    assert_eq!(start_anew(&stack, 0).await, 201);
}

/// The keys that hold what clients began.
async fn counters(stack: &Stack) -> Vec<String> {
    let pattern = "wechat-login:logins-begun:*";
    stack.redis.command(&["KEYS", pattern]).await
}

/// How many logins this machine began in the day and didn't complete, as the services count.
pub(crate) async fn begun_today(stack: &Stack) -> u32 {
    let counters = counters(stack).await;
    assert_eq!(counters.len(), 1, "{counters:?}");
    let counts: String = stack.redis.command(&["HGET", &counters[0], "32"]).await;
    let (_, today) = counts.rsplit_once(' ').expect("there are several numbers");
    today.parse().expect("a number")
}

#[tokio::test]
async fn a_completed_login_is_given_back_once() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    for _ in 0..4 {
        assert_eq!(start_anew(&stack, 0).await, 201);
    }
    assert_eq!(begun_today(&stack).await, 5);
    stack.wechat.scan(&person, &content).await;
    visitor.status_becomes("confirmed").await;
    // The answer got lost, again and again.
    for _ in 0..4 {
        visitor.complete().await;
        assert_eq!(begun_today(&stack).await, 3, "itself and one given up");
    }
}

#[tokio::test]
async fn what_finds_no_code_isnt_counted_against_the_day() {
    let stack = Plan::default().start().await;
    assert_eq!(start_anew(&stack, 0).await, 201);
    let refused =
        json!([{ "path": "/cgi-bin/qrcode/create", "kind": "errcode", "errcode": 48001 }]);
    stack.wechat.faults(refused).await;
    for _ in 0..3 {
        assert_eq!(start_anew(&stack, 0).await, 503);
    }
    assert_eq!(begun_today(&stack).await, 1);
}

#[tokio::test]
async fn who_begins_many_is_held_back_before_the_days_codes_are_used_up() {
    let plan = Plan::default()
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "400")
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.0/8")
        .gateway("GATEWAY__LIMITS__QR_CODES_PER_DAY", "240");
    let stack = plan.start().await;
    let mut begun = 0;
    let refused = loop {
        let mut visitor = stack.visitor();
        let answer = visitor.call(Method::POST, "/api/login").await;
        if answer.status != 201 {
            break answer;
        }
        begun += 1;
        assert!(begun <= 180, "three quarters of the day's codes");
    };
    assert_problem(&refused, 429, "too_many_logins");
    assert!((1..=86_400).contains(&retry_after(&refused)));
    assert!(begun > 5, "{begun}: some are everybody's");
    assert_eq!(begun_today(&stack).await, begun);
    let mut other = stack.visitor();
    other.set_header("x-forwarded-for", "203.0.113.7");
    other.start_login().await;
}

#[tokio::test]
async fn going_on_with_an_attempt_is_neither_refused_nor_counted() {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_PER_MINUTE", "2");
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    for _ in 0..5 {
        assert_eq!(visitor.start_login().await, content);
    }
    assert_eq!(start_anew(&stack, 0).await, 201, "the second login");
    assert_eq!(start_anew(&stack, 0).await, 429, "the third");
    assert_eq!(visitor.start_login().await, content);
}

#[tokio::test]
async fn without_a_limit_nobody_is_refused_and_nothing_counted() {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_PER_MINUTE", "0");
    let stack = plan.start().await;
    for _ in 0..35 {
        assert_eq!(start_anew(&stack, 0).await, 201);
    }
    assert!(counters(&stack).await.is_empty());
}

#[tokio::test]
async fn thirty_logins_a_minute_unless_a_setting_says_otherwise() {
    let stack = Plan::default().start().await;
    for _ in 0..30 {
        assert_eq!(start_anew(&stack, 0).await, 201);
    }
    assert_eq!(start_anew(&stack, 0).await, 429);
}

#[tokio::test]
async fn a_clients_streams_are_limited_and_one_that_ends_makes_room() {
    let plan = Plan::default().site("SITE__LIMITS__WAITING_PER_CLIENT", "2");
    let stack = plan.start().await;
    let [mut visitor, mut other] = [stack.visitor(), stack.visitor()];
    visitor.start_login().await;
    other.start_login().await;
    let [mut one, mut two] = [visitor.events().await, other.events().await];
    for events in [&mut one, &mut two] {
        assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    }
    let answer = visitor.call(Method::GET, "/api/login/events").await;
    assert_problem(&answer, 429, "too_many_waiting");
    assert_eq!(retry_after(&answer), 30);
    assert_eq!(visitor.status().await, "pending", "polling is possible");

    other.call(Method::DELETE, "/api/login").await;
    assert_eq!(two.next_status().await.as_deref(), Some("expired"));
    assert_eq!(two.next_status().await, None);
    eventually("the ended stream's seat is free", async || {
        let stream = visitor.send(Method::GET, "/api/login/events").await;
        (stream.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_process_holds_so_many_streams() {
    let plan = Plan::default().site("SITE__LIMITS__WAITING", "1");
    let stack = plan.start().await;
    let [mut visitor, mut other] = [stack.visitor(), stack.visitor()];
    visitor.start_login().await;
    other.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    let answer = other.call(Method::GET, "/api/login/events").await;
    assert_problem(&answer, 503, "too_many_waiting");
    assert_eq!(retry_after(&answer), 30);
    visitor.call(Method::DELETE, "/api/login").await;
    assert_eq!(events.next_status().await.as_deref(), Some("expired"));
    eventually("the ended stream's seat is free", async || {
        let stream = other.send(Method::GET, "/api/login/events").await;
        (stream.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_goes_away_frees_its_seat_at_once() {
    let plan = Plan::default().site("SITE__LIMITS__WAITING_PER_CLIENT", "1");
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    drop(events);
    eventually("the seat is free", async || {
        let stream = visitor.send(Method::GET, "/api/login/events").await;
        (stream.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn twenty_streams_a_client_unless_a_setting_says_otherwise() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(visitor.events().await);
    }
    let answer = visitor.call(Method::GET, "/api/login/events").await;
    assert_problem(&answer, 429, "too_many_waiting");
}

#[tokio::test]
async fn without_limits_streams_are_not_refused() {
    let plan = Plan::default()
        .site("SITE__LIMITS__WAITING_PER_CLIENT", "0")
        .site("SITE__LIMITS__WAITING", "0");
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    let mut streams = Vec::new();
    for _ in 0..30 {
        streams.push(visitor.events().await);
    }
}
