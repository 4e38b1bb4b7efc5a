//! The bearer key: without it, no `/v1` address does anything.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    attempts::new_scene,
    stack::{API_KEY, Plan},
};

use crate::http::{self, assert_problem};

#[tokio::test]
async fn every_v1_address_refuses_a_missing_or_wrong_key() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let calls = [
        (Method::POST, "/v1/qrcodes"),
        (Method::POST, "/v1/login-prompts"),
        (Method::GET, "/v1/access-token"),
        (Method::POST, "/v1/access-token/invalidate"),
        (Method::POST, "/v1/web-authorizations"),
        (Method::POST, "/v1/web-authorizations/complete"),
        (Method::POST, "/v1/web-authorizations/discard"),
        (Method::GET, "/v1/members/oSim000000000000000000000000"),
        // Not even whether a method exists is told.
        (Method::DELETE, "/v1/qrcodes"),
    ];
    let longer = format!("{API_KEY}x");
    let keys = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer wrong".to_owned()),
        Some(format!("Bearer {longer}")),
        Some(format!("Bearer {}", &API_KEY[1..])),
        Some(format!("Bearer {}", API_KEY.to_uppercase())),
        Some(format!("Basic {API_KEY}")),
        Some(API_KEY.to_owned()),
    ];
    for (method, path) in calls {
        for key in &keys {
            let mut request = http::client()
                .request(method.clone(), format!("{}{path}", gateway.internal))
                .json(&json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 }));
            if let Some(key) = key {
                request = request.header("authorization", key);
            }
            let answer = http::send(request).await;
            assert_problem(&answer, 401, "invalid_api_key");
            // RFC 9110, section 11.6.1, requires it.
            assert_eq!(http::header(&answer, "www-authenticate"), "Bearer");
            assert!(!answer.text.contains(API_KEY));
        }
    }
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 0);
}

#[tokio::test]
async fn the_schemes_name_may_be_in_any_case() {
    let stack = http::start(Plan::default()).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = http::client()
            .get(format!("{}/v1/access-token", stack.gateways[0].internal))
            .header("authorization", format!("{scheme} {API_KEY}"));
        assert_eq!(http::send(request).await.status, 200, "{scheme}");
    }
}
