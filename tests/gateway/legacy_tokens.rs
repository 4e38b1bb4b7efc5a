//! `wechat.token_mode = legacy`: tokens of `/cgi-bin/token`, each of which ends the one before.

use std::time::Duration;

use login_protocol::{
    identity::AppId,
    steps::{ForcedRefresh, ReplaceLegacyToken},
};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::new_scene,
    stack::{APP_ID, APP_SECRET, Plan, Stack},
    visitor::Answer,
};

use crate::http::{self, assert_problem, retry_after};

const TOKEN: &str = "/cgi-bin/token";
const STABLE: &str = "/cgi-bin/stable_token";
const CREATE: &str = "/cgi-bin/qrcode/create";

async fn start(gateways: usize) -> Stack {
    let plan = Plan::default().gateway("GATEWAY__WECHAT__TOKEN_MODE", "legacy");
    http::start(plan.gateways(gateways)).await
}

async fn create_code(stack: &Stack, gateway: usize) -> Answer {
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    http::post(&stack.gateways[gateway], "/v1/qrcodes", &body).await
}

#[tokio::test]
async fn all_gateways_share_one_token() {
    let stack = start(2).await;
    for gateway in 0..2 {
        assert_eq!(create_code(&stack, gateway).await.status, 201);
    }
    assert_eq!(stack.wechat.calls(TOKEN).await, 1);
    assert_eq!(stack.wechat.calls(STABLE).await, 0);
    let figures = http::get(&stack.gateways[0], "/metrics").await.text;
    let counted = "wechat_api_calls_total{call=\"token\",outcome=\"ok\",account=\"default\"} 1";
    assert!(figures.contains(counted), "{figures}");
}

#[tokio::test]
async fn a_refused_token_is_replaced_by_one_call() {
    for errcode in [40001, 40014, 42001] {
        let stack = start(1).await;
        let rule = json!([{ "path": CREATE, "times": 1, "kind": "errcode", "errcode": errcode }]);
        stack.wechat.faults(rule).await;
        assert_eq!(create_code(&stack, 0).await.status, 201, "{errcode}");
        assert_eq!(stack.wechat.calls(TOKEN).await, 2, "{errcode}");
        assert_eq!(stack.wechat.calls(CREATE).await, 2, "{errcode}");
    }
}

#[tokio::test]
async fn another_programs_token_ends_ours_and_it_is_replaced() {
    let stack = start(2).await;
    let held = http::get(&stack.gateways[0], "/v1/access-token").await.json["access_token"].clone();
    let strangers = http::client()
        .get(format!("{}{TOKEN}", stack.wechat.url()))
        .query(&[
            ("grant_type", "client_credential"),
            ("appid", APP_ID),
            ("secret", APP_SECRET),
        ]);
    let strangers = http::send(strangers).await.json["access_token"].clone();
    assert_ne!(strangers, held);
    // Both work for five minutes.
    assert_eq!(create_code(&stack, 0).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    stack
        .wechat
        .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
        .await;
    let (first, second) = tokio::join!(create_code(&stack, 0), create_code(&stack, 1));
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(stack.wechat.calls(TOKEN).await, 3);
}

#[tokio::test]
async fn a_reported_token_is_replaced_once() {
    let stack = start(2).await;
    let held = http::get(&stack.gateways[0], "/v1/access-token").await.json["access_token"].clone();
    let report = json!({ "access_token": held });
    for gateway in [0, 1, 0] {
        let path = "/v1/access-token/invalidate";
        let answer = http::post(&stack.gateways[gateway], path, &report).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_ne!(answer.json["access_token"], held);
    }
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
}

#[tokio::test]
async fn a_wrong_secret_is_told_to_the_operator() {
    let mut stack = start(1).await;
    stack
        .wechat
        .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
        .await;
    let rule = json!([{ "path": TOKEN, "kind": "errcode", "errcode": 40001 }]);
    stack.wechat.faults(rule).await;
    for _ in 0..2 {
        assert_problem(&create_code(&stack, 0).await, 503, "wechat_refused");
    }
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    let process = &mut stack.gateways[0].process;
    let line = process.line_with("can't get an access token").await;
    assert!(line.contains("the AppSecret is wrong"), "{line}");
}

#[tokio::test]
async fn a_wechat_that_goes_on_refusing_costs_few_tokens() {
    let mut stack = start(2).await;
    let rule = json!([{ "path": CREATE, "kind": "errcode", "errcode": 40001 }]);
    stack.wechat.faults(rule).await;
    for gateway in [0, 0, 0, 1, 1] {
        let answer = create_code(&stack, gateway).await;
        assert_problem(&answer, 503, "wechat_unavailable");
        let after = retry_after(&answer);
        assert!((1..=31).contains(&after), "{after} s");
    }
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    let process = &mut stack.gateways[0].process;
    let line = process.line_with("can't get an access token").await;
    assert!(line.contains("every 31 seconds only"), "{line}");
    assert!(line.contains("find the program that"), "{line}");
}

#[tokio::test]
async fn a_backend_that_reports_each_token_it_gets_stops_nobody() {
    let stack = start(1).await;
    let report = async |token: &Value| {
        let path = "/v1/access-token/invalidate";
        let report = json!({ "access_token": token });
        http::post(&stack.gateways[0], path, &report).await
    };
    let held = http::get(&stack.gateways[0], "/v1/access-token").await.json;
    let second = report(&held["access_token"]).await;
    assert_eq!(second.status, 200, "{}", second.text);
    for _ in 0..5 {
        let answer = report(&second.json["access_token"]).await;
        assert_problem(&answer, 503, "wechat_unavailable");
    }
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    assert_eq!(create_code(&stack, 0).await.status, 201);
}

#[tokio::test]
async fn the_days_share_is_never_exceeded() {
    let mut stack = start(1).await;
    let store = stack.redis.store();
    for number in 0..500 {
        let step = ReplaceLegacyToken {
            app_id: AppId::parse(APP_ID).expect("it is an AppID"),
            asker: format!("asker {number}"),
            spacing: Duration::ZERO,
            per_day: 500,
        };
        let outcome = store.run(&step).await.expect("Redis is running");
        assert_eq!(outcome, ForcedRefresh::Admitted);
    }
    let rule = json!([{ "path": CREATE, "times": 1, "kind": "errcode", "errcode": 40001 }]);
    stack.wechat.faults(rule).await;
    assert_problem(&create_code(&stack, 0).await, 503, "wechat_unavailable");
    assert_eq!(stack.wechat.calls(TOKEN).await, 1);
    let process = &mut stack.gateways[0].process;
    let line = process.line_with("can't get an access token").await;
    assert!(line.contains("in a day are used up"), "{line}");
}
