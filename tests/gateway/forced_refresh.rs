//! `force_refresh`: only for a token that WeChat keeps handing out, and within WeChat's own limits,
//! on all gateways together.

use std::time::Duration;

use login_protocol::{
    identity::AppId,
    steps::{ForceTokenRefresh, ForcedRefresh},
};
use serde_json::json;
use system_tests::{
    attempts::new_scene,
    stack::{APP_ID, APP_SECRET, Plan, Stack},
    visitor::Answer,
};

use crate::http::{self, assert_problem, retry_after};

const TOKEN: &str = "/cgi-bin/stable_token";
const CREATE: &str = "/cgi-bin/qrcode/create";
const HELD: &str = "/v1/access-token";
const REPORT: &str = "/v1/access-token/invalidate";

async fn create_code(stack: &Stack, gateway: usize) -> Answer {
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    http::post(&stack.gateways[gateway], "/v1/qrcodes", &body).await
}

/// Makes WeChat refuse a token once that it keeps handing out.
async fn refuse_once(stack: &Stack) {
    let rule = json!([{ "path": CREATE, "times": 1, "kind": "errcode", "errcode": 40001 }]);
    stack.wechat.faults(rule).await;
}

/// As if this many refreshes had been forced today.
async fn use_up(stack: &Stack, count: u32) {
    let store = stack.redis.store();
    for number in 0..count {
        let step = ForceTokenRefresh {
            app_id: AppId::parse(APP_ID).expect("it is an AppID"),
            asker: format!("asker {number}"),
            spacing: Duration::ZERO,
            per_day: count,
        };
        let outcome = store.run(&step).await.expect("Redis is running");
        assert_eq!(outcome, ForcedRefresh::Admitted);
    }
}

#[tokio::test]
async fn a_second_gateway_forces_none_within_the_spacing_of_the_first() {
    let mut stack = http::start(Plan::default().gateways(2)).await;
    refuse_once(&stack).await;
    assert_eq!(create_code(&stack, 0).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 3);
    // The other one hears of the new token by being refused the old one.
    assert_eq!(create_code(&stack, 1).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 3);

    refuse_once(&stack).await;
    let created = stack.wechat.calls(CREATE).await;
    for _ in 0..2 {
        let answer = create_code(&stack, 1).await;
        assert_problem(&answer, 503, "wechat_unavailable");
        let after = retry_after(&answer);
        assert!((1..=31).contains(&after), "{after} s");
    }
    // It asked for the current token and got the refused one; the second request called nobody.
    assert_eq!(stack.wechat.calls(TOKEN).await, 4);
    assert_eq!(stack.wechat.calls(CREATE).await, created + 1);
    let process = &mut stack.gateways[1].process;
    let line = process.line_with("can't get an access token").await;
    assert!(line.contains("every 30 seconds only"), "{line}");
    assert!(
        line.contains("find the program that replaces this account's tokens"),
        "{line}"
    );
    // The refused token isn't given away as a good one, and the gateway that wasn't refused goes
    // on.
    let held = http::get(&stack.gateways[1], HELD).await;
    assert_problem(&held, 503, "wechat_unavailable");
    assert_eq!(create_code(&stack, 0).await.status, 201);
}

#[tokio::test]
async fn the_days_share_is_never_exceeded() {
    let mut stack = http::start(Plan::default()).await;
    use_up(&stack, 20).await;
    refuse_once(&stack).await;
    let answer = create_code(&stack, 0).await;
    assert_problem(&answer, 503, "wechat_unavailable");
    assert!((30..=60).contains(&retry_after(&answer)));
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    let process = &mut stack.gateways[0].process;
    let line = process.line_with("can't get an access token").await;
    assert!(line.contains("in a day are used up"), "{line}");
}

#[tokio::test]
async fn a_token_that_stays_the_same_after_forcing_is_an_error() {
    let mut stack = http::start(Plan::default()).await;
    // Another program forces one, after which WeChat ignores ours for 30 seconds.
    let body = json!({
        "grant_type": "client_credential",
        "appid": APP_ID,
        "secret": APP_SECRET,
        "force_refresh": true,
    });
    let url = format!("{}{TOKEN}", stack.wechat.url());
    let stranger = http::send(http::client().post(url).json(&body)).await;
    assert!(stranger.json["access_token"].is_string());
    assert_eq!(create_code(&stack, 0).await.status, 201);
    assert_eq!(stack.wechat.calls(TOKEN).await, 3);

    refuse_once(&stack).await;
    let answer = create_code(&stack, 0).await;
    assert_problem(&answer, 503, "wechat_unavailable");
    assert_eq!(stack.wechat.calls(TOKEN).await, 5);
    let process = &mut stack.gateways[0].process;
    let line = process.line_with("can't get an access token").await;
    assert!(line.contains("brought it again"), "{line}");
}

#[tokio::test]
async fn a_report_that_cant_be_acted_on_leaves_the_held_token_in_use() {
    let stack = http::start(Plan::default()).await;
    use_up(&stack, 20).await;
    let held = http::get(&stack.gateways[0], HELD).await.json;
    let report = json!({ "access_token": held["access_token"] });
    for _ in 0..2 {
        let answer = http::post(&stack.gateways[0], REPORT, &report).await;
        assert_problem(&answer, 503, "wechat_unavailable");
    }
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
    // WeChat itself still takes it.
    assert_eq!(create_code(&stack, 0).await.status, 201);
    assert_eq!(http::get(&stack.gateways[0], HELD).await.json, held);
}

#[tokio::test]
async fn without_redis_none_is_forced() {
    let mut stack = http::start(Plan::default()).await;
    stack.redis.kill();
    refuse_once(&stack).await;
    let answer = create_code(&stack, 0).await;
    assert_problem(&answer, 503, "wechat_unavailable");
    assert_eq!(stack.wechat.calls(TOKEN).await, 2);
}
