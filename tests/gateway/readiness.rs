//! `/readyz` says what keeps a gateway from doing its work, beside what it shares with the site.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    deadline::eventually,
    redis_proxy::{self, RedisProxy},
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};

use crate::http::{self, assert_problem};

async fn ready(stack: &Stack) -> Answer {
    let mut operator = Visitor::new(&stack.gateways[0].internal);
    operator.call(Method::GET, "/readyz").await
}

/// Makes WeChat's clock go so many seconds ahead of the gateway's.
async fn wechat_is_ahead(stack: &Stack, seconds: i32) {
    let settings = json!({ "clock_offset_seconds": seconds });
    stack.wechat.settings(settings).await;
}

async fn create_code(stack: &Stack) {
    let scene = system_tests::attempts::new_scene();
    let body = json!({ "scene": scene.as_str(), "ttl_seconds": 300 });
    let answer = http::post(&stack.gateways[0], "/v1/qrcodes", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test]
async fn a_clock_that_would_refuse_pushes_is_told_by_wechats_last_answer() {
    for (seconds, words) in [(600, "behind WeChat's"), (-600, "ahead of WeChat's")] {
        // One that isn't ready asks WeChat for the time, and would hear the other clock's a moment
        // later.
        let stack = http::start(Plan::default()).await;
        wechat_is_ahead(&stack, seconds).await;
        create_code(&stack).await;
        let answer = ready(&stack).await;
        assert_problem(&answer, 503, "not_ready");
        let detail = answer.json["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words), "{detail}");
        assert!(detail.contains("600 s") || detail.contains("599 s") || detail.contains("601 s"));
    }
    // Within what pushes are allowed.
    let stack = http::start(Plan::default()).await;
    wechat_is_ahead(&stack, 200).await;
    create_code(&stack).await;
    assert_eq!(ready(&stack).await.status, 200);
}

#[tokio::test]
async fn a_clock_that_is_put_right_is_noticed_though_nobody_logs_in() {
    let stack = http::start(Plan::default()).await;
    wechat_is_ahead(&stack, 600).await;
    create_code(&stack).await;
    assert_eq!(ready(&stack).await.status, 503);
    wechat_is_ahead(&stack, 0).await;
    eventually("the gateway asks WeChat for the time", async || {
        (ready(&stack).await.status == 200).then_some(())
    })
    .await;
    let asked = stack.wechat.calls("/cgi-bin/getcallbackip").await;
    assert!(asked < 10, "{asked} times");
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_no_good() {
    let stack = http::start(Plan::default()).await;
    let _: String = stack
        .redis
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .await;
    let answer = ready(&stack).await;
    assert_problem(&answer, 503, "store_unavailable");
    let detail = answer.json["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("rejects writes"), "{detail}");
    let _: String = stack
        .redis
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .await;
    assert_eq!(ready(&stack).await.status, 200);
}

#[tokio::test]
async fn a_redis_that_is_too_old_is_named() {
    let mut stack = Plan::default().gateways(0).sites(0).start().await;
    let old = RedisProxy::start(&stack.redis, redis_proxy::say_4_0).await;
    stack.plan = stack.plan.redis(old.url());
    let mut process = system_tests::process::start(
        "gateway",
        system_tests::binaries::path("wechat-gateway"),
        [""; 0],
        &stack.gateway_environment(),
        &stack.log,
    );
    let line = process.line_with("too old").await;
    for word in ["not ready yet", "Redis 4.0.", "5.0 or newer is needed"] {
        assert!(line.contains(word), "{word}: {line}");
    }
}
