//! What the callback URL refuses before it reads what a push says.

use login_protocol::attempt::AttemptStatus;
use reqwest::Method;
use system_tests::{
    attempts::{self, new_openid},
    news::News,
    stack::Plan,
};

use crate::{
    http,
    push_request::{PushRequest, assert_acknowledged, now, scan},
};
use wechat_wire::push::PushBody;

const LIMIT: usize = 64 * 1024;

#[tokio::test]
async fn a_wrong_signature_gets_403_and_nothing_is_done() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let mut news = News::listen(&store).await;
    let openid = new_openid();
    let good = PushRequest::plain(&scan(&openid, &scene));
    let other = PushRequest::signed("");
    for (what, bent) in [
        ("no signature", good.clone().without("signature")),
        ("an empty one", good.clone().with("signature", "")),
        (
            "another request's",
            good.clone().with("signature", other.parameter("signature")),
        ),
        (
            "upper case",
            good.clone()
                .with("signature", &good.parameter("signature").to_uppercase()),
        ),
        ("another timestamp", good.clone().with("timestamp", "1")),
        ("another nonce", good.clone().with("nonce", "1")),
        ("no timestamp", good.clone().without("timestamp")),
        ("no nonce", good.clone().without("nonce")),
    ] {
        bent.is_refused(gateway, 403, what).await;
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    assert!(news.so_far(&stack.redis).await.is_empty());
    let member = http::get(gateway, &format!("/v1/members/{openid}")).await;
    assert_eq!(member.status, 404);

    assert_eq!(good.send(gateway).await.status, 200);
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Confirmed
    );
}

#[tokio::test]
async fn a_body_may_have_64_kib_and_no_byte_more() {
    let stack = http::start(Plan::default().plain()).await;
    let gateway = &stack.gateways[0];
    let message = |length: usize| PushBody::Message {
        msg_type: "text".to_owned(),
        msg_id: Some("1".to_owned()),
        content: Some("a".repeat(length)),
    };
    let openid = new_openid();
    let envelope = now(&openid, message(0)).to_xml().len();
    let fitting = PushRequest::plain(&now(&openid, message(LIMIT - envelope)));
    assert_eq!(fitting.body().len(), LIMIT);
    assert_acknowledged(&fitting.send(gateway).await);
    for extra in [1, 1000] {
        let large = PushRequest::plain(&now(&openid, message(LIMIT - envelope + extra)));
        large.is_refused(gateway, 413, "a large body").await;
    }
}

#[tokio::test]
async fn a_large_body_without_its_length_is_refused_too() {
    let stack = http::start(Plan::default().plain()).await;
    let signed = PushRequest::signed("");
    let mut request = format!(
        "POST /wechat/callback?signature={}&timestamp={}&nonce={} HTTP/1.1\r\n\
         Host: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        signed.parameter("signature"),
        signed.parameter("timestamp"),
        signed.parameter("nonce"),
    );
    let chunk = format!("{:x}\r\n{}\r\n", LIMIT / 4, "a".repeat(LIMIT / 4));
    request += &chunk.repeat(5);
    request += "0\r\n\r\n";
    let answer = http::exchange(&stack.gateways[0].public, request.into_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
}

#[tokio::test]
async fn other_methods_get_405() {
    let stack = http::start(Plan::default()).await;
    let address = format!("{}/wechat/callback", stack.gateways[0].public);
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = http::send(http::client().request(method.clone(), &address)).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(http::header(&answer, "allow"), "GET, POST", "{method}");
    }
}

#[tokio::test]
async fn the_openid_parameter_is_nobodys_word() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let (person, forged) = (new_openid(), new_openid());
    let push = PushRequest::safe(&scan(&person, &scene)).with("openid", &forged);
    assert_eq!(push.send(gateway).await.status, 200);
    assert_eq!(attempts::owner(&store, &scene).await, person);
    let member = http::get(gateway, &format!("/v1/members/{forged}")).await;
    assert_eq!(member.status, 404);
}
