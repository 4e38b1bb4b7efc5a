//! Rightly signed bodies that are no push: refused fast, and nothing comes of them.

use login_protocol::attempt::AttemptStatus;
use system_tests::{
    attempts::{self, new_openid},
    stack::Plan,
};

use crate::{
    http,
    push_request::{PushRequest, assert_acknowledged, scan},
};

/// Nine levels of ten references each: 10^9 characters when expanded.
fn entity_bomb() -> String {
    let levels = (1..=9).map(|level| {
        let references = format!("&a{};", level - 1).repeat(10);
        format!("<!ENTITY a{level} \"{references}\">")
    });
    let levels: Vec<String> = levels.collect();
    format!(
        "<!DOCTYPE xml [<!ENTITY a0 \"aaaaaaaaaa\">{}]><xml><ToUserName>&a9;</ToUserName></xml>",
        levels.concat()
    )
}

#[tokio::test]
async fn what_is_no_push_gets_400() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let good = scan(&new_openid(), &scene).to_xml();
    let mut not_utf8 = good.clone().into_bytes();
    let place = good.find("a ticket").expect("it has a ticket");
    not_utf8[place] = 0xff;
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no XML", b"hello".to_vec()),
        ("JSON", b"{\"xml\": {}}".to_vec()),
        ("an empty document", b"<xml></xml>".to_vec()),
        ("cut short", good.as_bytes()[..good.len() - 3].to_vec()),
        ("another root", good.replace("xml>", "html>").into_bytes()),
        ("two roots", good.repeat(2).into_bytes()),
        ("invalid UTF-8", not_utf8),
        ("a NUL", good.replace("a ticket", "\0").into_bytes()),
        (
            "a document type",
            format!("<!DOCTYPE xml>{good}").into_bytes(),
        ),
        (
            "an external entity",
            format!("<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{good}")
                .into_bytes(),
        ),
        ("an entity bomb", entity_bomb().into_bytes()),
        (
            "an unknown entity",
            good.replace("<xml>", "<xml><X>&x;</X>").into_bytes(),
        ),
        (
            "an endless nesting",
            format!("<xml>{}", "<a>".repeat(20_000)).into_bytes(),
        ),
        (
            "a field twice",
            good.replace("<xml>", "<xml><FromUserName>oSim</FromUserName>")
                .into_bytes(),
        ),
        (
            "no time",
            good.replace("CreateTime", "CreationTime").into_bytes(),
        ),
    ];
    for (what, body) in bodies {
        let push = PushRequest::signed(body);
        push.is_refused(gateway, 400, what).await;
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn a_push_from_no_openid_is_acknowledged_and_ignored() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    for openid in ["o/../x", "o{x}:y", "o x", "用户", &"o".repeat(65)] {
        let push = PushRequest::signed(scan(openid, &scene).to_xml());
        assert_acknowledged(&push.send(gateway).await);
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn an_impossible_time_harms_nothing() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    for create_time in [i64::MIN, -1, 0, i64::MAX] {
        let scene = attempts::open(&store).await;
        let person = new_openid();
        let mut push = scan(&person, &scene);
        push.create_time = create_time;
        let answer = PushRequest::signed(push.to_xml()).send(gateway).await;
        assert_eq!(answer.status, 200, "{create_time}");
        assert_eq!(attempts::owner(&store, &scene).await, person);
    }
}

#[tokio::test]
async fn a_body_that_never_comes_doesnt_hold_the_gateway() {
    let stack = http::start(Plan::default()).await;
    let request = "POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<xml>";
    let answer = http::exchange(&stack.gateways[0].public, request.into()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
}
