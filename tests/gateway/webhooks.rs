//! Webhooks: every event reaches every receiver that is to get it, signed and in order.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use system_tests::{
    attempts::new_openid,
    deadline::eventually,
    stack::{Plan, Service, Stack},
    webhook_receiver::{Delivery, Receiver, Reply, SECRET},
};
use wechat_wire::push::PushBody;

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, ago},
};

/// By the contract, another gateway goes on within 15 seconds.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(15);

fn with_webhook(plan: Plan, name: &str, url: &str) -> Plan {
    plan.gateway(&format!("GATEWAY__WEBHOOK__{name}__URL"), url)
        .gateway(&format!("GATEWAY__WEBHOOK__{name}__SECRET"), SECRET)
}

fn telling(receiver: &Receiver) -> Plan {
    with_webhook(Plan::default(), "CRM", &receiver.url())
}

async fn follow(gateway: &Service, openid: &str) {
    PushRequest::safe(&ago(2, openid, PushBody::subscribe_without_code()))
        .send(gateway)
        .await;
}

async fn leave(gateway: &Service, openid: &str) {
    PushRequest::safe(&ago(1, openid, PushBody::Unsubscribe))
        .send(gateway)
        .await;
}

async fn webhooks(gateway: &Service) -> Vec<Value> {
    let answer = http::get(gateway, "/v1/webhooks").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["webhooks"].as_array().expect("a list").clone()
}

/// How far the only receiver is, once that is so.
async fn report(gateway: &Service, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        let report = webhooks(gateway).await.remove(0);
        Some(report).filter(&is_so)
    })
    .await
}

async fn all_delivered(gateway: &Service) -> Value {
    report(gateway, "all is delivered", |report| {
        report["lag_events"] == 0
    })
    .await
}

fn told(deliveries: &[Delivery]) -> Vec<(String, String)> {
    deliveries.iter().map(Delivery::what).collect()
}

fn event(kind: &str, openid: &str) -> (String, String) {
    (kind.to_owned(), openid.to_owned())
}

#[tokio::test]
async fn events_are_posted_signed_and_as_they_are_read() {
    let (all, farewells) = (Receiver::start().await, Receiver::start().await);
    let plan = with_webhook(telling(&all), "NEWS", &farewells.url());
    let plan = plan.gateway(
        "GATEWAY__WEBHOOK__NEWS__EVENTS",
        "member.unfollowed, session.ended",
    );
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let openid = new_openid();
    follow(gateway, openid.as_str()).await;
    leave(gateway, openid.as_str()).await;
    let deliveries = all.first(2).await;
    let expected = [
        event("member.followed", openid.as_str()),
        event("member.unfollowed", openid.as_str()),
    ];
    assert_eq!(told(&deliveries), expected);
    assert_eq!(told(&farewells.first(1).await), expected[1..]);
    let read = http::get(gateway, "/v1/events").await.json;
    let posted: Vec<&Value> = deliveries.iter().map(|posted| &posted.event).collect();
    assert_eq!(json!({ "events": posted }), read);
    for delivery in &deliveries {
        assert_eq!(delivery.path, "/hook?key=1");
        assert_eq!(delivery.headers["content-type"], "application/json");
    }
    let reports = eventually("both are told", async || {
        let reports = webhooks(gateway).await;
        let told = reports.iter().all(|report| report["lag_events"] == 0);
        told.then_some(reports)
    })
    .await;
    let report = |name: &str| {
        json!({
            "name": name,
            "lag_events": 0,
            "lag_seconds": 0,
            "failures": 0,
            "dead_letters": 0,
            "switched_off_at": null,
        })
    };
    assert_eq!(reports, [report("crm"), report("news")]);
    assert_eq!(all.deliveries().len(), 2);
    assert_eq!(farewells.deliveries().len(), 1);
}

#[tokio::test]
async fn a_failure_holds_up_its_person_and_nobody_else() {
    let receiver = Receiver::start().await;
    let (first, second) = (new_openid(), new_openid());
    let unlucky = first.as_str().to_owned();
    let failed = std::sync::atomic::AtomicBool::new(false);
    receiver.answer(move |delivery| {
        let is_theirs = delivery.what().1 == unlucky;
        if is_theirs && !failed.swap(true, std::sync::atomic::Ordering::Relaxed) {
            Reply::Status(503)
        } else {
            Reply::Status(200)
        }
    });
    let stack = http::start(telling(&receiver)).await;
    let gateway = &stack.gateways[0];
    follow(gateway, first.as_str()).await;
    receiver.first(1).await;
    let waiting = report(gateway, "the failure is told", |report| {
        report["failures"] == 1
    })
    .await;
    assert_eq!(waiting["lag_events"], 1);
    leave(gateway, first.as_str()).await;
    follow(gateway, second.as_str()).await;
    let deliveries = receiver.first(4).await;
    let expected = [
        event("member.followed", first.as_str()),
        event("member.followed", second.as_str()),
        event("member.followed", first.as_str()),
        event("member.unfollowed", first.as_str()),
    ];
    assert_eq!(told(&deliveries), expected);
    assert_eq!(deliveries[0].id(), deliveries[2].id());
    let wait = deliveries[2].at.duration_since(deliveries[0].at);
    assert!(wait >= Duration::from_secs(5), "{wait:?}");
    let report = all_delivered(gateway).await;
    assert_eq!(report["failures"], 1);
}

