//! `GET /v1/members/{openid}`.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use system_tests::{
    attempts::{self, new_openid},
    stack::Plan,
};
use wechat_wire::push::PushBody;

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, ago, scan},
};

#[tokio::test]
async fn a_member_is_told_whole() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&stack.redis.store()).await;
    PushRequest::safe(&ago(
        100,
        &person.openid,
        PushBody::subscribe_without_code(),
    ))
    .send(gateway)
    .await;
    PushRequest::safe(&scan(&person.openid, &scene))
        .send(gateway)
        .await;
    let answer = http::get(gateway, &format!("/v1/members/{}", person.openid)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(http::header(&answer, "cache-control"), "no-store");
    let member = answer.json.as_object().expect("an object");
    let names: Vec<&str> = member.keys().map(String::as_str).collect();
    let mut expected = [
        "sub",
        "openid",
        "unionid",
        "nickname",
        "avatar_url",
        "location",
        "subscribed",
        "first_seen_at",
        "last_seen_at",
        "profile_at",
        "shown_at",
        "banned",
    ];
    expected.sort_unstable();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(member["openid"], person.openid);
    assert!(member["sub"].is_string(), "{}", answer.text);
    assert_eq!(member["nickname"], "小林");
    assert_eq!(member["unionid"], Value::Null);
    assert_eq!(member["location"], "浙江 杭州");
    assert_eq!(member["subscribed"], true);
    let avatar = member["avatar_url"].as_str().unwrap_or_default();
    assert!(avatar.starts_with("http"), "{avatar}");
    let time = |name: &str| -> Timestamp {
        let text = member[name].as_str().expect("a time");
        text.parse().expect("a time of RFC 3339")
    };
    let between = time("last_seen_at").duration_since(time("first_seen_at"));
    let about_100 = SignedDuration::from_secs(100)..=SignedDuration::from_secs(130);
    assert!(about_100.contains(&between), "{between:?}");
    assert_eq!(time("profile_at"), time("last_seen_at"));
    assert_eq!(member["shown_at"], Value::Null, "nobody asked them");
}

#[tokio::test]
async fn a_member_nobody_has_met_is_404() {
    let stack = http::start(Plan::default()).await;
    let unknown = new_openid();
    for openid in [
        unknown.as_str(),
        "o%2F..%2Fx",
        "o%7Bx%7D",
        "%00",
        "%FF",
        "*",
        &"o".repeat(65),
    ] {
        let answer = http::get(&stack.gateways[0], &format!("/v1/members/{openid}")).await;
        assert_problem(&answer, 404, "unknown_member");
        assert!(!answer.text.contains(&unknown), "{}", answer.text);
    }
}
