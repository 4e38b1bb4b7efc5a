//! Pushes that the gateway can't read go to the owner's backend as they came.

use login_protocol::attempt::AttemptStatus;
use system_tests::{
    attempts::{self, new_openid},
    stack::{Plan, Stack},
    unreadable::{Unreadable, variations},
};
use wechat_wire::push::{Push, PushBody};

use crate::{
    backend::{Backend, Behaviour},
    relay::{SentPush, assert_passed_through, now, plain_document, push, safe_document},
};

/// Everything that the push of a login of ours can come to.
async fn spoilt_logins(stack: &Stack) -> (login_protocol::scene::Scene, Vec<Unreadable>) {
    let scene = attempts::open(&stack.redis.store()).await;
    let login = Push {
        to_user_name: harness::account::ORIGINAL_ID.to_owned(),
        from_user_name: new_openid(),
        create_time: now(),
        body: PushBody::scan(scene.as_str(), "a ticket"),
    };
    let variations = variations(&login.to_xml(), login.create_time);
    (scene, variations)
}

/// The same in compatible mode, where the clear fields are as odd as what is encrypted.
fn compatible_document(document: &[u8]) -> SentPush {
    let safe = safe_document(document);
    let envelope = String::from_utf8(safe.body).expect("it is ASCII");
    let (_, encrypt) = envelope
        .split_once("<Encrypt>")
        .expect("it holds a ciphertext");
    let clear = document.strip_suffix(b"</xml>").unwrap_or(document);
    SentPush {
        query: safe.query,
        body: [clear, b"<Encrypt>", encrypt.as_bytes()].concat(),
    }
}

async fn assert_all_pass_through(plan: Plan, sent: fn(&[u8]) -> SentPush) {
    let backend = Backend::start(Behaviour::Silence).await;
    let plan = plan.sites(0);
    let mut stack = plan
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .start()
        .await;
    let (scene, spoilt) = spoilt_logins(&stack).await;
    for odd in &spoilt {
        assert_passed_through(&stack, &backend, &sent(&odd.document), odd.what).await;
    }
    let status = attempts::status(&stack.redis.store(), &scene).await;
    assert_eq!(status, AttemptStatus::Pending);

    // Redis is none of the owner's business.
    stack.redis.kill();
    let odd = &spoilt[0];
    assert_passed_through(&stack, &backend, &sent(&odd.document), "no Redis").await;
}

#[tokio::test]
async fn what_cant_be_read_passes_byte_for_byte_in_plain_mode() {
    assert_all_pass_through(Plan::default().plain(), plain_document).await;
}

#[tokio::test]
async fn what_cant_be_read_passes_byte_for_byte_in_safe_mode() {
    assert_all_pass_through(Plan::default(), safe_document).await;
}

#[tokio::test]
async fn what_cant_be_read_passes_byte_for_byte_in_compatible_mode() {
    assert_all_pass_through(Plan::default(), compatible_document).await;
}

#[tokio::test]
async fn a_backend_that_fails_on_them_is_treated_as_always() {
    let backend = Backend::start(Behaviour::Answer(500, "text/plain", Vec::new())).await;
    for (on_failure, status, text) in [("acknowledge", 200, "success"), ("retry", 503, "")] {
        let plan = Plan::default()
            .sites(0)
            .gateway("GATEWAY__RELAY__URL", &backend.url());
        let stack = plan
            .gateway("GATEWAY__RELAY__ON_FAILURE", on_failure)
            .start()
            .await;
        let answer = push(&stack, &safe_document(b"hello")).await;
        assert_eq!(answer.status(), status, "{on_failure}");
        assert_eq!(answer.text().await.expect("a body"), text, "{on_failure}");
    }
}

#[tokio::test]
async fn nothing_unsigned_reaches_the_backend() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    let stack = Plan::default()
        .sites(0)
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .start()
        .await;
    for odd in spoilt_logins(&stack).await.1 {
        // Rightly signed for another body, and in clear although a key is set.
        let mut forged = safe_document(b"hello");
        forged.body.clone_from(&odd.document);
        assert_eq!(push(&stack, &forged).await.status(), 403, "{}", odd.what);
        let clear = plain_document(&odd.document);
        assert_eq!(push(&stack, &clear).await.status(), 403, "{}", odd.what);
    }
    assert_eq!(backend.received(), Vec::new());
}