#[tokio::test]
async fn a_receiver_that_hangs_touches_no_other() {
    let (hanging, other) = (Receiver::start().await, Receiver::start().await);
    hanging.answer(|_| Reply::Never);
    let plan = with_webhook(telling(&hanging), "OTHER", &other.url());
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let openids: Vec<_> = (0..50).map(|_| new_openid()).collect();
    for openid in &openids {
        follow(gateway, openid.as_str()).await;
    }
    let deliveries = other.first(openids.len()).await;
    let last = deliveries.last().expect("there are some").at;
    let hung = hanging.deliveries();
    assert!(!hung.is_empty());
    // By then the hanging one hasn't even failed.
    assert!(last.duration_since(hung[0].at) < Duration::from_secs(10));
    let failing = report(gateway, "it took too long", |report| {
        report["failures"].as_u64() > Some(0)
    })
    .await;
    assert_eq!(failing["lag_events"], 50);
    assert!(failing["lag_seconds"].as_u64() >= Some(9), "{failing}");
}

#[tokio::test]
async fn who_answers_410_gets_nothing_until_it_is_asked_for() {
    let receiver = Receiver::start().await;
    receiver.answer(|_| Reply::Status(410));
    let mut stack = http::start(telling(&receiver)).await;
    let gateway = &stack.gateways[0];
    let (first, second) = (new_openid(), new_openid());
    follow(gateway, first.as_str()).await;
    let off = report(gateway, "it is switched off", |report| {
        report["switched_off_at"].is_string()
    })
    .await;
    assert_eq!(
        (&off["lag_events"], &off["failures"]),
        (&json!(1), &json!(0))
    );
    receiver.answer(|_| Reply::Status(204));
    follow(gateway, second.as_str()).await;
    let events = http::get(gateway, "/v1/events").await.json;
    let id = events["events"][0]["id"].clone();
    assert_eq!(receiver.deliveries().len(), 1);
    let path = "/v1/webhooks/crm/redeliver";
    let answer = http::post(gateway, path, &json!({ "id": id })).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json),
        (202, json!({ "count": 1 }))
    );
    let deliveries = receiver.first(3).await;
    let ids: BTreeSet<&str> = deliveries[1..].iter().map(Delivery::id).collect();
    assert_eq!(ids.len(), 2);
    let on = all_delivered(gateway).await;
    assert_eq!(on["switched_off_at"], Value::Null);
    let logs = stack.logs_to_the_end().await;
    assert!(logs.contains("answered 410 and is switched off"), "{logs}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let to = elsewhere.url();
    receiver.answer(move |_| Reply::Redirect(to.clone()));
    let stack = http::start(telling(&receiver)).await;
    let gateway = &stack.gateways[0];
    follow(gateway, new_openid().as_str()).await;
    report(gateway, "it is a failure", |report| report["failures"] == 1).await;
    assert_eq!(elsewhere.deliveries().len(), 0);
}

/// Which gateway delivers.
async fn holder(stack: &Stack) -> String {
    let words = ["HGET", "wechat-login:webhook:{crm}", "holder"];
    stack.redis.command(&words).await
}

#[tokio::test]
async fn when_a_gateway_dies_another_one_goes_on() {
    let receiver = Receiver::start().await;
    let mut stack = http::start(telling(&receiver).gateways(2)).await;
    let (first, second) = (new_openid(), new_openid());
    follow(&stack.gateways[0], first.as_str()).await;
    receiver.first(1).await;
    all_delivered(&stack.gateways[1]).await;
    let before = holder(&stack).await;
    // It was there first, so it delivers.
    stack.gateways[0].process.kill();
    let dead = Instant::now();
    follow(&stack.gateways[1], second.as_str()).await;
    let deliveries = receiver.first(2).await;
    assert!(dead.elapsed() < TAKEN_OVER_WITHIN, "{:?}", dead.elapsed());
    assert_ne!(holder(&stack).await, before);
    all_delivered(&stack.gateways[1]).await;
    assert_eq!(deliveries.len(), 2);
}

#[tokio::test]
async fn a_gateway_that_stops_hands_over_and_finishes_what_it_sends() {
    let receiver = Receiver::start().await;
    let mut stack = http::start(telling(&receiver).gateways(2)).await;
    let (first, second) = (new_openid(), new_openid());
    follow(&stack.gateways[0], first.as_str()).await;
    receiver.first(1).await;
    stack.gateways[0].process.stop().await;
    let stopped = Instant::now();
    follow(&stack.gateways[1], second.as_str()).await;
    receiver.first(2).await;
    // Sooner than a dead one would be noticed.
    assert!(stopped.elapsed() < Duration::from_secs(8));
    all_delivered(&stack.gateways[1]).await;
    assert_eq!(receiver.deliveries().len(), 2);
}

