//! `GET /v1/events`: what happened, once each and in order.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_openid},
    simulator::Person,
    stack::{Plan, Service, Stack},
};
use wechat_wire::push::PushBody;

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, ago, scan},
};

async fn events(gateway: &Service, query: &str) -> Vec<Value> {
    let answer = http::get(gateway, &format!("/v1/events?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["events"]
        .as_array()
        .expect("a list of events")
        .clone()
}

fn told(events: &[Value]) -> Vec<(&str, &str)> {
    let told = events.iter().map(|event| {
        let kind = event["type"].as_str().expect("a type");
        let openid = event["data"]["openid"].as_str().expect("an openid");
        (kind, openid)
    });
    told.collect()
}

async fn log_in(stack: &Stack, person: &Person) {
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut stream = visitor.events().await;
    assert_eq!(stream.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(person, &content).await;
    assert_eq!(stream.next_status().await.as_deref(), Some("confirmed"));
    visitor.complete().await;
}

#[tokio::test]
async fn a_login_and_a_farewell_are_told_in_order() {
    let plan = Plan::default().site("SITE__LOGIN__SITE_NAME", "小林花店");
    let stack = plan.start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    log_in(&stack, &person).await;
    log_in(&stack, &person).await;
    // Whoever reads first has what a login doesn't tell itself filled in, for all.
    let read_before = events(gateway, "").await;
    PushRequest::safe(&ago(0, &person.openid, PushBody::Unsubscribe))
        .send(gateway)
        .await;
    let events = events(gateway, "").await;
    let openid = person.openid.as_str();
    let expected = [
        ("member.followed", openid),
        ("login.completed", openid),
        ("login.completed", openid),
        ("member.unfollowed", openid),
    ];
    assert_eq!(told(&events), expected);
    assert_eq!(events[..3], read_before);
    let data = &events[1]["data"];
    assert_eq!(data["account"], "default");
    assert_eq!(data["method"], "scan");
    assert_eq!(data["site"], "小林花店");
    assert_eq!(data["client"], Value::Null);
    assert!(data["sub"].is_string(), "{data}");
    assert_eq!(data["member"]["nickname"], "小林");
    assert_eq!(data["member"]["sub"], data["sub"]);
    assert_eq!(events[0]["data"]["sub"], data["sub"]);
    assert_eq!(events[0]["data"]["member"]["subscribed"], true);
    let left = &events[3]["data"]["member"];
    assert_eq!(
        (&left["subscribed"], &left["nickname"]),
        (&json!(false), &Value::Null)
    );
}

#[tokio::test]
async fn a_push_that_comes_three_times_is_one_event() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let (follower, leaver) = (new_openid(), new_openid());
    for _ in 0..3 {
        for push in [
            ago(20, follower.as_str(), PushBody::subscribe_without_code()),
            ago(20, leaver.as_str(), PushBody::subscribe_without_code()),
            ago(10, leaver.as_str(), PushBody::Unsubscribe),
        ] {
            PushRequest::safe(&push).send(gateway).await;
        }
    }
    let events = events(gateway, "").await;
    let expected = [
        ("member.followed", follower.as_str()),
        ("member.followed", leaver.as_str()),
        ("member.unfollowed", leaver.as_str()),
    ];
    assert_eq!(told(&events), expected);
}

#[tokio::test]
async fn who_waits_is_told_at_once_and_pages_follow_each_other() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let (first, second) = (new_openid(), new_openid());
    let follow = async |openid: &str| {
        PushRequest::safe(&ago(0, openid, PushBody::subscribe_without_code()))
            .send(gateway)
            .await;
    };
    let begun = Instant::now();
    let (page, ()) = tokio::join!(events(gateway, "wait_seconds=30"), follow(first.as_str()));
    assert_eq!(told(&page), [("member.followed", first.as_str())]);
    assert!(begun.elapsed() < Duration::from_secs(20));
    follow(second.as_str()).await;
    let page = events(gateway, "limit=1").await;
    assert_eq!(told(&page), [("member.followed", first.as_str())]);
    let id = page[0]["id"].as_str().expect("an identifier");
    let page = events(gateway, &format!("after={id}&account=default")).await;
    assert_eq!(told(&page), [("member.followed", second.as_str())]);
    let id = page[0]["id"].as_str().expect("an identifier");
    assert_eq!(
        events(gateway, &format!("after={id}")).await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_said() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let scene = attempts::open(&stack.redis.store()).await;
    PushRequest::safe(&scan(new_openid().as_str(), &scene))
        .send(gateway)
        .await;
    for (query, status, code) in [
        ("after=evt_9999999999999999", 400, "unknown_event"),
        ("after=nothing", 400, "unknown_event"),
        ("after=evt_1000000000000000", 410, "event_gone"),
        ("limit=0", 400, "invalid_request"),
        ("limit=1001", 400, "invalid_request"),
        ("wait_seconds=31", 400, "invalid_request"),
        ("account=nobody", 404, "unknown_account"),
    ] {
        let answer = http::get(gateway, &format!("/v1/events?{query}")).await;
        assert_problem(&answer, status, code);
    }
}
