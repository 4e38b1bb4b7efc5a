//! Every push that is refused is counted, by why.

use system_tests::{
    attempts::{new_openid, new_scene},
    stack::{Plan, Service},
};

use crate::{
    http,
    push_request::{PushRequest, crypto_for, scan},
};

async fn assert_counted(gateway: &Service, reason: &str, times: u32) {
    let line = format!(
        "wechat_pushes_total{{event=\"refused\",outcome=\"{reason}\",account=\"default\"}} {times}\n"
    );
    let figures = http::figures(gateway).await;
    assert!(figures.contains(&line), "{line}: {figures}");
}

#[tokio::test]
async fn each_refusal_is_counted_with_its_reason() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let event = scan(&new_openid(), &new_scene());
    let (safe, plain) = (PushRequest::safe(&event), PushRequest::plain(&event));
    let other = PushRequest::encrypted(&crypto_for("wx00000000000000ff"), b"<xml></xml>");
    for (reason, status, push) in [
        ("stale", 403, safe.clone().with("timestamp", "1")),
        ("stale", 403, safe.clone().without("timestamp")),
        ("signature", 403, safe.clone().with("msg_signature", "0")),
        ("signature", 403, plain.clone().without("signature")),
        ("plaintext", 403, plain.clone()),
        ("no_ciphertext", 403, safe.clone().with_body("<xml></xml>")),
        ("undecryptable", 403, other),
        ("too_large", 413, safe.with_body("x".repeat(64 * 1024 + 1))),
    ] {
        push.is_refused(gateway, status, reason).await;
    }
    for (reason, times) in [
        ("stale", 2),
        ("signature", 2),
        ("plaintext", 1),
        ("no_ciphertext", 1),
        ("undecryptable", 1),
        ("too_large", 1),
    ] {
        assert_counted(gateway, reason, times).await;
    }

    // Parameters that can't be read at all.
    let twice = format!("{}/wechat/callback?nonce=1&nonce=2", gateway.public);
    let answer = http::send(http::client().post(twice)).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (403, ""));
    assert_counted(gateway, "query", 1).await;
}

#[tokio::test]
async fn bodies_that_never_come_are_counted() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let request = "POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<xml>";
    let answer = http::exchange(&gateway.public, request.into()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
    assert_counted(gateway, "slow_body", 1).await;

    let request = "POST /wechat/callback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\
                   Connection: close\r\n\r\nzz\r\n";
    let answer = http::exchange(&gateway.public, request.into()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
    assert_counted(gateway, "broken_body", 1).await;
}

#[tokio::test]
async fn an_encrypted_push_without_a_key_is_counted() {
    let stack = http::start(Plan::default().plain()).await;
    let push = PushRequest::safe(&scan(&new_openid(), &new_scene()));
    push.is_refused(&stack.gateways[0], 403, "no key").await;
    assert_counted(&stack.gateways[0], "encrypted", 1).await;
}
