//! Events where something comes twice, late, or in between.

use jiff::{SignedDuration, Timestamp};
use login_protocol::{event::Position, steps::TrimEvents};
use reqwest::Method;
use serde_json::Value;
use system_tests::{
    attempts::{self, new_openid},
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Visitor,
};
use wechat_wire::push::PushBody;

use crate::{
    bans::scene,
    events::{count, events, reasons, told},
    http::{self, assert_problem},
    push_request::{PushRequest, ago},
    web_authorizations,
};

const COMPLETE: &str = "/api/login/complete";
const TICKET_ALONE: &str = "/api/login/complete?session=none";
const KEY: &str = "a-key-for-the-shops-backend-0123456789";

async fn confirmed(stack: &Stack, person: &Person) -> Visitor {
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(person, &content).await;
    visitor.status_becomes("confirmed").await;
    visitor
}

async fn signed_in(stack: &Stack, person: &Person) -> Visitor {
    let mut visitor = confirmed(stack, person).await;
    visitor.complete().await;
    visitor
}

/// Everything is so old that repeats of it aren't recognised any more.
async fn forget_occasions(stack: &Stack) {
    let trim = TrimEvents {
        oldest: Position::BEGINNING,
        oldest_repeat: Position::at(Timestamp::now() + SignedDuration::from_hours(1)),
    };
    let store = stack.redis.store();
    while store.run(&trim).await.expect("Redis runs") > 0 {}
}

async fn kinds(stack: &Stack) -> Vec<String> {
    let events = events(&stack.gateways[0], "").await;
    let kinds = told(&events).into_iter().map(|(kind, _)| kind.to_owned());
    kinds.collect()
}

/// Redis knows the first script of a completion and not all others, so that what was done until
/// there is done twice.
#[tokio::test]
async fn a_refused_login_that_redis_was_asked_for_twice_is_not_told() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut elsewhere = signed_in(&stack, &person).await;
    let mut browser = confirmed(&stack, &person).await;
    let _: String = stack.redis.command(&["SCRIPT", "FLUSH"]).await;
    // Tells that the session ends.
    let answer = elsewhere.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(answer.status, 204);
    let refused = browser.call(Method::POST, COMPLETE).await;
    assert_problem(&refused, 410, "login_expired");
    let events = events(&stack.gateways[0], "").await;
    assert_eq!(count(&events, "login.completed", &person.openid), 1);
    assert_eq!(count(&events, "session.ended", &person.openid), 1);
}

#[tokio::test]
async fn a_login_that_was_refused_and_then_let_in_is_told() {
    let plan = Plan::default()
        .site("SITE__LOGIN__REQUIRE_FOLLOWING", "true")
        .site("SITE__INTERNAL__API_KEY", KEY);
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = confirmed(&stack, &person).await;
    stack.wechat.unfollow(&person).await;
    for _ in 0..2 {
        let refused = browser.call(Method::POST, TICKET_ALONE).await;
        assert_problem(&refused, 403, "following_required");
        let events = events(&stack.gateways[0], "").await;
        assert_eq!(count(&events, "login.completed", &person.openid), 0);
    }
    stack.wechat.follow(&person).await;
    for _ in 0..2 {
        let answer = browser.call(Method::POST, TICKET_ALONE).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let events = events(&stack.gateways[0], "").await;
        assert_eq!(count(&events, "login.completed", &person.openid), 1);
    }
}

/// A day later, too: nothing is left of them that could end once more.
#[tokio::test]
async fn sessions_that_ended_together_end_once() {
    let plan = Plan::default().site("SITE__SESSION__END_ON_UNFOLLOW", "true");
    let stack = plan.start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let mut here = signed_in(&stack, &person).await;
    let mut there = signed_in(&stack, &person).await;
    let answer = here.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(answer.status, 204);
    let mut left = signed_in(&stack, &person).await;
    stack.wechat.unfollow(&person).await;
    assert_eq!(left.session().await, None);
    forget_occasions(&stack).await;
    for browser in [&mut there, &mut left] {
        let answer = browser.call(Method::DELETE, "/api/session").await;
        assert_eq!(answer.status, 204);
    }
    let told = events(gateway, "").await;
    assert_eq!(reasons(&told), ["signed_out", "signed_out", "unfollowed"]);
}

