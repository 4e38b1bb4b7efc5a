//! `POST /api/login/complete`: the scan becomes a session, once, for the browser that started it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use system_tests::{
    stack::{Plan, Stack},
    visitor::Visitor,
};
use tokio::task::JoinSet;

use crate::{answers::assert_problem, attempt_record, session::subject};

const COMPLETE: &str = "/api/login/complete";

/// A visitor whose code somebody has scanned, and the attempt's key.
async fn confirmed(stack: &Stack) -> (Visitor, String) {
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    (visitor, attempt_record::only(stack).await)
}

#[tokio::test]
async fn a_confirmed_attempt_becomes_a_session() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let answer = visitor.call(Method::POST, COMPLETE).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let avatar_url = answer.json["user"]["avatar_url"].clone();
    let avatars = format!("{}/", stack.wechat.url());
    assert!(avatar_url.as_str().unwrap().starts_with(&avatars));
    let user = json!({
        "sub": subject(&answer.json["user"]),
        "openid": person.openid,
        "unionid": answer.json["user"]["unionid"],
        "nickname": "小林",
        "avatar_url": avatar_url,
        "location": "浙江 杭州",
        "subscribed": true,
    });
    assert_eq!(answer.json, json!({ "user": user }));
    assert_eq!(visitor.session().await, Some(user));
}

#[tokio::test]
async fn what_is_not_confirmed_is_refused() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let answer = visitor.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 404, "no_login_attempt");

    visitor.start_login().await;
    let key = attempt_record::only(&stack).await;
    let refusals = [
        ("pending", 409, "login_not_confirmed"),
        ("scanned", 409, "login_not_confirmed"),
        ("denied", 410, "login_denied"),
    ];
    for (status, number, code) in refusals {
        attempt_record::set(&stack, &key, "status", status).await;
        let answer = visitor.call(Method::POST, COMPLETE).await;
        assert_problem(&answer, number, code);
    }
    attempt_record::expire(&stack, &key).await;
    let answer = visitor.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 410, "login_expired");
    assert!(attempt_record::sessions(&stack).await.is_empty());
    assert!(visitor.session().await.is_none());
}

#[tokio::test]
async fn nobody_completes_someone_elses_login() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let started = visitor.call(Method::POST, "/api/login").await;
    let key = attempt_record::only(&stack).await;
    let scene = attempt_record::scene(&key);
    let content = started.json["qr"]["content"].as_str().unwrap();
    let image_url = started.json["qr"]["image_url"].as_str().unwrap();
    stack.wechat.scan(&person, content).await;

    let mut thief = stack.visitor();
    let answer = thief.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 404, "no_login_attempt");
    // All that a photograph, a push or a look into Redis would give away.
    let digest = scene.strip_prefix("login_").unwrap();
    for stolen in [scene, digest, content, image_url, &key] {
        let cookie = ("wechat-login".to_owned(), stolen.to_owned());
        thief.cookies().extend([cookie]);
        let answer = thief.call(Method::POST, COMPLETE).await;
        assert!(matches!(answer.status.as_u16(), 404 | 410), "{stolen}");
        for address in [
            format!("{COMPLETE}?scene={scene}"),
            format!("{COMPLETE}/{scene}"),
        ] {
            let answer = thief.call(Method::POST, &address).await;
            assert!(matches!(answer.status.as_u16(), 404 | 410), "{address}");
        }
    }
    thief.cookies().clear();
    thief.start_login().await;
    let answer = thief.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 409, "login_not_confirmed");
    assert!(thief.session().await.is_none());
    assert!(attempt_record::sessions(&stack).await.is_empty());

    assert_eq!(visitor.complete().await["openid"], *person.openid);
}

#[tokio::test]
async fn a_lost_answer_is_no_lost_login() {
    let stack = Plan::default().sites(2).start().await;
    let (mut visitor, key) = confirmed(&stack).await;
    // The clone's answer, with its cookie, never reaches the visitor.
    let mut lost = visitor.clone();
    assert_eq!(lost.call(Method::POST, COMPLETE).await.status, 200);
    attempt_record::set_time(&stack, &key, "redeemed_at_ms", -50_000).await;
    visitor.move_to(&stack.sites[1].public);
    visitor.complete().await;
    let session = &visitor.cookies()["wechat-session"].clone();
    assert_eq!(lost.cookies()["wechat-session"], *session);
    assert_eq!(attempt_record::sessions(&stack).await.len(), 1);
    assert!(visitor.session().await.is_some());
}

#[tokio::test]
async fn after_a_minute_a_repeat_is_refused() {
    let stack = Plan::default().start().await;
    let (mut visitor, key) = confirmed(&stack).await;
    visitor.complete().await;
    attempt_record::set_time(&stack, &key, "redeemed_at_ms", -61_000).await;
    let answer = visitor.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 410, "login_consumed");
    assert!(visitor.session().await.is_some(), "the session stays");
}

#[tokio::test]
async fn ten_completions_at_once_are_one_session() {
    let stack = Plan::default().sites(2).start().await;
    let (visitor, _) = confirmed(&stack).await;
    let mut tasks = JoinSet::new();
    for number in 0..10 {
        let mut tab = visitor.clone();
        tab.move_to(&stack.sites[number % 2].public);
        tasks.spawn(async move {
            tab.complete().await;
            tab.cookies()["wechat-session"].clone()
        });
    }
    let sessions: BTreeSet<String> = tasks.join_all().await.into_iter().collect();
    assert_eq!(sessions.len(), 1);
    assert_eq!(attempt_record::sessions(&stack).await.len(), 1);
}

#[tokio::test]
async fn every_login_is_a_fresh_session() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let planted = "A".repeat(43);
    let cookie = ("wechat-session".to_owned(), planted.clone());
    visitor.cookies().extend([cookie]);
    let mut seen = BTreeSet::from([planted.clone()]);
    for _ in 0..3 {
        let content = visitor.start_login().await;
        stack.wechat.scan(&person, &content).await;
        visitor.complete().await;
        assert!(seen.insert(visitor.cookies()["wechat-session"].clone()));
        assert!(visitor.session().await.is_some());
    }
    let mut attacker = stack.visitor();
    let cookie = ("wechat-session".to_owned(), planted);
    attacker.cookies().extend([cookie]);
    assert!(attacker.session().await.is_none());
}

#[tokio::test]
async fn a_scan_in_the_last_second_leaves_a_minute_to_complete() {
    let plan = Plan::default().site("SITE__LOGIN__TTL_SECONDS", "2");
    let stack = plan.start().await;
    let (mut visitor, key) = confirmed(&stack).await;
    let left: i64 = stack.redis.command(&["PTTL", &key]).await;
    assert!(left > 30_000, "{left} ms");
    visitor.complete().await;
}

#[tokio::test]
async fn only_the_first_person_to_scan_logs_in() {
    let stack = Plan::default().start().await;
    let first = stack.wechat.person("小林", true).await;
    let second = stack.wechat.person("小王", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&first, &content).await;
    stack.wechat.scan(&second, &content).await;
    assert_eq!(visitor.complete().await["openid"], *first.openid);
    let chat = stack.wechat.chat(&second).await;
    assert!(
        chat.last()
            .is_some_and(|words| words.contains("已被别人使用")),
        "{chat:?}"
    );
}
