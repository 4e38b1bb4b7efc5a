//! The cookies: who may read them, and when they are sent.

use std::collections::BTreeSet;

use reqwest::Method;
use system_tests::{stack::Plan, visitor::Answer};

use crate::answers::set_cookie;

/// The attributes of a cookie, without its value.
#[track_caller]
fn attributes(answer: &Answer, name: &str) -> BTreeSet<String> {
    let line = set_cookie(answer, name).unwrap_or_else(|| panic!("no cookie {name}"));
    line.split("; ").skip(1).map(str::to_owned).collect()
}

fn expected(attributes: &[&str]) -> BTreeSet<String> {
    attributes.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn cookies_are_for_this_site_and_no_script() {
    let plan = Plan::default().site("SITE__SESSION__TTL_SECONDS", "3600");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let common = ["HttpOnly", "SameSite=Lax", "Path=/"];

    let started = visitor.call(Method::POST, "/api/login").await;
    let attempt = attributes(&started, "wechat-login");
    let lives = |seconds: &'static str| [&common[..], &[seconds]].concat();
    assert_eq!(attempt, expected(&lives("Max-Age=360")));

    let content = started.json["qr"]["content"].as_str().unwrap();
    stack.wechat.scan(&person, content).await;
    let completed = visitor.call(Method::POST, "/api/login/complete").await;
    let session = attributes(&completed, "wechat-session");
    assert_eq!(session, expected(&lives("Max-Age=3600")));
    assert!(set_cookie(&completed, "wechat-login").is_none());

    let signed_out = visitor.call(Method::DELETE, "/api/session").await;
    for name in ["wechat-login", "wechat-session"] {
        let cleared = attributes(&signed_out, name);
        assert_eq!(cleared, expected(&lives("Max-Age=0")));
    }
    assert!(visitor.cookies().is_empty());
}

#[tokio::test]
async fn under_https_no_other_host_can_read_or_set_them() {
    let plan = Plan::default().site("SITE__PUBLIC__URL", "https://www.example.com");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let common = ["HttpOnly", "SameSite=Lax", "Path=/", "Secure"];
    let lives = |seconds: &'static str| expected(&[&common[..], &[seconds]].concat());

    let started = visitor.call(Method::POST, "/api/login").await;
    let attempt = attributes(&started, "__Host-wechat-login");
    assert_eq!(attempt, lives("Max-Age=360"));
    assert!(set_cookie(&started, "wechat-login").is_none());

    let content = started.json["qr"]["content"].as_str().unwrap();
    stack.wechat.scan(&person, content).await;
    let completed = visitor.call(Method::POST, "/api/login/complete").await;
    let session = attributes(&completed, "__Host-wechat-session");
    assert_eq!(session, lives("Max-Age=604800"));
    assert!(visitor.session().await.is_some());

    let without_prefix = visitor.cookies().clone().into_iter();
    let without_prefix = without_prefix.map(|(name, value)| (name.replace("__Host-", ""), value));
    let mut planted = stack.visitor();
    planted.cookies().extend(without_prefix);
    assert_eq!(planted.cookies().len(), 2);
    assert_eq!(planted.call(Method::GET, "/api/login").await.status, 404);
    assert!(planted.session().await.is_none());

    let signed_out = visitor.call(Method::DELETE, "/api/session").await;
    for name in ["__Host-wechat-login", "__Host-wechat-session"] {
        assert_eq!(attributes(&signed_out, name), lives("Max-Age=0"));
    }
}

#[tokio::test]
async fn secrets_are_random_and_long() {
    let stack = Plan::default().start().await;
    let mut secrets = BTreeSet::new();
    for _ in 0..10 {
        let mut visitor = stack.visitor();
        visitor.start_login().await;
        let secret = visitor.cookies()["wechat-login"].clone();
        // 256 bits in base64url.
        assert_eq!(secret.len(), 43);
        assert!(secrets.insert(secret));
    }
}

/// Other applications of the host put what they like into cookies, and browsers send all in one
/// line.
#[tokio::test]
async fn other_peoples_cookies_hide_none_of_ours() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    for (name, value) in [
        ("a", ""),
        ("city", "北京"),
        ("my-wechat-login", "x"),
        ("quoted", "\"a b\""),
        ("wechat", "login"),
    ] {
        visitor.cookies().insert(name.to_owned(), value.to_owned());
    }
    let content = visitor.start_login().await;
    assert_eq!(visitor.status().await, "pending");
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    assert!(visitor.session().await.is_some());
}
