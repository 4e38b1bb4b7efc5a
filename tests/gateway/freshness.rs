//! When a push must have happened, and been signed, for anything to come of it.

use jiff::Timestamp;
use login_protocol::attempt::AttemptStatus;
use serde_json::json;
use system_tests::{
    attempts::{self, new_openid},
    stack::Plan,
};
use wechat_wire::push::PushBody;

use crate::{
    http,
    push_request::{PushRequest, ago, assert_acknowledged, plain_reply, scan, sealed_reply},
};

const AN_HOUR: i64 = 3600;

#[tokio::test]
async fn an_old_push_stays_old_when_its_timestamp_and_nonce_trade_places() {
    let now = Timestamp::now().as_second();
    // WeChat's nonces are numbers of up to ten digits: one of many looks like a second that is yet
    // to come.
    let (signed_at, nonce) = ((now - AN_HOUR).to_string(), now.to_string());
    for plan in [Plan::default(), Plan::default().plain()] {
        let stack = http::start(plan.clone()).await;
        let (gateway, store) = (&stack.gateways[0], stack.redis.store());
        let scene = attempts::open(&store).await;
        let person = new_openid();
        let event = PushBody::scan(scene.as_str(), "a ticket");
        let event = ago(AN_HOUR, &person, event);
        let recorded = if stack.is_encrypted() {
            PushRequest::safe(&event)
        } else {
            PushRequest::plain(&event)
        };
        let recorded = recorded.signed_at(&signed_at, &nonce);
        recorded.is_refused(gateway, 403, "an hour later").await;
        let swapped = recorded.with("timestamp", &nonce).with("nonce", &signed_at);
        assert_acknowledged(&swapped.send(gateway).await);
        assert_eq!(
            attempts::status(&store, &scene).await,
            AttemptStatus::Pending
        );
        let member = http::get(gateway, &format!("/v1/members/{person}")).await;
        assert_eq!(member.status, 404);
        let counted =
            "wechat_pushes_total{event=\"ignored\",outcome=\"stale\",account=\"default\"} 1";
        let figures = http::figures(gateway).await;
        assert!(figures.contains(counted), "{figures}");
    }
}

#[tokio::test]
async fn a_timestamp_is_written_as_wechat_writes_it() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let (scene, person) = (attempts::open(&store).await, new_openid());
    let push = PushRequest::plain(&scan(&person, &scene));
    let now = Timestamp::now().as_second();
    // The signature covers timestamp and nonce as one row of characters, so that the border between
    // them can be moved: a nonce may lend a timestamp the zeros at its end.
    for odd in [
        format!("0{now}"),
        format!("+{now}"),
        format!("{now} "),
        format!("{now}.0"),
    ] {
        let odd_push = push.clone().signed_at(&odd, "42");
        odd_push.is_refused(gateway, 403, &odd).await;
    }
    let good = push.signed_at(&now.to_string(), "42");
    plain_reply(&good.send(gateway).await, &person);
}

#[tokio::test]
async fn an_event_of_the_last_minutes_logs_in_whatever_the_clocks_say() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    for seconds in [290, 60, 0, -60, -290] {
        let (scene, person) = (attempts::open(&store).await, new_openid());
        let event = ago(seconds, &person, PushBody::scan(scene.as_str(), "a ticket"));
        let words = sealed_reply(&PushRequest::safe(&event).send(gateway).await, &person);
        assert!(words.contains("已登录"), "{seconds}: {words}");
        assert_eq!(attempts::owner(&store, &scene).await, person);
    }
}

#[tokio::test]
async fn an_event_of_the_far_future_outdates_none_that_follows() {
    let stack = http::start(Plan::default().plain()).await;
    let (gateway, person) = (&stack.gateways[0], new_openid());
    let follow = ago(
        -365 * 24 * AN_HOUR,
        &person,
        PushBody::subscribe_without_code(),
    );
    assert_acknowledged(&PushRequest::plain(&follow).send(gateway).await);
    let path = format!("/v1/members/{person}");
    assert_eq!(http::get(gateway, &path).await.status, 404);
    for (body, subscribed) in [
        (PushBody::subscribe_without_code(), true),
        (PushBody::Unsubscribe, false),
    ] {
        let event = ago(i64::from(subscribed), &person, body);
        assert_acknowledged(&PushRequest::plain(&event).send(gateway).await);
        let member = http::get(gateway, &path).await.json;
        assert_eq!(member["subscribed"], json!(subscribed));
    }
}