#[tokio::test]
async fn a_completed_login_is_not_denied_too() {
    let stack = Plan::default().start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = confirmed(&stack, &person).await;
    let content = scene(&mut visitor);
    visitor.complete().await;
    let path = format!("/v1/members/{}/ban", person.openid);
    let answer = http::send(http::internal(gateway, Method::PUT, &path)).await;
    assert_eq!(answer.status, 204);
    let again = ago(
        0,
        &person.openid,
        PushBody::scan(content.as_str(), "a ticket"),
    );
    PushRequest::safe(&again).send(gateway).await;
    let refused = visitor.call(Method::POST, COMPLETE).await;
    assert_problem(&refused, 403, "banned");
    let events = events(gateway, "").await;
    assert_eq!(count(&events, "login.completed", &person.openid), 1);
    assert_eq!(count(&events, "login.denied", &person.openid), 0);
    assert_eq!(reasons(&events), ["banned"]);
}

/// Without the push that tells of an unfollow, the next login inside WeChat does.
#[tokio::test]
async fn an_unfollow_that_a_visit_tells_of_counts_once() {
    let plan = Plan::default().site("SITE__SESSION__END_ON_UNFOLLOW", "true");
    let stack = plan.start().await;
    let gateway = &stack.gateways[0];
    // WeChat says that they don't follow; a push says that they did.
    let person = stack.wechat.person("小林", false).await;
    let mut before = stack.visitor();
    before.start_login().await;
    let attempt = scene(&mut before);
    let followed = PushBody::subscribe_with_code(attempt.as_str(), "a ticket");
    PushRequest::safe(&ago(30, &person.openid, followed))
        .send(gateway)
        .await;
    before.complete().await;
    assert!(before.session().await.is_some());

    let mut inside = stack.visitor();
    inside.start_login().await;
    let attempt = scene(&mut inside);
    let code = web_authorizations::code(&stack, &person, &attempt).await;
    let answer = web_authorizations::complete(gateway, &attempt, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(before.session().await, None);
    inside.complete().await;
    assert!(inside.session().await.is_some(), "it began afterwards");

    // The push comes late.
    let unfollowed = ago(20, &person.openid, PushBody::Unsubscribe);
    for _ in 0..2 {
        PushRequest::safe(&unfollowed).send(gateway).await;
    }
    assert!(inside.session().await.is_some());
    let expected = [
        "member.followed",
        "login.completed",
        "member.unfollowed",
        "session.ended",
        "login.completed",
    ];
    assert_eq!(kinds(&stack).await, expected);
    let events = events(gateway, "").await;
    assert_eq!(reasons(&events), ["unfollowed"]);
}

#[tokio::test]
async fn who_was_erased_and_comes_back_inside_wechat_is_told_as_a_follower() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let store = stack.redis.store();
    for _ in 0..2 {
        let attempt = attempts::open(&store).await;
        let code = web_authorizations::code(&stack, &person, &attempt).await;
        let answer = web_authorizations::complete(gateway, &attempt, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let events = events(gateway, "").await;
        let of_them: Vec<Value> = events
            .into_iter()
            .filter(|event| event["data"]["openid"] == person.openid)
            .collect();
        assert_eq!(count(&of_them, "member.followed", &person.openid), 1);
        let path = format!("/v1/members/{}", person.openid);
        let answer = http::send(http::internal(gateway, Method::DELETE, &path)).await;
        assert_eq!(answer.status, 204);
    }
}

/// What is told of the owner's asking comes after what they ask for.
#[tokio::test]
async fn asking_for_events_again_is_not_sent_again_itself() {
    let plan = Plan::default()
        .gateway("GATEWAY__WEBHOOK__CRM__URL", "http://127.0.0.1:9/")
        .gateway(
            "GATEWAY__WEBHOOK__CRM__SECRET",
            system_tests::webhook_receiver::SECRET,
        )
        .gateway("GATEWAY__WEBHOOK__CRM__EVENTS", "owner.acted");
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let follow = ago(0, &new_openid(), PushBody::subscribe_without_code());
    PushRequest::safe(&follow).send(gateway).await;
    for count in 0..2 {
        let since = serde_json::json!({ "since": "2026-01-01T00:00:00Z" });
        let answer = http::post(gateway, "/v1/webhooks/crm/redeliver", &since).await;
        assert_eq!(answer.json["count"], Value::from(count), "{}", answer.text);
    }
}
