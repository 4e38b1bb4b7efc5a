//! `POST /v1/qrcodes`: WeChat's codes, and every way in which there is none.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::new_scene,
    stack::{Plan, Service},
    visitor::Answer,
};

use crate::http::{self, assert_problem, retry_after};

const PATH: &str = "/v1/qrcodes";
const CREATE: &str = "/cgi-bin/qrcode/create";

async fn create(gateway: &Service) -> Answer {
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    http::post(gateway, PATH, &body).await
}

#[tokio::test]
async fn a_code_is_told_whole() {
    let stack = http::start(Plan::default()).await;
    let scene = new_scene();
    let body = json!({ "scene": scene.as_str(), "ttl_seconds": 120 });
    let answer = http::post(&stack.gateways[0], PATH, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let codes = stack
        .wechat
        .control(Method::GET, "/simulator/codes", Value::Null)
        .await;
    let code = &codes[0];
    assert_eq!(code["scene"], scene.as_str());
    let text = |member: &str| answer.json[member].as_str().expect("a text").to_owned();
    let expected = json!({
        "scene": scene.as_str(),
        "ticket": code["ticket"],
        "content": code["content"],
        "image_url": text("image_url"),
        "expires_at": text("expires_at"),
    });
    assert_eq!(answer.json, expected);
    let expires_at: Timestamp = text("expires_at").parse().expect("RFC 3339");
    let left = expires_at.duration_since(Timestamp::now());
    let two_minutes = SignedDuration::from_secs(90)..=SignedDuration::from_secs(120);
    assert!(two_minutes.contains(&left), "{left:?}");
}

#[tokio::test]
async fn wechats_picture_can_be_fetched() {
    let stack = http::start(Plan::default()).await;
    let code = create(&stack.gateways[0]).await.json;
    let image_url = code["image_url"].as_str().expect("an address");
    let picture = http::client().get(image_url).send().await;
    let picture = picture.expect("WeChat answers");
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/jpg");
}

#[tokio::test]
async fn the_pictures_address_has_the_ticket_encoded_once() {
    let stack = http::start(Plan::default()).await;
    for (ticket, encoded) in [
        // The classic form, in standard base64.
        ("gQH+8D/wAAAA==", "gQH%2B8D%2FwAAAA%3D%3D"),
        ("gQH%2B&x=1#y z", "gQH%252B%26x%3D1%23y+z"),
        ("gQGP8DwAAA_S5-", "gQGP8DwAAA_S5-"),
    ] {
        let body =
            json!({ "ticket": ticket, "expire_seconds": 300, "url": "http://weixin.qq.com/q/x" });
        let rule = json!([{ "path": CREATE, "kind": "body", "body": body.to_string() }]);
        stack.wechat.faults(rule).await;
        let code = create(&stack.gateways[0]).await.json;
        assert_eq!(code["ticket"], ticket);
        let expected = format!("{}/cgi-bin/showqrcode?ticket={encoded}", stack.wechat.url());
        assert_eq!(code["image_url"], expected);
    }
}

#[tokio::test]
async fn a_code_doesnt_outlive_what_wechat_granted() {
    let stack = http::start(Plan::default()).await;
    for (granted, lifetime) in [(json!(60), 60), (json!(9999), 300), (Value::Null, 300)] {
        let body =
            json!({ "ticket": "x", "expire_seconds": granted, "url": "http://weixin.qq.com/q/x" });
        let rule = json!([{ "path": CREATE, "kind": "body", "body": body.to_string() }]);
        stack.wechat.faults(rule).await;
        let code = create(&stack.gateways[0]).await.json;
        let expires_at: Timestamp = code["expires_at"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("a time");
        let left = expires_at.duration_since(Timestamp::now()).as_secs();
        assert!(
            (lifetime - 30..=lifetime).contains(&left),
            "{granted}: {left} s"
        );
    }
}

#[tokio::test]
async fn the_longest_and_shortest_lives_are_accepted() {
    let stack = http::start(Plan::default()).await;
    for ttl_seconds in [1, 2_592_000] {
        let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": ttl_seconds });
        let answer = http::post(&stack.gateways[0], PATH, &body).await;
        assert_eq!(answer.status, 201, "{ttl_seconds}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_bad_body_is_refused() {
    let stack = http::start(Plan::default()).await;
    let scene = new_scene();
    let scene = scene.as_str();
    for body in [
        json!({}),
        json!([]),
        json!(null),
        json!({ "scene": scene }),
        json!({ "ttl_seconds": 300 }),
        json!({ "scene": scene, "ttl_seconds": 300, "permanent": true }),
        json!({ "scene": "110", "ttl_seconds": 300 }),
        json!({ "scene": "", "ttl_seconds": 300 }),
        json!({ "scene": &scene[1..], "ttl_seconds": 300 }),
        json!({ "scene": format!("{scene}A"), "ttl_seconds": 300 }),
        json!({ "scene": format!("qrscene_{scene}"), "ttl_seconds": 300 }),
        json!({ "scene": 110, "ttl_seconds": 300 }),
        json!({ "scene": scene, "ttl_seconds": 0 }),
        json!({ "scene": scene, "ttl_seconds": -1 }),
        json!({ "scene": scene, "ttl_seconds": 2_592_001 }),
        json!({ "scene": scene, "ttl_seconds": 4_294_967_596_u64 }),
        json!({ "scene": scene, "ttl_seconds": 1.5 }),
        json!({ "scene": scene, "ttl_seconds": "300" }),
    ] {
        let answer = http::post(&stack.gateways[0], PATH, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_problem(&answer, 400, "invalid_request");
    }
    let request = http::internal(&stack.gateways[0], Method::POST, PATH)
        .header("content-type", "application/json")
        .body("{\"scene\":");
    assert_problem(&http::send(request).await, 400, "invalid_request");
    assert_eq!(stack.wechat.calls(CREATE).await, 0);
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let stack = http::start(Plan::default()).await;
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 }).to_string();
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let mut request = http::internal(&stack.gateways[0], Method::POST, PATH).body(body.clone());
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let answer = http::send(request).await;
        assert_problem(&answer, 415, "unsupported_media_type");
    }
    let request = http::internal(&stack.gateways[0], Method::POST, PATH)
        .header("content-type", "application/json; charset=utf-8")
        .body(body);
    assert_eq!(http::send(request).await.status, 201);
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let stack = http::start(Plan::default()).await;
    let body = json!({ "scene": "x".repeat(16 * 1024), "ttl_seconds": 300 });
    let answer = http::post(&stack.gateways[0], PATH, &body).await;
    assert_problem(&answer, 413, "payload_too_large");
}

#[tokio::test]
async fn an_unreachable_wechat_is_503() {
    let mut stack = http::start(Plan::default()).await;
    stack.wechat.kill();
    let answer = create(&stack.gateways[0]).await;
    assert_problem(&answer, 503, "wechat_unavailable");
    assert!(retry_after(&answer) > 0);
}

#[tokio::test]
async fn an_account_that_isnt_there_is_a_404_and_costs_no_code() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let body = |account: &str| json!({ "scene": new_scene().as_str(), "ttl_seconds": 300, "account": account });
    let answer = http::post(gateway, PATH, &body("shop")).await;
    assert_problem(&answer, 404, "unknown_account");
    for malformed in ["Shop", "", "a-b"] {
        let answer = http::post(gateway, PATH, &body(malformed)).await;
        assert_problem(&answer, 400, "invalid_request");
    }
    assert_eq!(stack.wechat.calls(CREATE).await, 0);
    let answer = http::post(gateway, PATH, &body("default")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}
