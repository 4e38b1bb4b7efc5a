//! Pushes in safe mode: opened with the account's key, answered under it.

use login_protocol::attempt::AttemptStatus;
use system_tests::{
    attempts::{self, new_openid},
    stack::Plan,
};
use wechat_wire::{
    message_crypto::{EncodingAesKey, MessageCrypto},
    reply::EncryptedReply,
};

use crate::{
    http,
    push_request::{PushRequest, assert_acknowledged, crypto, crypto_for, scan, sealed_reply},
};

#[tokio::test]
async fn a_safe_push_is_answered_encrypted_and_signed() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let push = PushRequest::safe(&scan(&person, &scene));
    let answer = push.send(gateway).await;
    let words = sealed_reply(&answer, &person);
    assert!(words.contains("已登录"), "{words}");
    assert!(!answer.text.contains(&person), "nothing is said in clear");
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn no_two_replies_look_alike() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let push = PushRequest::safe(&scan(&new_openid(), &scene));
    let mut ciphertexts = Vec::new();
    for _ in 0..2 {
        let answer = push.send(gateway).await;
        let sealed = EncryptedReply::parse(answer.text.as_bytes()).unwrap();
        // The first block alone would be equal if the random bytes were.
        ciphertexts.push(sealed.encrypt[..20].to_owned());
    }
    assert_ne!(ciphertexts[0], ciphertexts[1]);
}

#[tokio::test]
async fn a_wrong_msg_signature_gets_403_and_nothing_is_done() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let good = PushRequest::safe(&scan(&new_openid(), &scene));
    let other = PushRequest::safe(&scan(&new_openid(), &scene));
    for (what, bent) in [
        ("no msg_signature", good.clone().without("msg_signature")),
        ("an empty one", good.clone().with("msg_signature", "")),
        (
            "another push's",
            good.clone()
                .with("msg_signature", other.parameter("msg_signature")),
        ),
        (
            "the plain one",
            good.clone()
                .with("msg_signature", good.parameter("signature")),
        ),
        ("another body", good.clone().with_body(other.body())),
        ("another timestamp", good.clone().with("timestamp", "1")),
        ("another nonce", good.clone().with("nonce", "1")),
    ] {
        bent.is_refused(gateway, 403, what).await;
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn what_cant_be_decrypted_gets_403_and_nothing_is_done() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let document = scan(&new_openid(), &scene).to_xml();
    let other_key = EncodingAesKey::parse(&"x".repeat(43)).unwrap();
    for (what, crypto) in [
        (
            "another account with the same key",
            crypto_for("wx00000000000000ff"),
        ),
        (
            "another key",
            MessageCrypto::new(&other_key, system_tests::stack::APP_ID),
        ),
    ] {
        let push = PushRequest::encrypted(&crypto, document.as_bytes());
        push.is_refused(gateway, 403, what).await;
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn an_envelope_that_holds_nothing_signed_gets_403() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let crypto = crypto();
    for envelope in [
        "",
        "no xml",
        "{}",
        "<xml></xml>",
        "<xml><Encrypt></Encrypt></xml>",
        "<xml><Encrypt>",
        "<Encrypt>AAAA</Encrypt>",
    ] {
        let push = PushRequest::encrypted(&crypto, b"x").with_body(envelope);
        push.is_refused(gateway, 403, envelope).await;
    }
}

#[tokio::test]
async fn a_signed_ciphertext_that_is_none_is_acknowledged() {
    let stack = http::start(Plan::default()).await;
    for ciphertext in ["AAAA", "no base64!", "=", &"A".repeat(60)] {
        let push = PushRequest::with_ciphertext(ciphertext);
        assert_acknowledged(&push.send(&stack.gateways[0]).await);
    }
    let counted = "wechat_pushes_total{event=\"ignored\",outcome=\"damaged_ciphertext\",account=\"default\"} 4";
    let figures = http::figures(&stack.gateways[0]).await;
    assert!(figures.contains(counted), "{figures}");
}
