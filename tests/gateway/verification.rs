//! The verification GET that WeChat's console makes.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    stack::{Plan, Service},
    visitor::Answer,
};

use crate::{http, push_request::PushRequest};

async fn verify(gateway: &Service, query: &[(&str, &str)]) -> Answer {
    let address = format!("{}/wechat/callback", gateway.public);
    http::send(http::client().get(address).query(query)).await
}

#[tokio::test]
async fn a_right_signature_gets_the_echo_byte_for_byte() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let signed = PushRequest::signed("");
    for echo in ["8357492130948572", "", "<b>&\"+%2B 空 </b>"] {
        let query = ["signature", "timestamp", "nonce"]
            .map(|name| (name, signed.parameter(name)))
            .into_iter()
            .chain([("echostr", echo)]);
        let answer = verify(gateway, &query.collect::<Vec<_>>()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.text, echo);
        // Nobody can make a browser read the echo as a page.
        let content_type = http::header(&answer, "content-type");
        assert!(content_type.starts_with("text/plain"), "{content_type}");
    }
}

#[tokio::test]
async fn wechats_console_accepts_the_address() {
    let stack = http::start(Plan::default()).await;
    let outcome = stack
        .wechat
        .control(Method::POST, "/simulator/verify", Value::Null)
        .await;
    assert_eq!(outcome["passed"], true, "{outcome}");
}

#[tokio::test]
async fn a_gateway_with_another_token_isnt_verified() {
    let plan = Plan::default().gateway("GATEWAY__WECHAT__TOKEN", "anothertokenanother");
    let stack = http::start(plan).await;
    let outcome = stack
        .wechat
        .control(Method::POST, "/simulator/verify", Value::Null)
        .await;
    assert_eq!(
        (&outcome["passed"], &outcome["status"]),
        (&json!(false), &json!(403)),
        "{outcome}"
    );
}

#[tokio::test]
async fn a_wrong_or_missing_parameter_gets_403_and_an_empty_body() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let signed = PushRequest::signed("");
    let right = ["signature", "timestamp", "nonce"]
        .map(|name| (name, signed.parameter(name)))
        .into_iter()
        .chain([("echostr", "echo")])
        .collect::<Vec<_>>();
    let upper_case = signed.parameter("signature").to_uppercase();
    let other = PushRequest::signed("");
    let mut wrong: Vec<Vec<(&str, &str)>> = vec![
        Vec::new(),
        vec![("echostr", "echo")],
        vec![
            ("signature", ""),
            ("timestamp", ""),
            ("nonce", ""),
            ("echostr", "echo"),
        ],
    ];
    for index in 0..3 {
        let name = right[index].0;
        let mut without = right.clone();
        without.remove(index);
        wrong.push(without);
        for value in ["", "x", other.parameter(name), &upper_case] {
            let mut bent = right.clone();
            // The two requests may have been made within one second.
            if bent[index].1 != value {
                bent[index].1 = value;
                wrong.push(bent);
            }
        }
    }
    for query in wrong {
        let answer = verify(gateway, &query).await;
        assert_eq!(answer.status, 403, "{query:?}");
        assert_eq!(answer.text, "", "{query:?}");
    }
}

#[tokio::test]
async fn a_parameter_that_comes_twice_is_refused() {
    let stack = http::start(Plan::default()).await;
    let signed = PushRequest::signed("");
    let query = [
        ("signature", signed.parameter("signature")),
        ("signature", "x"),
        ("timestamp", signed.parameter("timestamp")),
        ("nonce", signed.parameter("nonce")),
        ("echostr", "echo"),
    ];
    let answer = verify(&stack.gateways[0], &query).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.text, "");
}
