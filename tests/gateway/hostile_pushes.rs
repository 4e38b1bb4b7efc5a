//! Rightly signed bodies that are no push: answered fast, and nothing comes of them.

use std::collections::BTreeMap;

use login_protocol::attempt::AttemptStatus;
use system_tests::{
    attempts::{self, new_openid},
    stack::{Plan, Stack},
    unreadable::{Unreadable, variations},
};

use crate::{
    http,
    push_request::{PushRequest, crypto, scan},
};

/// How much more memory a gateway may have after ten rounds than after the first.
const GROWTH_KIB: u64 = 16 * 1024;

/// Sends each of them in the form that `request` makes.
async fn send_each(
    stack: &Stack,
    unreadable: &[Unreadable],
    request: impl Fn(&[u8]) -> PushRequest,
) {
    for odd in unreadable {
        let answer = request(&odd.document).send(&stack.gateways[0]).await;
        assert_eq!(answer.status, 200, "{}", odd.what);
        assert_eq!(answer.text, "success", "{}", odd.what);
    }
}

/// How often each outcome was counted.
fn outcomes(unreadable: &[Unreadable]) -> BTreeMap<&'static str, u64> {
    let mut counted = BTreeMap::new();
    for odd in unreadable {
        *counted.entry(odd.outcome).or_default() += 1;
    }
    counted
}

async fn assert_counted(stack: &Stack, unreadable: &[Unreadable], rounds: u64) {
    let figures = http::figures(&stack.gateways[0]).await;
    for (outcome, times) in outcomes(unreadable) {
        let labels = format!("{{event=\"ignored\",outcome=\"{outcome}\",account=\"default\"}}");
        let line = format!("wechat_pushes_total{labels} {}", times * rounds);
        assert!(figures.contains(&line), "{line}: {figures}");
    }
}

/// Ends the gateway, since the last repeated lines are told then.
async fn assert_logged_once_each(stack: &mut Stack, pushes: usize) {
    let gateway = &mut stack.gateways[0].process;
    gateway.stop().await;
    let said = gateway.said().await;
    let told = gateway.told("ignored a signed push");
    assert_eq!(told, pushes as u64, "{said}");
}

#[tokio::test]
async fn what_is_signed_and_no_push_is_acknowledged_and_does_nothing() {
    let mut stack = http::start(Plan::default().plain()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let login = scan(&new_openid(), &scene);
    let unreadable = variations(&login.to_xml(), login.create_time);
    send_each(&stack, &unreadable, |document| {
        PushRequest::signed(document)
    })
    .await;
    assert_counted(&stack, &unreadable, 1).await;
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:member*:{*"])
        .await;
    assert_eq!(keys, Vec::<String>::new(), "nobody was heard of");
    assert_logged_once_each(&mut stack, unreadable.len()).await;
}

#[tokio::test]
async fn what_is_no_push_does_nothing_in_safe_mode_either_and_costs_no_memory() {
    let mut stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let login = scan(&new_openid(), &scene);
    let unreadable = variations(&login.to_xml(), login.create_time);
    let (crypto, mut after_the_first) = (crypto(), None);
    for round in 1..=10 {
        send_each(&stack, &unreadable, |document| {
            PushRequest::encrypted(&crypto, document)
        })
        .await;
        assert_counted(&stack, &unreadable, round).await;
        for odd in &unreadable {
            let instead = PushRequest::encrypted(&crypto, b"x").with_body(odd.document.clone());
            instead.is_refused(&stack.gateways[0], 403, odd.what).await;
        }
        let resident = stack.gateways[0].process.resident_kib();
        let bound = *after_the_first.get_or_insert(resident) + GROWTH_KIB;
        assert!(resident <= bound, "{resident} KiB, more than {bound}");
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    let gateway = &stack.gateways[0];
    assert_eq!(PushRequest::safe(&login).send(gateway).await.status, 200);
    assert_eq!(attempts::owner(&store, &scene).await, login.from_user_name);
    assert_logged_once_each(&mut stack, 10 * unreadable.len()).await;
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
async fn a_body_that_never_comes_doesnt_hold_the_gateway() {
    let stack = http::start(Plan::default()).await;
    let request = "POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<xml>";
    let answer = http::exchange(&stack.gateways[0].public, request.into()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
}
