//! `GET /api/login`: where the browser's attempt stands.

use reqwest::Method;
use system_tests::{deadline::eventually, stack::Plan};

use crate::{answers::assert_problem, attempt_record};

#[tokio::test]
async fn every_status_is_told_with_the_expiry_while_there_is_one() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let started = visitor.call(Method::POST, "/api/login").await;
    let key = attempt_record::only(&stack).await;
    for status in ["pending", "scanned", "confirmed", "denied", "consumed"] {
        attempt_record::set(&stack, &key, "status", status).await;
        let answer = visitor.call(Method::GET, "/api/login").await;
        assert_eq!(answer.status, 200);
        let expected =
            serde_json::json!({ "status": status, "expires_at": started.json["expires_at"] });
        assert_eq!(answer.json, expected);
    }
    attempt_record::expire(&stack, &key).await;
    let answer = visitor.call(Method::GET, "/api/login").await;
    let expected = serde_json::json!({ "status": "expired", "expires_at": null });
    assert_eq!((answer.status.as_u16(), answer.json), (200, expected));
}

#[tokio::test]
async fn a_scan_and_a_login_are_seen_by_asking() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    assert_eq!(visitor.status().await, "pending");
    stack.wechat.scan(&person, &content).await;
    visitor.move_to(&stack.sites[1].public);
    assert_eq!(visitor.status().await, "confirmed");
    visitor.complete().await;
    assert_eq!(visitor.status().await, "consumed");
}

#[tokio::test]
async fn an_attempt_that_nobody_scans_expires_by_itself() {
    let plan = Plan::default().site("SITE__LOGIN__TTL_SECONDS", "1");
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    visitor.status_becomes("expired").await;
    eventually("Redis forgets the attempt", async || {
        attempt_record::all(&stack).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_browser_without_an_attempt_is_told_so() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    for path in ["/api/login", "/api/login/events"] {
        let answer = visitor.call(Method::GET, path).await;
        assert_problem(&answer, 404, "no_login_attempt");
    }
    let garbage = [
        "",
        "x",
        "%00",
        "../../etc/passwd",
        "login_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        &"A".repeat(42),
        &"A".repeat(44),
        &"A".repeat(3000),
    ];
    for garbage in garbage {
        let cookie = ("wechat-login".to_owned(), garbage.to_owned());
        visitor.cookies().extend([cookie]);
        for path in ["/api/login", "/api/login/events"] {
            let answer = visitor.call(Method::GET, path).await;
            assert_problem(&answer, 404, "no_login_attempt");
        }
    }
}

#[tokio::test]
async fn a_secret_of_nothing_is_an_expired_attempt() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let cookie = ("wechat-login".to_owned(), "A".repeat(43));
    visitor.cookies().extend([cookie]);
    assert_eq!(visitor.status().await, "expired");
}
