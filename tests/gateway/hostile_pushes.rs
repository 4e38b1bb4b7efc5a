//! Rightly signed bodies that are no push: refused fast, and nothing comes of them.

use login_protocol::attempt::AttemptStatus;
use system_tests::{
    attempts::{self, new_openid},
    stack::Plan,
};

use crate::{
    http,
    push_request::{PushRequest, assert_acknowledged, crypto, scan},
};

/// How much more memory a gateway may have after ten rounds than after the first.
const GROWTH_KIB: u64 = 16 * 1024;

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

/// Documents that are no push, though most resemble this one.
fn no_pushes(good: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut not_utf8 = good.as_bytes().to_vec();
    let place = good.find("a ticket").expect("it has a ticket");
    not_utf8[place] = 0xff;
    vec![
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
            "attributes without an end",
            format!("<xml><a{}", " b=''".repeat(12_000)).into_bytes(),
        ),
        (
            "attributes and no push",
            format!("<xml><a{}/></xml>", " b=''".repeat(12_000)).into_bytes(),
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
    ]
}

#[tokio::test]
async fn what_is_no_push_gets_400() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let good = scan(&new_openid(), &scene);
    for (what, body) in no_pushes(&good.to_xml()) {
        let push = PushRequest::signed(body);
        push.is_refused(gateway, 400, what).await;
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn what_is_no_push_gets_400_in_safe_mode_too_and_costs_no_memory() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let good = scan(&new_openid(), &scene);
    let (crypto, mut after_the_first) = (crypto(), None);
    for _ in 0..10 {
        for (what, mut document) in no_pushes(&good.to_xml()) {
            // In base64 it has to fit into the 64 KiB of a push.
            document.truncate(40 * 1024);
            let inside = PushRequest::encrypted(&crypto, &document);
            inside.is_refused(gateway, 400, what).await;
            let instead = PushRequest::encrypted(&crypto, b"x").with_body(document);
            instead.is_refused(gateway, 400, what).await;
        }
        let resident = gateway.process.resident_kib();
        let bound = *after_the_first.get_or_insert(resident) + GROWTH_KIB;
        assert!(resident <= bound, "{resident} KiB, more than {bound}");
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    assert_eq!(PushRequest::safe(&good).send(gateway).await.status, 200);
    assert_eq!(attempts::owner(&store, &scene).await, good.from_user_name);
}

#[tokio::test]
async fn a_push_with_thousands_of_attributes_and_elements_is_a_push() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    for flood in [
        format!("<a{}/>", " b=''".repeat(12_000)),
        "<a b='c'/>".repeat(6_000),
        "<![CDATA[x]]>".repeat(4_000),
    ] {
        let scene = attempts::open(&store).await;
        let person = new_openid();
        let document = scan(&person, &scene).to_xml();
        let document = document.replace("</xml>", &format!("{flood}</xml>"));
        let answer = PushRequest::signed(document).send(gateway).await;
        assert_eq!(answer.status, 200);
        assert_eq!(attempts::owner(&store, &scene).await, person);
    }
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
