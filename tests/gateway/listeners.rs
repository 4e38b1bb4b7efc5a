//! Two listeners, and nothing of one is reachable through the other.

use reqwest::Method;
use system_tests::stack::{API_KEY, Plan};

use crate::{
    http::{self, assert_problem},
    push_request::PushRequest,
};

#[tokio::test]
async fn nothing_internal_is_reachable_through_the_public_listener() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    for (method, path) in [
        (Method::POST, "/v1/qrcodes"),
        (Method::GET, "/v1/access-token"),
        (Method::POST, "/v1/access-token/invalidate"),
        (Method::GET, "/v1/members/oSim000000000000000000000000"),
        (Method::GET, "/healthz"),
        (Method::GET, "/readyz"),
        (Method::GET, "/metrics"),
        (Method::GET, "/openapi.json"),
        (Method::GET, "/"),
        (Method::GET, "/wechat"),
        (Method::GET, "//v1/access-token"),
        (Method::GET, "/wechat/callback/../../v1/access-token"),
        (
            Method::GET,
            "/wechat/callback/%2e%2e/%2e%2e/v1/access-token",
        ),
    ] {
        let request = http::client()
            .request(method, format!("{}{path}", gateway.public))
            .bearer_auth(API_KEY)
            .header("x-forwarded-for", "127.0.0.1");
        assert_problem(&http::send(request).await, 404, "not_found");
    }
}

#[tokio::test]
async fn the_callback_isnt_reachable_through_the_internal_listener() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let signed = PushRequest::signed("");
    let query = ["signature", "timestamp", "nonce"].map(|name| (name, signed.parameter(name)));
    for method in [Method::GET, Method::POST] {
        let request = http::internal(gateway, method, "/wechat/callback").query(&query);
        assert_problem(&http::send(request).await, 404, "not_found");
    }
}
