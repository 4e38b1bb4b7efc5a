//! `GET /v1/events`: what happened, once each and in order.

use std::time::{Duration, Instant};

use login_protocol::{
    account::AccountName,
    event::{EventKind, Happening, LetIn, Occasion},
    steps::{AppendEvent, Appended, BlankEvent, ReadEvent},
};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_openid},
    deadline::eventually,
    simulator::Person,
    stack::{Plan, Service, Stack},
    visitor::Visitor,
};
use wechat_wire::push::PushBody;

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, ago, scan},
};

pub(crate) async fn events(gateway: &Service, query: &str) -> Vec<Value> {
    let answer = http::get(gateway, &format!("/v1/events?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["events"]
        .as_array()
        .expect("a list of events")
        .clone()
}

pub(crate) fn told(events: &[Value]) -> Vec<(&str, &str)> {
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

/// The reasons of ended sessions, in order.
pub(crate) fn reasons(events: &[Value]) -> Vec<&str> {
    let ended = events
        .iter()
        .filter(|event| event["type"] == "session.ended");
    ended
        .map(|event| event["data"]["reason"].as_str().expect("a reason"))
        .collect()
}

#[tokio::test]
async fn each_end_of_a_session_is_told_once_with_its_reason() {
    let plan = Plan::default()
        .site("SITE__SESSION__END_ON_UNFOLLOW", "true")
        .site("SITE__LOGIN__SITE_NAME", "小林花店");
    let stack = plan.start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let openid = person.openid.as_str();
    let log_in = async |visitor: &mut Visitor| {
        let content = visitor.start_login().await;
        stack.wechat.scan(&person, &content).await;
        visitor.complete().await;
    };
    let mut visitor = stack.visitor();
    log_in(&mut visitor).await;
    // In the same browser: the first session ends.
    log_in(&mut visitor).await;
    for _ in 0..2 {
        let answer = visitor.call(Method::DELETE, "/api/session").await;
        assert_eq!(answer.status, 204);
    }
    log_in(&mut visitor).await;
    let path = format!("/v1/members/{openid}/sessions");
    let answer = http::send(http::internal(gateway, Method::DELETE, &path)).await;
    assert_eq!(answer.status, 204);
    let mut visitor = stack.visitor();
    log_in(&mut visitor).await;
    PushRequest::safe(&ago(0, openid, PushBody::Unsubscribe))
        .send(gateway)
        .await;
    let events = events(gateway, "").await;
    let expected = ["replaced", "signed_out", "owner", "unfollowed"];
    assert_eq!(reasons(&events), expected);
    let kinds: Vec<&str> = told(&events).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds[kinds.len() - 2..],
        ["member.unfollowed", "session.ended"]
    );
    let ended = events.iter().find(|event| event["type"] == "session.ended");
    let data = &ended.expect("there are some")["data"];
    assert_eq!(data["site"], "小林花店");
    assert_eq!(data["account"], "default");
    assert!(data["session"].is_string() && data["sub"].is_string());
}

/// How many events of this type there are of somebody.
pub(crate) fn count(events: &[Value], kind: &str, openid: &str) -> usize {
    let told = told(events);
    told.iter().filter(|told| **told == (kind, openid)).count()
}

#[tokio::test]
async fn a_login_that_came_to_nothing_is_not_told_and_ends_nothing() {
    let stack = Plan::default().start().await;
    let gateway = &stack.gateways[0];
    let (person, other) = (
        stack.wechat.person("小林", true).await,
        stack.wechat.person("小王", true).await,
    );
    let mut elsewhere = stack.visitor();
    let content = elsewhere.start_login().await;
    stack.wechat.scan(&person, &content).await;
    elsewhere.complete().await;
    // Somebody else is signed in where the person logs in next.
    let mut browser = stack.visitor();
    let content = browser.start_login().await;
    stack.wechat.scan(&other, &content).await;
    browser.complete().await;
    let content = browser.start_login().await;
    stack.wechat.scan(&person, &content).await;
    browser.status_becomes("confirmed").await;
    let answer = elsewhere.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(answer.status, 204);
    let refused = browser.call(Method::POST, "/api/login/complete").await;
    assert_problem(&refused, 410, "login_expired");
    let still = browser.session().await.expect("the other is signed in");
    assert_eq!(still["openid"], other.openid);
    let events = events(gateway, "").await;
    assert_eq!(count(&events, "login.completed", &person.openid), 1);
    assert_eq!(count(&events, "session.ended", &person.openid), 1);
    assert_eq!(count(&events, "session.ended", &other.openid), 0);
}

#[tokio::test]
async fn a_login_in_doubt_waits_for_whoever_completes_it() {
    let stack = Plan::default().start().await;
    let gateway = &stack.gateways[0];
    let (banned, other) = (new_openid(), new_openid());
    let path = format!("/v1/members/{banned}/ban");
    let answer = http::send(http::internal(gateway, Method::PUT, &path)).await;
    assert_eq!(answer.status, 204);
    let read = events(gateway, "").await;
    let after = read[0]["id"].as_str().expect("an id");
    let store = stack.redis.store();
    let completed = |openid: &str| {
        const KIND: EventKind = EventKind::LoginCompleted;
        let person = attempts::member(openid);
        let happening = Happening::new(KIND, AccountName::default(), &person);
        let let_in = LetIn {
            site: attempts::own_realm().site,
            confirmed_at_ms: 0,
            following: false,
            ends_on_unfollow: false,
        };
        AppendEvent {
            occasion: Occasion::of(KIND, &person, &[]),
            happening: Happening {
                if_let_in: Some(let_in),
                ..happening
            },
            opens: false,
        }
    };
    let Appended::Now(position) = store.run(&completed(&banned)).await.expect("Redis runs") else {
        panic!("it is new");
    };
    store.run(&completed(&other)).await.expect("Redis runs");
    let found = store
        .run(&ReadEvent { position })
        .await
        .expect("Redis runs");
    let found = found.expect("it is there");
    let taken_back = store.run(&BlankEvent { found }).await.expect("Redis runs");
    assert!(taken_back);
    let told_then = events(gateway, &format!("after={after}")).await;
    assert_eq!(told(&told_then), [("login.completed", other.as_str())]);
    // Nobody takes this one back: the ban came later.
    let late = AppendEvent {
        occasion: Occasion::once(EventKind::LoginCompleted, "again"),
        ..completed(&banned)
    };
    store.run(&late).await.expect("Redis runs");
    let after = told_then[0]["id"].as_str().expect("an id");
    let told_late = events(gateway, &format!("after={after}&wait_seconds=30")).await;
    assert_eq!(told(&told_late), [("login.completed", banned.as_str())]);
    assert_eq!(told_late[0]["data"]["member"], Value::Null);
}

#[tokio::test]
async fn somebody_banned_who_follows_and_scans_is_told_as_a_follower_and_as_denied() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let openid = new_openid();
    // Each in a second of its own: WeChat tells no more of the time.
    let pushes = [
        ago(5, &openid, PushBody::subscribe_without_code()),
        ago(3, &openid, PushBody::Unsubscribe),
    ];
    for push in &pushes {
        PushRequest::safe(push).send(gateway).await;
    }
    let path = format!("/v1/members/{openid}/ban");
    let answer = http::send(http::internal(gateway, Method::PUT, &path)).await;
    assert_eq!(answer.status, 204);
    let scene = attempts::open(&stack.redis.store()).await;
    PushRequest::safe(&scan(&openid, &scene))
        .send(gateway)
        .await;
    let events = events(gateway, "").await;
    let kinds: Vec<&str> = told(&events).into_iter().map(|(kind, _)| kind).collect();
    let expected = [
        "member.followed",
        "member.unfollowed",
        "owner.acted",
        "member.followed",
        "login.denied",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_stream_from_before_goes_when_nothing_is_to_be_kept() {
    let stack = http::start(Plan::default()).await;
    let openid = new_openid();
    PushRequest::safe(&ago(1, &openid, PushBody::subscribe_without_code()))
        .send(&stack.gateways[0])
        .await;
    assert_eq!(events(&stack.gateways[0], "").await.len(), 1);
    let plan = Plan::default().redis(&stack.redis.url());
    let _without = http::start(plan.gateway("GATEWAY__EVENTS__KEEP_DAYS", "0")).await;
    eventually("the stream is gone", async || {
        let keys: Vec<String> = stack
            .redis
            .command(&["KEYS", "wechat-login:*events*"])
            .await;
        keys.is_empty().then_some(())
    })
    .await;
}
