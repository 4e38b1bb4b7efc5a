//! Pushes in plain mode: when they are accepted, and that they are answered in clear.

use login_protocol::attempt::AttemptStatus;
use serde_json::json;
use system_tests::{
    attempts::{self, new_openid},
    stack::Plan,
};

use crate::{
    http,
    push_request::{PushRequest, plain_reply, scan, sealed_reply},
};

#[tokio::test]
async fn a_plain_push_is_answered_in_clear() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let push = PushRequest::plain(&scan(&person, &scene));
    // WeChat says nothing of encryption in plain mode; some relays say "raw".
    for push in [push.clone(), push.with("encrypt_type", "raw")] {
        let words = plain_reply(&push.send(gateway).await, &person);
        assert!(words.contains("已登录"), "{words}");
    }
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn wechat_itself_logs_in_in_plain_mode() {
    let stack = http::start(Plan::default().plain()).await;
    let follower = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&stack.redis.store()).await;
    let body = json!({ "scene": scene.as_str(), "ttl_seconds": 300 });
    let code = http::post(&stack.gateways[0], "/v1/qrcodes", &body).await;
    let content = code.json["content"].as_str().expect("a code has it");
    stack.wechat.scan(&follower, content).await;
    let chat = stack.wechat.chat(&follower).await;
    assert!(
        chat.last().is_some_and(|text| text.contains("已登录")),
        "{chat:?}"
    );
}

#[tokio::test]
async fn a_plain_push_is_refused_while_a_key_is_set() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let push = scan(&new_openid(), &scene);
    let plain = PushRequest::plain(&push);
    plain.is_refused(gateway, 403, "a plain push").await;
    // The clear part of a compatible push, sent by somebody who has seen its address.
    let clear = PushRequest::compatible(&push, &push)
        .without("encrypt_type")
        .without("msg_signature");
    clear
        .is_refused(gateway, 403, "a compatible push's clear part")
        .await;
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn both_kinds_are_accepted_while_an_account_is_switched_over() {
    let plan = Plan::default().gateway("GATEWAY__WECHAT__ACCEPT_PLAINTEXT", "true");
    let stack = http::start(plan).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let person = new_openid();

    let scene = attempts::open(&store).await;
    let answer = PushRequest::plain(&scan(&person, &scene))
        .send(gateway)
        .await;
    plain_reply(&answer, &person);
    assert_eq!(attempts::owner(&store, &scene).await, person);

    let scene = attempts::open(&store).await;
    let answer = PushRequest::safe(&scan(&person, &scene))
        .send(gateway)
        .await;
    sealed_reply(&answer, &person);
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn an_encrypted_push_is_refused_without_a_key() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let push = scan(&new_openid(), &scene);
    let safe = PushRequest::safe(&push);
    safe.is_refused(gateway, 403, "a safe push").await;
    let compatible = PushRequest::compatible(&push, &push);
    compatible
        .is_refused(gateway, 403, "a compatible push")
        .await;
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}