async fn redeliver(gateway: &Service, body: &Value) -> (u16, Value) {
    let answer = http::post(gateway, "/v1/webhooks/crm/redeliver", body).await;
    (answer.status.as_u16(), answer.json)
}

#[tokio::test]
async fn events_are_sent_again_on_demand_and_what_cannot_be_is_said() {
    let receiver = Receiver::start().await;
    let stack = http::start(telling(&receiver)).await;
    let gateway = &stack.gateways[0];
    let openids: Vec<_> = (0..3).map(|_| new_openid()).collect();
    for openid in &openids {
        follow(gateway, openid.as_str()).await;
    }
    let deliveries = receiver.first(3).await;
    all_delivered(gateway).await;
    let ids: Vec<&str> = deliveries.iter().map(Delivery::id).collect();
    let answered = redeliver(gateway, &json!({ "id": ids[1] })).await;
    assert_eq!(answered, (202, json!({ "count": 1 })));
    let deliveries = receiver.first(4).await;
    assert_eq!(deliveries[3].id(), ids[1]);
    assert_eq!(deliveries[3].event, deliveries[1].event);
    for (since, count) in [("2026-01-01T00:00:00Z", 3), ("9000-01-01T00:00:00Z", 0)] {
        let answered = redeliver(gateway, &json!({ "since": since })).await;
        assert_eq!(answered, (202, json!({ "count": count })));
    }
    receiver.first(7).await;
    all_delivered(gateway).await;
    assert_eq!(receiver.deliveries().len(), 7);

    let path = "/v1/webhooks/crm/redeliver";
    let wrong = [
        (
            "/v1/webhooks/erp/redeliver",
            json!({ "id": ids[1] }),
            404,
            "unknown_webhook",
        ),
        (
            path,
            json!({ "id": "evt_9999999999999999" }),
            400,
            "unknown_event",
        ),
        (
            path,
            json!({ "id": "evt_1000000000000000" }),
            410,
            "event_gone",
        ),
        (path, json!({}), 400, "invalid_request"),
        (
            path,
            json!({ "id": ids[1], "since": "2026-01-01T00:00:00Z" }),
            400,
            "invalid_request",
        ),
        (
            path,
            json!({ "since": "yesterday" }),
            400,
            "invalid_request",
        ),
    ];
    for (path, body, status, code) in wrong {
        let answer = http::post(gateway, path, &body).await;
        assert_problem(&answer, status, code);
    }
}

#[tokio::test]
async fn who_is_erased_is_not_told_of() {
    let receiver = Receiver::start().await;
    receiver.answer(|_| Reply::Status(500));
    let stack: Stack = http::start(telling(&receiver)).await;
    let gateway = &stack.gateways[0];
    let (erased, other) = (new_openid(), new_openid());
    follow(gateway, erased.as_str()).await;
    leave(gateway, erased.as_str()).await;
    receiver.first(1).await;
    report(gateway, "it failed", |report| report["failures"] == 1).await;
    receiver.answer(|_| Reply::Status(204));
    let path = format!("/v1/members/{}", erased.as_str());
    let request = http::internal(gateway, reqwest::Method::DELETE, &path);
    assert_eq!(http::send(request).await.status, 204);
    follow(gateway, other.as_str()).await;
    let expected = [
        event("member.followed", erased.as_str()),
        event("member.followed", other.as_str()),
    ];
    assert_eq!(told(&receiver.first(2).await), expected);
    all_delivered(gateway).await;
    assert_eq!(told(&receiver.deliveries()), expected);
}

#[tokio::test]
async fn an_event_that_its_receiver_never_took_is_not_lost_silently() {
    let receiver = Receiver::start().await;
    receiver.answer(|_| Reply::Status(500));
    let mut stack = http::start(telling(&receiver)).await;
    let gateway = &stack.gateways[0];
    follow(gateway, new_openid().as_str()).await;
    receiver.first(1).await;
    report(gateway, "it failed", |report| report["failures"] == 1).await;
    // As trimming does.
    let events = "wechat-login:events";
    let trimmed: i64 = stack
        .redis
        .command(&["ZREMRANGEBYSCORE", events, "(0", "+inf"])
        .await;
    assert_eq!(trimmed, 1);
    all_delivered(gateway).await;
    assert_eq!(receiver.deliveries().len(), 1);
    let line = "an event is lost: it got older than events.keep_days";
    let said = stack.gateways[0].process.line_with(line).await;
    assert!(said.contains("ERROR"), "{said}");
}

#[tokio::test]
async fn without_webhooks_there_are_none() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    assert_eq!(webhooks(gateway).await, Vec::<Value>::new());
    let body = json!({ "id": "evt_9999999999999999" });
    let answer = http::post(gateway, "/v1/webhooks/crm/redeliver", &body).await;
    assert_problem(&answer, 404, "unknown_webhook");
    follow(gateway, new_openid().as_str()).await;
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*webhook*"]).await;
    assert_eq!(keys, Vec::<String>::new());
}
