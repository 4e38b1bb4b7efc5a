//! The pause after a failed refresh: who ends it, and who needn't wait for its end.

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    identity::AppId,
    steps::{StoreAccessToken, StoredAccessToken},
};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::new_scene,
    deadline::eventually,
    stack::{APP_ID, Plan, Stack},
    visitor::Answer,
};

use crate::http::{self, assert_problem};

const TOKEN: &str = "/cgi-bin/stable_token";
const HELD: &str = "/v1/access-token";
const REPORT: &str = "/v1/access-token/invalidate";

async fn create_code(stack: &Stack) -> Answer {
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    http::post(&stack.gateways[0], "/v1/qrcodes", &body).await
}

/// A gateway that was refused another token because of this state of the AppSecret.
async fn refused(secret_state: &str) -> Stack {
    let stack = http::start(Plan::default()).await;
    stack
        .wechat
        .settings(json!({ "secret_state": secret_state }))
        .await;
    stack
        .wechat
        .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
        .await;
    assert_problem(&create_code(&stack).await, 503, "wechat_refused");
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    stack
}

#[tokio::test]
async fn a_report_ends_the_pause_once_the_operator_has_acted() {
    let stack = refused("frozen").await;
    let report = json!({ "access_token": "" });
    // Not at once, whoever reports how often.
    for _ in 0..5 {
        let answer = http::post(&stack.gateways[0], REPORT, &report).await;
        assert_problem(&answer, 503, "wechat_refused");
    }
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    stack.wechat.settings(json!({ "secret_state": "ok" })).await;
    // Of a pause of five minutes.
    eventually("a report brings a token", async || {
        let answer = http::post(&stack.gateways[0], REPORT, &report).await;
        (answer.status == 200).then_some(())
    })
    .await;
    assert_eq!(stack.wechat.calls(TOKEN).await, 3);
    assert_eq!(create_code(&stack).await.status, 201);
}

#[tokio::test]
async fn a_restart_ends_the_pause() {
    let mut stack = refused("wrong").await;
    stack.wechat.settings(json!({ "secret_state": "ok" })).await;
    stack.gateways.remove(0).process.stop().await;
    stack.add_gateway().await;
    assert_eq!(create_code(&stack).await.status, 201);
}

#[tokio::test]
async fn another_replicas_token_needs_no_end_of_the_pause() {
    let stack = refused("wrong").await;
    let step = StoreAccessToken {
        app_id: AppId::parse(APP_ID).expect("it is an AppID"),
        token: StoredAccessToken {
            token: "99_sim_of_another_replica".to_owned(),
            expires_at: Timestamp::now() + SignedDuration::from_hours(1),
        },
    };
    let store = stack.redis.store();
    store.run(&step).await.expect("Redis is running");
    let answer = http::get(&stack.gateways[0], HELD).await;
    assert_eq!(
        answer.json["access_token"], "99_sim_of_another_replica",
        "{}",
        answer.text
    );
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
}

#[tokio::test]
async fn what_passes_is_mended_without_anybodys_asking() {
    let stack = http::start(Plan::default()).await;
    let busy = json!([{ "path": TOKEN, "kind": "errcode", "errcode": -1 }]);
    stack.wechat.faults(busy).await;
    stack
        .wechat
        .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
        .await;
    assert_problem(&create_code(&stack).await, 503, "wechat_unavailable");
    let ready = http::get(&stack.gateways[0], "/readyz").await;
    assert_problem(&ready, 503, "wechat_unavailable");
    stack.wechat.faults(json!([])).await;
    eventually("the gateway is ready again", async || {
        let ready = http::get(&stack.gateways[0], "/readyz").await;
        (ready.status == 200).then_some(())
    })
    .await;
}
