//! `/v1/access-token`: the owner's other backends get the token from the gateway.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::stack::{Plan, Stack};

use crate::http::{self, assert_problem};

const PATH: &str = "/v1/access-token";
const INVALIDATE: &str = "/v1/access-token/invalidate";

/// The tokens that WeChat has granted, oldest first.
async fn granted(stack: &Stack) -> Vec<Value> {
    let secrets = stack
        .wechat
        .control(Method::GET, "/simulator/secrets", Value::Null)
        .await;
    secrets["access_tokens"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn it_is_wechats_token_and_its_end() {
    let stack = http::start(Plan::default()).await;
    let answer = http::get(&stack.gateways[0], PATH).await;
    assert_eq!(answer.status, 200);
    assert_eq!(http::header(&answer, "cache-control"), "no-store");
    assert_eq!(granted(&stack).await, [answer.json["access_token"].clone()]);
    let expires_at: Timestamp = answer.json["expires_at"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a time of RFC 3339");
    let left = expires_at.duration_since(Timestamp::now());
    let two_hours = SignedDuration::from_secs(7100)..=SignedDuration::from_secs(7200);
    assert!(two_hours.contains(&left), "{left:?}");
    assert_eq!(answer.json.as_object().map(serde_json::Map::len), Some(2));

    // Asking again costs WeChat nothing.
    assert_eq!(http::get(&stack.gateways[0], PATH).await.json, answer.json);
    assert_eq!(stack.wechat.calls("/cgi-bin/stable_token").await, 1);
}

#[tokio::test]
async fn reporting_a_refused_token_brings_another_one() {
    let stack = http::start(Plan::default().gateways(2)).await;
    let old = http::get(&stack.gateways[0], PATH).await.json["access_token"].clone();
    let report = json!({ "access_token": old });
    let answer = http::post(&stack.gateways[0], INVALIDATE, &report).await;
    assert_eq!(answer.status, 200);
    let new = answer.json["access_token"].clone();
    assert_ne!(new, old);
    assert_eq!(granted(&stack).await, [old.clone(), new.clone()]);
    assert_eq!(
        http::get(&stack.gateways[0], PATH).await.json["access_token"],
        new
    );

    // Reporting it again, here or at another gateway, changes nothing.
    for gateway in &stack.gateways {
        let answer = http::post(gateway, INVALIDATE, &report).await;
        assert_eq!(answer.json["access_token"], new);
    }
    assert_eq!(granted(&stack).await.len(), 2);
}

#[tokio::test]
async fn reporting_a_token_that_was_never_ours_changes_nothing() {
    let stack = http::start(Plan::default()).await;
    let held = http::get(&stack.gateways[0], PATH).await.json;
    for stranger in ["", "99_sim_somebody_elses", &"x".repeat(600)] {
        let report = json!({ "access_token": stranger });
        let answer = http::post(&stack.gateways[0], INVALIDATE, &report).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json, held);
    }
    assert_eq!(stack.wechat.calls("/cgi-bin/stable_token").await, 1);
}

#[tokio::test]
async fn a_report_that_cant_be_read_is_refused() {
    let stack = http::start(Plan::default()).await;
    for body in [
        json!({}),
        json!({ "access_token": 1 }),
        json!({ "access_token": null }),
        json!({ "access_token": "x", "force": true }),
        json!([]),
    ] {
        let answer = http::post(&stack.gateways[0], INVALIDATE, &body).await;
        assert_problem(&answer, 400, "invalid_request");
    }
}

#[tokio::test]
async fn the_held_token_is_given_while_wechat_is_down() {
    let mut stack = http::start(Plan::default()).await;
    stack.wechat.kill();
    let answer = http::get(&stack.gateways[0], PATH).await;
    assert_eq!(answer.status, 200);
    let report = json!({ "access_token": answer.json["access_token"] });
    let answer = http::post(&stack.gateways[0], INVALIDATE, &report).await;
    assert_problem(&answer, 503, "wechat_unavailable");
    assert!(http::retry_after(&answer) > 0);
}
