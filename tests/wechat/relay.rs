//! Pushes that aren't logins go to the owner's backend, and its answer goes back to WeChat.

use harness::{account::ORIGINAL_ID, phone::Phone};
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;
use system_tests::{
    deadline::eventually,
    stack::{Plan, Stack},
};
use wechat_wire::{
    envelope::EncryptedPush,
    push::{Push, PushBody},
    signed_push::{Delivery, SignedPush},
};

use crate::backend::{Backend, Behaviour};

pub(crate) const PERSON: &str = "oSimRelay-0123456789abcdefgh";

pub(crate) struct SentPush {
    pub(crate) query: String,
    pub(crate) body: Vec<u8>,
}

impl From<SignedPush> for SentPush {
    fn from(signed: SignedPush) -> Self {
        Self {
            query: signed.query(),
            body: signed.body,
        }
    }
}

pub(crate) fn message(content: &str) -> Push {
    Push {
        to_user_name: ORIGINAL_ID.to_owned(),
        from_user_name: PERSON.to_owned(),
        create_time: now(),
        body: PushBody::Message {
            msg_type: "text".to_owned(),
            msg_id: Some("1234567890".to_owned()),
            content: Some(content.to_owned()),
        },
    }
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub(crate) fn plain(push: &Push) -> SentPush {
    plain_document(push.to_xml().as_bytes())
}

pub(crate) fn plain_document(document: &[u8]) -> SentPush {
    let phone = Phone::default();
    SignedPush::plain(document, PERSON, phone.token(), &phone.delivery()).into()
}

pub(crate) fn safe(push: &Push) -> SentPush {
    safe_document(push.to_xml().as_bytes())
}

pub(crate) fn safe_document(document: &[u8]) -> SentPush {
    let phone = Phone::default();
    let delivery = phone.delivery();
    let envelope = EncryptedPush {
        to_user_name: ORIGINAL_ID.to_owned(),
        encrypt: phone.crypto().encrypt(delivery.random, document),
    };
    let body = envelope.to_safe_xml();
    SignedPush::encrypted(&envelope.encrypt, body, PERSON, phone.token(), &delivery).into()
}

pub(crate) async fn push(stack: &Stack, sent: &SentPush) -> reqwest::Response {
    push_with(stack, sent, HeaderMap::new()).await
}

/// Pushes with further headers.
pub(crate) async fn push_with(
    stack: &Stack,
    sent: &SentPush,
    headers: HeaderMap,
) -> reqwest::Response {
    let url = format!(
        "{}/wechat/callback?{}",
        stack.gateways[0].public, sent.query
    );
    let http = service_kit::http_client::build(system_tests::deadline::PATIENCE)
        .expect("a client can be made");
    http.post(url)
        .header(CONTENT_TYPE, "text/xml")
        .headers(headers)
        .body(sent.body.clone())
        .send()
        .await
        .expect("the gateway answers")
}

/// Sends the push and checks that the backend gets it, and WeChat the backend's answer, byte for
/// byte.
pub(crate) async fn assert_passed_through(
    stack: &Stack,
    backend: &Backend,
    sent: &SentPush,
    what: &str,
) {
    backend.forget();
    let answer = "<xml>\u{0}any bytes at all, 中文</xml>".as_bytes().to_vec();
    backend.behave(Behaviour::Answer(
        200,
        "application/x-anything",
        answer.clone(),
    ));
    let response = push(stack, sent).await;
    assert_eq!(response.status(), 200, "{what}");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/x-anything");
    assert_eq!(
        response.bytes().await.expect("the answer has a body"),
        answer
    );
    let received = backend.received();
    let [received] = received.as_slice() else {
        panic!("{what}: one request, not {received:?}")
    };
    assert_eq!(received.target, format!("/wechat?{}", sent.query));
    assert_eq!(received.content_type, "text/xml");
    assert_eq!(received.body, sent.body, "{what}");
}

#[tokio::test]
async fn a_plain_push_and_its_answer_pass_byte_for_byte() {
    let backend = Backend::start(Behaviour::Silence).await;
    let stack = Plan::default()
        .plain()
        .sites(0)
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .start()
        .await;
    assert_passed_through(&stack, &backend, &plain(&message("你好")), "plain").await;
}

#[tokio::test]
async fn a_safe_push_and_its_answer_pass_byte_for_byte() {
    let backend = Backend::start(Behaviour::Silence).await;
    let stack = Plan::default()
        .sites(0)
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .start()
        .await;
    assert_passed_through(&stack, &backend, &safe(&message("你好")), "safe").await;
}

#[tokio::test]
async fn a_failing_backend_gives_nobody_a_fault_notice() {
    let backend = Backend::start(Behaviour::Answer(500, "text/plain", b"oops".to_vec())).await;
    let stack = Plan::default()
        .sites(0)
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .start()
        .await;
    let response = push(&stack, &safe(&message("你好"))).await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.text().await.unwrap().as_str()
        ),
        (200, "success")
    );

    backend.behave(Behaviour::Silence);
    let response = push(&stack, &safe(&message("你好"))).await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.text().await.unwrap().as_str()
        ),
        (200, "success")
    );

    let gone = backend.address;
    drop(backend);
    eventually("the backend is gone", async || {
        tokio::net::TcpStream::connect(gone)
            .await
            .is_err()
            .then_some(())
    })
    .await;
    let response = push(&stack, &safe(&message("你好"))).await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.text().await.unwrap().as_str()
        ),
        (200, "success")
    );
}

