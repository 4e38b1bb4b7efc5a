//! `user/info` in all its moods: the scan logs in within WeChat's patience, with or without a
//! profile.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_openid},
    simulator::Person,
    stack::{Plan, Stack},
};

use crate::{
    http,
    push_request::{PushRequest, scan, sealed_reply},
};

const PATH: &str = "/cgi-bin/user/info";

/// Scans a fresh code by a push of WeChat's own; it must be answered at the first delivery.
async fn log_in(stack: &Stack, person: &Person) {
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let body = json!({ "scene": scene.as_str(), "ttl_seconds": 300 });
    let code = http::post(&stack.gateways[0], "/v1/qrcodes", &body).await;
    let content = code.json["content"].as_str().expect("a code has it");
    let scanned = stack.wechat.scan(person, content).await;
    let attempts = scanned["delivery"]["attempts"].as_array().expect("a list");
    assert_eq!(attempts.len(), 1, "{scanned}");
    let reply = attempts[0]["reply"].as_str().unwrap_or_default();
    assert!(reply.contains("您已登录"), "{scanned}");
    let owner = attempts::owner(&store, &scene).await;
    assert_eq!(owner, person.openid);
}

async fn member(stack: &Stack, openid: &str) -> Value {
    http::get(&stack.gateways[0], &format!("/v1/members/{openid}"))
        .await
        .json
}

#[tokio::test]
async fn a_login_doesnt_depend_on_user_info() {
    let stack = http::start(Plan::default()).await;
    for fault in [
        json!({ "kind": "errcode", "errcode": 40003 }),
        json!({ "kind": "errcode", "errcode": 45009 }),
        json!({ "kind": "errcode", "errcode": -1 }),
        // Refused with the new token as well.
        json!({ "kind": "errcode", "errcode": 40001 }),
        json!({ "kind": "html" }),
        json!({ "kind": "empty" }),
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "hang_up" }),
        json!({ "kind": "body", "body": "[]" }),
        json!({ "kind": "body", "body": "{\"subscribe\":1,\"openid\":" }),
    ] {
        let mut rule = fault.clone();
        rule["path"] = PATH.into();
        stack.wechat.faults(json!([rule])).await;
        let person = stack.wechat.person("小林", true).await;
        log_in(&stack, &person).await;
        let stored = member(&stack, &person.openid).await;
        assert_eq!(stored["nickname"], Value::Null, "{fault}");
        assert_eq!(stored["subscribed"], true, "{fault}");

        // Nothing was learnt, so the next scan asks again.
        stack.wechat.faults(json!([])).await;
        log_in(&stack, &person).await;
        let stored = member(&stack, &person.openid).await;
        assert_eq!(stored["nickname"], "小林", "{fault}");
    }
}

/// Every login of an account without certification would cost a call and a line in the log.
#[tokio::test]
async fn an_account_without_the_right_is_not_asked_about_at_each_login() {
    let stack = http::start(Plan::default()).await;
    let refused = json!({ "path": PATH, "kind": "errcode", "errcode": 48001 });
    stack.wechat.faults(json!([refused])).await;
    for _ in 0..3 {
        let person = stack.wechat.person("小林", true).await;
        log_in(&stack, &person).await;
        assert_eq!(member(&stack, &person.openid).await["subscribed"], true);
    }
    assert_eq!(stack.wechat.calls(PATH).await, 1);
}

#[tokio::test]
async fn a_slow_user_info_is_not_waited_for() {
    let stack = http::start(Plan::default()).await;
    stack
        .wechat
        .faults(json!([{ "path": PATH, "kind": "slow", "delay_ms": 60_000 }]))
        .await;
    let person = stack.wechat.person("小林", true).await;
    // The simulator, like WeChat, hangs up after five seconds.
    log_in(&stack, &person).await;
    assert_eq!(
        member(&stack, &person.openid).await["nickname"],
        Value::Null
    );
}

/// It may tell the UnionID by which they are known under another account.
#[tokio::test]
async fn two_seconds_are_waited_before_somebody_gets_their_subject() {
    let stack = http::start(Plan::default()).await;
    stack
        .wechat
        .faults(json!([{ "path": PATH, "kind": "slow", "delay_ms": 60_000 }]))
        .await;
    let person = stack.wechat.person("小林", true).await;
    let began = Instant::now();
    log_in(&stack, &person).await;
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
    let sub = member(&stack, &person.openid).await["sub"].clone();
    assert!(sub.is_string(), "{sub}");
    log_in(&stack, &person).await;
    assert_eq!(member(&stack, &person.openid).await["sub"], sub);
}

#[tokio::test]
async fn an_unreachable_wechat_doesnt_stop_a_login() {
    let mut stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    stack.wechat.kill();
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let answer = PushRequest::safe(&scan(&person, &scene))
        .send(&stack.gateways[0])
        .await;
    sealed_reply(&answer, &person);
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn broken_names_are_stored_as_far_as_they_can_be_read() {
    let stack = http::start(Plan::default()).await;
    let body = |nickname: &str| {
        format!("{{\"subscribe\":1,\"openid\":\"o\",\"nickname\":\"{nickname}\",\"city\":\"\"}}")
    };
    for (told, stored) in [
        ("小\u{1}林\u{7}", json!("小林")),
        ("小\n林", json!("小林")),
        ("\\u0000\\ud83d\\ude00", json!("\u{0}\u{1f600}")),
        ("", Value::Null),
        (
            "<script>alert(1)</script>",
            json!("<script>alert(1)</script>"),
        ),
        ("\u{202e}林", json!("\u{202e}林")),
    ] {
        let rule = json!([{ "path": PATH, "kind": "body", "body": body(told) }]);
        stack.wechat.faults(rule).await;
        let person = stack.wechat.person("小林", true).await;
        log_in(&stack, &person).await;
        assert_eq!(member(&stack, &person.openid).await["nickname"], stored);
    }
}

#[tokio::test]
async fn todays_user_info_without_a_name_leaves_it_unknown() {
    let stack = http::start(Plan::default()).await;
    stack
        .wechat
        .settings(json!({ "profile_in_user_info": false }))
        .await;
    let person = stack.wechat.person("小林", true).await;
    log_in(&stack, &person).await;
    let stored = member(&stack, &person.openid).await;
    assert_eq!(stored["nickname"], Value::Null);
    assert_eq!(stored["avatar_url"], Value::Null);
    assert!(stored["profile_at"].is_string(), "{stored}");
}

#[tokio::test]
async fn a_known_profile_isnt_asked_for_at_every_scan() {
    let stack = http::start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    log_in(&stack, &person).await;
    log_in(&stack, &person).await;
    assert_eq!(stack.wechat.calls(PATH).await, 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_within_the_push() {
    let stack = http::start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    stack
        .wechat
        .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
        .await;
    let answer = PushRequest::safe(&scan(&person.openid, &scene))
        .send(&stack.gateways[0])
        .await;
    sealed_reply(&answer, &person.openid);
    let stored = member(&stack, &person.openid).await;
    assert_eq!(stored["nickname"], "小林");
    assert_eq!(stack.wechat.calls(PATH).await, 2);
    assert_eq!(stack.wechat.calls("/cgi-bin/stable_token").await, 2);
}
