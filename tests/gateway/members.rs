//! `GET /v1/members/{openid}`.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::Value;
use system_tests::{
    attempts::{self, new_openid},
    stack::{Plan, Service},
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

async fn listed(gateway: &Service, query: &str) -> (Vec<String>, Option<String>) {
    let answer = http::get(gateway, &format!("/v1/members?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let members = answer.json["members"].as_array().expect("a list");
    let openids = members.iter().map(|member| {
        let openid = member["openid"].as_str();
        openid.expect("an openid").to_owned()
    });
    let next = answer.json["next_cursor"].as_str().map(str::to_owned);
    (openids.collect(), next)
}

#[tokio::test]
async fn members_are_listed_newest_first_page_by_page_and_exported() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let people: Vec<String> = (0..5).map(|_| new_openid().as_str().to_owned()).collect();
    for (age, openid) in people.iter().enumerate() {
        let age = i64::try_from(age).expect("it is small");
        PushRequest::safe(&ago(100 + age, openid, PushBody::subscribe_without_code()))
            .send(gateway)
            .await;
    }
    PushRequest::safe(&ago(10, &people[1], PushBody::Unsubscribe))
        .send(gateway)
        .await;
    assert_eq!(listed(gateway, "").await, (people.clone(), None));
    assert_eq!(listed(gateway, "limit=5").await.1, None);
    let (first, next) = listed(gateway, "limit=2").await;
    assert_eq!(first, people[..2]);
    let next = next.expect("there are more");
    let (second, next) = listed(gateway, &format!("limit=2&cursor={next}")).await;
    assert_eq!(second, people[2..4]);
    let next = next.expect("there is one more");
    let last = listed(gateway, &format!("limit=2&cursor={next}")).await;
    assert_eq!(last, (people[4..].to_vec(), None));
    assert_eq!(listed(gateway, "subscribed=false").await.0, people[1..2]);
    assert_eq!(listed(gateway, "subscribed=true").await.0.len(), 4);
    for (query, status, code) in [
        ("limit=0", 400, "invalid_request"),
        ("limit=1001", 400, "invalid_request"),
        ("cursor=nonsense", 400, "invalid_request"),
        ("subscribed=perhaps", 400, "invalid_request"),
        ("account=nobody", 404, "unknown_account"),
    ] {
        let answer = http::get(gateway, &format!("/v1/members?{query}")).await;
        assert_problem(&answer, status, code);
    }
    let exported = http::get(gateway, "/v1/members/export").await;
    assert_eq!(
        http::header(&exported, "content-type"),
        "application/x-ndjson"
    );
    let lines: Vec<Value> = exported
        .text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let openids: Vec<&str> = lines
        .iter()
        .map(|line| line["openid"].as_str().expect("an openid"))
        .collect();
    assert_eq!(openids, people);
}

#[tokio::test]
async fn nothing_is_left_of_who_was_erased() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let (erased, other) = (new_openid(), new_openid());
    let store = stack.redis.store();
    for openid in [erased.as_str(), other.as_str()] {
        let scene = attempts::open(&store).await;
        PushRequest::safe(&scan(openid, &scene)).send(gateway).await;
    }
    let path = format!("/v1/members/{}", erased.as_str());
    let sub = http::get(gateway, &path).await.json["sub"].clone();
    assert!(sub.is_string(), "{sub}");
    let erase = async || http::send(http::internal(gateway, Method::DELETE, &path)).await;
    assert_eq!(erase().await.status, 204);
    assert_problem(&erase().await, 404, "unknown_member");
    assert_problem(&http::get(gateway, &path).await, 404, "unknown_member");
    assert_eq!(listed(gateway, "").await.0, [other.as_str()]);
    let told = http::get(gateway, "/v1/events").await;
    assert!(!told.text.contains(erased.as_str()), "{}", told.text);
    assert!(told.text.contains(other.as_str()), "{}", told.text);
    // Whoever comes back is somebody else.
    let scene = attempts::open(&store).await;
    PushRequest::safe(&scan(erased.as_str(), &scene))
        .send(gateway)
        .await;
    let again = http::get(gateway, &path).await.json["sub"].clone();
    assert!(again.is_string() && again != sub, "{again}");
}

#[tokio::test]
async fn who_is_banned_is_told_so_and_logs_in_nowhere() {
    let stack = Plan::default().start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let mut signed_in = stack.visitor();
    let content = signed_in.start_login().await;
    let mut events = signed_in.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    // They were banned before their browser could complete.
    let path = format!("/v1/members/{}/ban", person.openid);
    let ask = async |method| http::send(http::internal(gateway, method, &path)).await;
    assert_eq!(ask(Method::PUT).await.status, 204);
    assert_eq!(ask(Method::PUT).await.status, 204);
    let refused = signed_in.call(Method::POST, "/api/login/complete").await;
    assert_problem(&refused, 403, "banned");
    let member = http::get(gateway, &format!("/v1/members/{}", person.openid)).await;
    assert_eq!(member.json["banned"], true);
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("denied"));
    assert_eq!(ask(Method::DELETE).await.status, 204);
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    visitor.complete().await;
}
