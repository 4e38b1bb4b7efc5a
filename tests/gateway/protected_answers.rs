//! What the gateway's answers tell browsers.

use reqwest::Method;
use system_tests::{
    attempts::{self, new_openid},
    stack::Plan,
};

use crate::{
    http::{self, header},
    push_request::{PushRequest, scan},
};

#[tokio::test]
async fn no_answer_may_be_taken_for_something_else() {
    let plan = Plan::default().gateway("GATEWAY__PUBLIC__VERIFICATION_FILES", "MP_verify_aB1.txt");
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let mut answers = Vec::new();
    for (method, path, status) in [
        (Method::GET, "/nothing", 404),
        (Method::GET, "/wechat/callback", 403),
        (Method::DELETE, "/wechat/callback", 405),
        (Method::GET, "/wechat/oauth/thanks", 200),
        (Method::GET, "/wechat/oauth/style.css", 200),
        (Method::GET, "/wechat/oauth/confirm", 400),
        (Method::POST, "/wechat/oauth/confirm/decision", 400),
        (Method::GET, "/MP_verify_aB1.txt", 200),
        (Method::GET, "/MP_verify_other.txt", 404),
    ] {
        let request = http::client().request(method, format!("{}{path}", gateway.public));
        answers.push((path, http::send(request).await, status));
    }
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/openapi.json", 200),
        ("/v1/access-token", 401),
        ("/v1/qrcodes", 401),
        ("/nothing", 404),
    ] {
        let request = http::client().get(format!("{}{path}", gateway.internal));
        answers.push((path, http::send(request).await, status));
    }
    answers.push((
        "/v1/access-token",
        http::get(gateway, "/v1/access-token").await,
        200,
    ));
    answers.push(("/v1/qrcodes", http::get(gateway, "/v1/qrcodes").await, 405));
    let scene = attempts::open(&stack.redis.store()).await;
    let push = PushRequest::safe(&scan(&new_openid(), &scene));
    answers.push(("a push", push.send(gateway).await, 200));
    let large = PushRequest::signed("x".repeat(64 * 1024 + 1));
    answers.push(("a large push", large.send(gateway).await, 413));
    for (path, answer, status) in answers {
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_eq!(
            header(&answer, "x-content-type-options"),
            "nosniff",
            "{path}"
        );
        assert_eq!(header(&answer, "strict-transport-security"), "", "{path}");
        if header(&answer, "content-type").starts_with("text/html") {
            assert_eq!(
                header(&answer, "cross-origin-opener-policy"),
                "same-origin",
                "{path}"
            );
            assert_eq!(
                header(&answer, "cross-origin-resource-policy"),
                "same-origin",
                "{path}"
            );
        }
    }
}
