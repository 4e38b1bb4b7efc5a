//! The access token: shared between gateways, replaced once when WeChat refuses it.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_openid, new_scene},
    deadline::eventually,
    stack::{Plan, Stack},
    visitor::Answer,
};

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, scan, sealed_reply},
};

const TOKEN: &str = "/cgi-bin/stable_token";
const CREATE: &str = "/cgi-bin/qrcode/create";

async fn create_code(stack: &Stack, gateway: usize) -> Answer {
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    http::post(&stack.gateways[gateway], "/v1/qrcodes", &body).await
}

async fn invalidate_all(stack: &Stack) {
    stack
        .wechat
        .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
        .await;
}

#[tokio::test]
async fn a_token_that_a_stranger_replaced_costs_one_refresh_and_one_retry() {
    let stack = http::start(Plan::default()).await;
    assert_eq!(create_code(&stack, 0).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 1);
    invalidate_all(&stack).await;
    assert_eq!(create_code(&stack, 0).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    assert_eq!(stack.wechat.calls(CREATE).await, 3);
}

#[tokio::test]
async fn a_token_refused_twice_isnt_tried_a_third_time() {
    let stack = http::start(Plan::default()).await;
    let rule = json!([{ "path": CREATE, "kind": "errcode", "errcode": 40001 }]);
    stack.wechat.faults(rule).await;
    assert_problem(&create_code(&stack, 0).await, 503, "wechat_unavailable");
    assert_eq!(stack.wechat.calls(CREATE).await, 2);
}

#[tokio::test]
async fn a_second_gateway_takes_the_token_from_redis() {
    let mut stack = http::start(Plan::default()).await;
    stack.add_gateway().await;
    assert_eq!(create_code(&stack, 1).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 1);
    let tokens = [
        http::get(&stack.gateways[0], "/v1/access-token").await.json,
        http::get(&stack.gateways[1], "/v1/access-token").await.json,
    ];
    assert_eq!(tokens[0]["access_token"], tokens[1]["access_token"]);
}

#[tokio::test]
async fn gateways_share_one_replacement_even_when_both_need_it_at_once() {
    let stack = http::start(Plan::default().gateways(2)).await;
    assert_eq!(stack.wechat.calls(TOKEN).await, 1);
    invalidate_all(&stack).await;
    let (first, second) = tokio::join!(create_code(&stack, 0), create_code(&stack, 1));
    assert_eq!(
        (first.status, second.status),
        (201.try_into().unwrap(), 201.try_into().unwrap())
    );
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
}

#[tokio::test]
async fn many_requests_share_one_replacement() {
    let stack = http::start(Plan::default()).await;
    invalidate_all(&stack).await;
    let requests = (0..20).map(|_| create_code(&stack, 0));
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
}

#[tokio::test]
async fn a_token_survives_a_restart_of_the_gateway() {
    let mut stack = http::start(Plan::default()).await;
    stack.gateways[0].process.stop().await;
    stack.add_gateway().await;
    assert_eq!(create_code(&stack, 1).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 1);
}

#[tokio::test]
async fn a_token_is_replaced_ahead_of_its_end_and_nobody_waits_for_it() {
    let mut stack = http::start(Plan::default().gateways(0)).await;
    let lifetime = |seconds: u32| json!({ "token_lifetime_seconds": seconds });
    // The gateway replaces a token 290 seconds before its end.
    stack.wechat.settings(lifetime(292)).await;
    let slow = |delay_ms: u32| json!({ "path": TOKEN, "kind": "slow", "delay_ms": delay_ms });
    let mut first_call = slow(1);
    first_call["times"] = 1.into();
    stack.wechat.faults(json!([first_call, slow(60_000)])).await;
    stack.add_gateway().await;
    let token = async || {
        let answer = http::get(&stack.gateways[0], "/v1/access-token").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["access_token"].clone()
    };
    let first = token().await;
    eventually("the refresh is under way", async || {
        (stack.wechat.calls(TOKEN).await >= 2).then_some(())
    })
    .await;
    // It doesn't end before it is given up, and everybody has the old token meanwhile.
    let requests = (0..20).map(|_| create_code(&stack, 0));
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    assert_eq!(token().await, first);
    assert_eq!(stack.wechat.calls(CREATE).await, 20);

    stack.wechat.settings(lifetime(7200)).await;
    stack.wechat.faults(json!([])).await;
    eventually(
        "the token is replaced without being asked for",
        async || (token().await != first).then_some(()),
    )
    .await;
}

#[tokio::test]
async fn a_push_that_cant_wait_for_a_new_token_leaves_it_on_its_way() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let person = new_openid();
    invalidate_all(&stack).await;
    let rule = json!([{ "path": TOKEN, "times": 1, "kind": "slow", "delay_ms": 2500 }]);
    stack.wechat.faults(rule).await;
    // It asks for the profile, is refused, waits for another token as long as it may, and answers.
    let answer = PushRequest::safe(&scan(&person, &scene))
        .send(&stack.gateways[0])
        .await;
    sealed_reply(&answer, &person);
    assert_eq!(attempts::owner(&store, &scene).await, person);
    // The token that was asked for is the one that the next request gets.
    assert_eq!(create_code(&stack, 0).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
}
