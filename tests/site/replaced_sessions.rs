//! A login ends the session that the same browser had before.

use login_protocol::scene::BrowserSecret;
use reqwest::Method;
use system_tests::stack::Plan;

use crate::{
    answers::assert_problem,
    attempt_record,
    session::signed_in,
    sign_out::fill,
    upgrade::{SESSION_COOKIE, older_session},
};

const COMPLETE: &str = "/api/login/complete";

#[tokio::test]
async fn the_next_login_in_a_browser_ends_its_session_before() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let other = stack.wechat.person("小王", true).await;
    let mut elsewhere = signed_in(&stack, &person).await;
    let mut browser = signed_in(&stack, &person).await;
    let mut kept = browser.clone();
    browser.move_to(&stack.sites[1].public);
    let content = browser.start_login().await;
    stack.wechat.scan(&other, &content).await;
    assert!(kept.session().await.is_some(), "nothing was completed yet");
    assert_eq!(browser.complete().await["openid"], other.openid);
    assert_eq!(kept.session().await, None, "who kept the old cookie");
    // Repeats, as after a lost answer, also with the cookie from before.
    assert_eq!(browser.complete().await["openid"], other.openid);
    let attempt = browser.cookies()["wechat-login"].clone();
    kept.cookies().insert("wechat-login".to_owned(), attempt);
    assert_eq!(kept.complete().await["openid"], other.openid);
    assert_eq!(kept.complete().await["openid"], other.openid);
    assert!(kept.session().await.is_some() && browser.session().await.is_some());
    assert!(elsewhere.session().await.is_some(), "another browser's");
    assert_eq!(attempt_record::sessions(&stack).await.len(), 2);
}

#[tokio::test]
async fn a_session_of_the_version_before_ends_with_the_next_login_too() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = stack.visitor();
    older_session(&stack, &person, &mut browser).await;
    let mut kept = browser.clone();
    assert!(kept.session().await.is_some());
    let content = browser.start_login().await;
    stack.wechat.scan(&person, &content).await;
    browser.complete().await;
    assert_ne!(
        browser.cookies()[SESSION_COOKIE],
        kept.cookies()[SESSION_COOKIE]
    );
    assert_eq!(kept.session().await, None);
    assert!(browser.session().await.is_some());
}

#[tokio::test]
async fn a_login_that_isnt_completed_ends_nothing() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = signed_in(&stack, &person).await;
    browser.start_login().await;
    let answer = browser.call(Method::POST, COMPLETE).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(browser.session().await.is_some());
}

/// A full Redis takes ends and no beginnings.
#[tokio::test]
async fn a_login_that_a_full_redis_refuses_ends_nothing() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = signed_in(&stack, &person).await;
    let mut kept = browser.clone();
    let content = browser.start_login().await;
    stack.wechat.scan(&person, &content).await;
    browser.status_becomes("confirmed").await;
    // It was redeemed while there was room, and no more.
    let secret = BrowserSecret::parse(&browser.cookies()["wechat-login"]);
    let key = format!(
        "wechat-login:attempt:{{{}}}",
        secret.expect("the cookie is a secret").scene().as_str()
    );
    for (field, value) in [("status", "consumed"), ("nonce", "a-nonce")] {
        attempt_record::set(&stack, &key, field, value).await;
    }
    attempt_record::set_time(&stack, &key, "redeemed_at_ms", 0).await;
    fill(&stack).await;
    let answer = browser.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 503, "store_unavailable");
    assert!(kept.session().await.is_some());
    let _: String = stack
        .redis
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .await;
    browser.complete().await;
    assert_eq!(kept.session().await, None);
}