#[tokio::test]
async fn a_failing_backend_can_be_asked_again_by_wechat() {
    let backend = Backend::start(Behaviour::Answer(500, "text/plain", Vec::new())).await;
    let plan = Plan::default()
        .sites(0)
        .gateway("GATEWAY__RELAY__URL", &backend.url());
    let stack = plan
        .gateway("GATEWAY__RELAY__ON_FAILURE", "retry")
        .start()
        .await;
    assert_eq!(push(&stack, &safe(&message("你好"))).await.status(), 503);
}

#[tokio::test]
async fn logins_stay_here_unless_copies_are_wanted() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    for (copies, expected) in [("false", 0), ("true", 1)] {
        let plan = Plan::default().gateway("GATEWAY__RELAY__URL", &backend.url());
        let stack = plan
            .gateway("GATEWAY__RELAY__COPY_LOGINS", copies)
            .start()
            .await;
        let follower = stack.wechat.person("小林", true).await;
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        stack.wechat.scan(&follower, &content).await;
        visitor.complete().await;
        // A message afterwards is relayed in any case, so that "nothing came" isn't "nothing came
        // yet".
        stack.wechat.message(&follower, "你好").await;
        let what = format!("{} pushes reach the backend", expected + 1);
        eventually(&what, async || {
            (backend.received().len() == expected + 1).then_some(())
        })
        .await;
        let chat = stack.wechat.chat(&follower).await;
        assert!(
            chat.iter().any(|line| line.contains("您已登录")),
            "{chat:?}"
        );
        backend.forget();
    }
}

#[tokio::test]
async fn forged_pushes_reach_no_backend() {
    let backend = Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await;
    let stack = Plan::default()
        .sites(0)
        .gateway("GATEWAY__RELAY__URL", &backend.url())
        .start()
        .await;
    let mut forged = safe(&message("你好"));
    forged.query = forged.query.replace("msg_signature=", "msg_signature=0");
    assert_eq!(push(&stack, &forged).await.status(), 403);
    assert_eq!(push(&stack, &plain(&message("你好"))).await.status(), 403);
    assert_eq!(backend.received(), Vec::new());
}

#[tokio::test]
async fn without_a_backend_the_account_greets_and_answers_keywords() {
    let plan = Plan::default()
        .sites(0)
        .gateway("GATEWAY__REPLY__SITE_NAME", "花店");
    let plan = plan.gateway("GATEWAY__REPLY__WELCOME", "欢迎来到{site}！");
    let plan = plan.gateway(
        "GATEWAY__REPLY__KEYWORDS",
        r#"{"营业时间": "{site}每天九点开门。"}"#,
    );
    let stack = plan.start().await;
    let person = stack.wechat.person("阿雅", false).await;
    stack.wechat.follow(&person).await;
    stack.wechat.message(&person, " 营业时间 ").await;
    stack.wechat.message(&person, "别的").await;
    let chat = stack
        .wechat
        .control(
            Method::GET,
            &format!("/simulator/people/{}/chat", person.id),
            Value::Null,
        )
        .await;
    let lines = chat.as_array().unwrap().iter();
    let answers: Vec<&str> = lines
        .filter(|line| line["from"] == "account")
        .filter_map(|line| line["text"].as_str())
        .collect();
    assert_eq!(answers, ["欢迎来到花店！", "花店每天九点开门。"]);
}

#[tokio::test]
async fn a_push_from_another_time_is_refused() {
    let stack = Plan::default().plain().sites(0).start().await;
    let phone = Phone::default();
    for (offset, status) in [(-290, 200), (290, 200), (-310, 403), (310, 403)] {
        let delivery = Delivery {
            timestamp: (now() + offset).to_string(),
            ..phone.delivery()
        };
        let body = message("你好").to_xml();
        let sent = SignedPush::plain(body, PERSON, phone.token(), &delivery);
        assert_eq!(
            push(&stack, &sent.into()).await.status(),
            status,
            "{offset} s"
        );
    }
}
