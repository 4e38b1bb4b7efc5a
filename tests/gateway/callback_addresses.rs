//! Pushes from WeChat's own addresses only, where the owner wants that.

use login_protocol::attempt::AttemptStatus;
use serde_json::json;
use system_tests::{
    attempts::{self, new_openid},
    stack::{Plan, Stack},
};
use wechat_wire::push::PushBody;

use crate::{
    http,
    push_request::{PushRequest, now, scan, token},
};

const WECHAT: &str = "203.0.113.9";
const STRANGER: &str = "198.51.100.7";

/// A gateway behind a reverse proxy, and a WeChat that pushes from a documentation network.
async fn guarded() -> Stack {
    let plan = Plan::default()
        .gateway("GATEWAY__WECHAT__CHECK_CALLBACK_IP", "true")
        .gateway("GATEWAY__PUBLIC__TRUSTED_PROXIES", "127.0.0.1/32");
    let mut stack = http::start(plan.gateways(0)).await;
    let listed = json!({ "callback_addresses": ["192.0.2.1", "203.0.113.0/24"] });
    stack.wechat.settings(listed).await;
    stack.add_gateway().await;
    let got = "fetched WeChat's callback IPs";
    stack.gateways[0].process.line_with(got).await;
    stack
}

#[tokio::test]
async fn only_wechats_addresses_may_push() {
    let stack = guarded().await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let push = PushRequest::safe(&scan(&person, &scene));
    for (sender, what) in [
        (STRANGER, "a stranger"),
        ("192.0.2.2", "the neighbour of a listed address"),
        (
            "203.0.113.9, 198.51.100.7",
            "a stranger who claims to forward",
        ),
    ] {
        let refused = push.send_forwarded(gateway, sender).await;
        assert_eq!(
            (refused.status.as_u16(), refused.text.as_str()),
            (403, ""),
            "{what}"
        );
    }
    // The proxy itself is nobody's sender.
    push.is_refused(gateway, 403, "no forwarded address").await;
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    let counted = "wechat_pushes_total{event=\"refused\",outcome=\"sender\",account=\"default\"} 4";
    let figures = http::figures(gateway).await;
    assert!(figures.contains(counted), "{figures}");
    let accepted = push.send_forwarded(gateway, WECHAT).await;
    assert_eq!(accepted.status, 200, "{}", accepted.text);
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn the_console_may_verify_from_anywhere() {
    let stack = guarded().await;
    let timestamp = jiff::Timestamp::now().as_second().to_string();
    let signature = token().sign(&timestamp, "42");
    let address = format!(
        "{}/wechat/callback?signature={signature}&timestamp={timestamp}&nonce=42&echostr=4242",
        stack.gateways[0].public
    );
    let answer = http::send(http::client().get(address)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (200, "4242")
    );
}

#[tokio::test]
async fn without_a_list_the_signature_alone_decides() {
    let plan = Plan::default().gateway("GATEWAY__WECHAT__CHECK_CALLBACK_IP", "true");
    let mut stack = http::start(plan.gateways(0)).await;
    stack
        .wechat
        .settings(json!({ "callback_addresses": [] }))
        .await;
    stack.add_gateway().await;
    let empty = "list of callback IPs is empty";
    stack.gateways[0].process.line_with(empty).await;
    let message = now(&new_openid(), PushBody::Unsubscribe);
    let answer = PushRequest::safe(&message).send(&stack.gateways[0]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (200, "success")
    );
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_list_fetched() {
    const LIST: &str = "/cgi-bin/getcallbackip";
    for errcode in [40001, 40014, 42001] {
        let plan = Plan::default().gateway("GATEWAY__WECHAT__CHECK_CALLBACK_IP", "true");
        let mut stack = http::start(plan.gateways(0)).await;
        let rule = json!([{ "path": LIST, "times": 1, "kind": "errcode", "errcode": errcode }]);
        stack.wechat.faults(rule).await;
        stack.add_gateway().await;
        let got = "fetched WeChat's callback IPs";
        stack.gateways[0].process.line_with(got).await;
        assert_eq!(stack.wechat.calls(LIST).await, 2, "{errcode}");
        let lines = stack.gateways[0].process.lines();
        let told = |words: &str| lines.iter().any(|line| line.contains(words));
        assert!(told("the access token was refused"), "{errcode}");
        assert!(!told("can't fetch"), "{errcode}: no failure was seen");
    }
}
