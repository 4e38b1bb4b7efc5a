//! The day's QR codes: all gateways together stop before WeChat's quota does.

use reqwest::Method;
use serde_json::json;
use system_tests::{attempts::new_scene, stack::Plan};

use crate::http::{self, assert_problem, retry_after};

const PER_DAY: usize = 45;

#[tokio::test]
async fn gateways_share_the_days_codes_and_stop_at_its_end() {
    let plan = Plan::default().gateways(2);
    let plan = plan.gateway("GATEWAY__LIMITS__QR_CODES_PER_DAY", &PER_DAY.to_string());
    let stack = http::start(plan).await;
    let create = async |gateway: usize| {
        let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
        http::post(&stack.gateways[gateway], "/v1/qrcodes", &body).await
    };
    let mut created = 0;
    for number in 0..2 * PER_DAY {
        let answer = create(number % 2).await;
        if answer.status == 201 {
            created += 1;
            continue;
        }
        assert_problem(&answer, 503, "daily_codes_used_up");
        let wait = retry_after(&answer);
        assert!((1..=86_400).contains(&wait), "until the day ends: {wait} s");
    }
    assert_eq!(created, PER_DAY);
    let calls = stack.wechat.calls("/cgi-bin/qrcode/create").await;
    assert_eq!(calls, PER_DAY as u64, "a refusal costs WeChat nothing");
}

#[tokio::test]
async fn while_redis_is_away_wechat_counts() {
    let mut stack = http::start(Plan::default()).await;
    stack.redis.kill();
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    let gateway = &stack.gateways[0];
    let answer = http::send(http::internal(gateway, Method::POST, "/v1/qrcodes").json(&body)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}
