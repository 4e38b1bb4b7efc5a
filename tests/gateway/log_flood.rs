//! What strangers can't do to the log, and what an operator is told at start.

use rustix::process::Signal;
use system_tests::{
    attempts::new_openid,
    stack::{Plan, Stack},
};
use wechat_wire::push::PushBody;

use crate::{
    http,
    push_request::{PushRequest, now},
};

const PUSHES: u64 = 300;

fn lines(stack: &Stack, text: &str) -> Vec<String> {
    let lines = stack.gateways[0].process.lines();
    lines
        .into_iter()
        .filter(|line| line.contains(text))
        .collect()
}

#[tokio::test]
async fn refused_pushes_are_one_line_and_a_count() {
    let mut stack = http::start(Plan::default()).await;
    let forged = PushRequest::safe(&now(&new_openid(), PushBody::Unsubscribe))
        .with("msg_signature", "0000000000000000000000000000000000000000");
    for _ in 0..PUSHES {
        assert_eq!(forged.send(&stack.gateways[0]).await.status, 403);
    }
    stack.gateways[0].process.signal(Signal::TERM);
    stack.gateways[0].process.said().await;

    let written = lines(&stack, "refused a push");
    let first = written
        .iter()
        .filter(|line| !line.contains("log line repeated"));
    assert_eq!(first.count(), 1, "{written:#?}");
    let told = stack.gateways[0].process.told("refused a push");
    assert_eq!(told, PUSHES, "{written:#?}");
}

/// Who has seen one address of WeChat's verification can repeat it for ever.
#[tokio::test]
async fn a_verification_that_is_repeated_is_one_line_and_a_count() {
    let mut stack = http::start(Plan::default()).await;
    let seen = PushRequest::signed("");
    for _ in 0..PUSHES {
        assert_eq!(seen.verify(&stack.gateways[0]).await.status, 200);
    }
    stack.gateways[0].process.signal(Signal::TERM);
    stack.gateways[0].process.said().await;
    let written = lines(&stack, "WeChat verified the callback URL");
    assert_eq!(written.len(), 2, "{written:#?}");
    let told = stack.gateways[0]
        .process
        .told("WeChat verified the callback URL");
    assert_eq!(told, PUSHES, "{written:#?}");
}

/// What a gateway warns of at start that has these settings beside the tests' own.
async fn warnings(settings: &[(&str, &str)]) -> String {
    let mut plan = Plan::default().sites(0);
    for (key, value) in settings {
        plan = plan.gateway(key, value);
    }
    let mut stack = http::start(plan).await;
    stack.gateways[0].process.stop().await;
    let said = stack.gateways[0].process.said().await;
    let warnings = said.lines().filter(|line| line.contains(" check="));
    warnings.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn an_operator_hears_at_start_what_strangers_could_use() {
    const PUBLISHED: &str = "demonstration-only-api-key-0123456789";
    let public = ("GATEWAY__PUBLIC__URL", "https://wechat.example.com");
    let good = [
        ("GATEWAY__WECHAT__TOKEN", "wqTf7Yp0LmXc3Rv9"),
        (
            "GATEWAY__INTERNAL__API_KEY",
            "6f1c0e8a9d2b47530c5e1f7a8b9d2c4e",
        ),
        public,
    ];
    assert_eq!(warnings(&good).await, "");
    for (setting, complaint) in [
        (("GATEWAY__WECHAT__ENCODING_AES_KEY", ""), "plain mode"),
        (
            ("GATEWAY__WECHAT__ACCEPT_PLAINTEXT", "true"),
            "plain pushes are accepted as well",
        ),
        (
            ("GATEWAY__WECHAT__TOKEN", "q7Tk2"),
            "wechat.token is a weak secret",
        ),
        (
            ("GATEWAY__INTERNAL__API_KEY", PUBLISHED),
            "internal.api_key is a weak secret: it is public",
        ),
        (
            (
                "GATEWAY__WECHAT__ENCODING_AES_KEY",
                "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
            ),
            "wechat.encoding_aes_key is not secret",
        ),
    ] {
        let said = warnings(&[good.as_slice(), &[setting]].concat()).await;
        assert!(said.contains(complaint), "{setting:?}: {said}");
        assert!(
            setting.1.is_empty() || !said.contains(setting.1) || setting.1 == "true",
            "{said}"
        );
    }
    let at_home = [
        ("GATEWAY__PUBLIC__URL", "http://localhost:8080"),
        ("GATEWAY__INTERNAL__API_KEY", PUBLISHED),
        ("GATEWAY__WECHAT__TOKEN", "demonstration"),
    ];
    assert_eq!(warnings(&at_home).await, "");
}
