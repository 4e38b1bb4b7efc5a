//! Redis fails: the push is answered 503, and logs in when WeChat pushes again.

use login_protocol::attempt::AttemptStatus;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_openid},
    deadline::eventually,
    redis_server::RedisServer,
    stack::{Plan, Stack},
};
use wechat_wire::push::PushBody;

use crate::{
    http::{self, assert_problem, retry_after},
    push_request::{PushRequest, now, scan, sealed_reply},
};

#[tokio::test]
async fn a_push_is_answered_503_without_redis_and_logs_in_afterwards() {
    let mut stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let push = PushRequest::safe(&scan(&person, &scene));
    stack.redis.kill();
    for _ in 0..2 {
        push.is_refused(&stack.gateways[0], 503, "Redis is gone")
            .await;
    }
    let unfollow = PushRequest::safe(&now(&person, PushBody::Unsubscribe));
    unfollow
        .is_refused(&stack.gateways[0], 503, "an unfollow can't be lost either")
        .await;
    stack.redis.restart().await;
    let words = sealed_reply(&push.send(&stack.gateways[0]).await, &person);
    assert!(words.contains("您已登录"), "{words}");
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn a_push_that_arrives_while_redis_restarts_logs_in_with_its_first_delivery() {
    let mut stack = http::start(Plan::default().gateway("GATEWAY__LOG__LEVEL", "debug")).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let push = PushRequest::safe(&scan(&person, &scene));
    stack.redis.kill();
    let gateway = &mut stack.gateways[0];
    let public = gateway.public.clone();
    let sent = tokio::spawn(async move { push.send_to(&public).await });
    gateway.process.line_with("a push isn't stored yet").await;
    stack.redis.restart().await;
    let answer = sent.await.expect("it is answered");
    let words = sealed_reply(&answer, &person);
    assert!(words.contains("您已登录"), "{words}");
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

/// What WeChat did with the push of a scan that happened while Redis was away until its first
/// delivery was answered 503.
async fn scanned_over_an_outage(stack: &mut Stack) -> Value {
    let store = stack.redis.store();
    let follower = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let body = json!({ "scene": scene.as_str(), "ttl_seconds": 300 });
    let code = http::post(&stack.gateways[0], "/v1/qrcodes", &body).await;
    stack.redis.kill();

    let path = format!("/simulator/people/{}/scan", follower.id);
    let scanned = json!({ "code": code.json["content"] });
    let sent = stack.wechat.control(Method::POST, &path, scanned).await;
    let id = sent["delivery_id"].as_str().expect("it was pushed");
    let path = format!("/simulator/deliveries/{id}");
    eventually("the gateway answers 503", async || {
        let delivery = stack.wechat.control(Method::GET, &path, Value::Null).await;
        (delivery["attempts"][0]["status"] == 503).then_some(())
    })
    .await;
    stack.redis.restart().await;
    let delivery = eventually("the push is answered", async || {
        let delivery = stack.wechat.control(Method::GET, &path, Value::Null).await;
        assert_ne!(delivery["outcome"], "service_fault", "{delivery}");
        (delivery["outcome"] == "answered").then_some(delivery)
    })
    .await;
    assert_eq!(attempts::owner(&store, &scene).await, follower.openid);
    let chat = stack.wechat.chat(&follower).await;
    assert_eq!(chat.len(), 1, "{chat:?}");
    assert!(chat[0].contains("您已登录"), "{chat:?}");
    let figures = http::figures(&stack.gateways[0]).await;
    let once = "wechat_pushes_total{event=\"scan\",outcome=\"accepted\",account=\"default\"} 1\n";
    assert!(figures.contains(once), "{figures}");
    delivery
}

#[tokio::test]
async fn wechats_retries_carry_a_login_over_an_outage() {
    let plan = Plan::default()
        .simulator("SIMULATOR__PUSH__DELIVERIES", "200")
        .simulator("SIMULATOR__PUSH__INTERVAL_MS", "100");
    let mut stack = http::start(plan).await;
    scanned_over_an_outage(&mut stack).await;
}

#[tokio::test]
async fn wechats_rapid_retries_with_one_nonce_carry_it_over_too() {
    let mut stack = http::start(Plan::default()).await;
    stack
        .wechat
        .settings(json!({ "rapid_retries": true }))
        .await;
    let delivery = scanned_over_an_outage(&mut stack).await;
    let attempts = delivery["attempts"].as_array().expect("a list");
    let (last, before) = attempts.split_last().expect("it was delivered");
    assert_eq!(last["status"], 200);
    assert!((1..=3).contains(&before.len()), "{delivery}");
    assert!(before.iter().all(|one| one["status"] == 503), "{delivery}");
}

/// Makes Redis answer reads and refuse writes.
async fn refuse_writes(redis: &RedisServer, key: &str, value: &str) {
    let _: String = redis.command(&["CONFIG", "SET", key, value]).await;
}

#[tokio::test]
async fn a_push_whose_write_is_refused_is_answered_503_and_logs_in_afterwards() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    for (key, refusing, usual) in [
        // A primary that lost its replicas.
        ("min-replicas-to-write", "1", "0"),
        // A Redis that is full.
        ("maxmemory", "1", "0"),
    ] {
        let scene = attempts::open(&store).await;
        let person = new_openid();
        let push = PushRequest::safe(&scan(&person, &scene));
        refuse_writes(&stack.redis, key, refusing).await;
        push.is_refused(&stack.gateways[0], 503, key).await;
        assert_eq!(
            attempts::status(&store, &scene).await,
            AttemptStatus::Pending,
            "{key}"
        );
        refuse_writes(&stack.redis, key, usual).await;
        let words = sealed_reply(&push.send(&stack.gateways[0]).await, &person);
        assert!(words.contains("您已登录"), "{key}: {words}");
        assert_eq!(attempts::owner(&store, &scene).await, person);
    }
}

#[tokio::test]
async fn a_push_is_answered_in_time_while_redis_hangs() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let push = PushRequest::safe(&scan(&person, &scene));
    stack.redis.process.signal(Signal::STOP);
    let began = std::time::Instant::now();
    push.is_refused(&stack.gateways[0], 503, "Redis hangs")
        .await;
    let took = began.elapsed();
    stack.redis.process.signal(Signal::CONT);
    assert!(took.as_secs_f32() < 5.0, "WeChat has gone: {took:?}");
    sealed_reply(&push.send(&stack.gateways[0]).await, &person);
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn readiness_follows_redis() {
    let mut stack = http::start(Plan::default()).await;
    assert_eq!(http::get(&stack.gateways[0], "/readyz").await.status, 200);
    stack.redis.kill();
    let answer = http::get(&stack.gateways[0], "/readyz").await;
    assert_problem(&answer, 503, "store_unavailable");
    let alive = http::get(&stack.gateways[0], "/healthz").await;
    assert_eq!(alive.status, 200, "a restart wouldn't help");
    stack.redis.restart().await;
    assert_eq!(http::get(&stack.gateways[0], "/readyz").await.status, 200);
}

#[tokio::test]
async fn without_redis_the_internal_api_says_so_or_does_without() {
    let mut stack = http::start(Plan::default()).await;
    stack.redis.kill();
    let gateway = &stack.gateways[0];
    let member = http::get(gateway, &format!("/v1/members/{}", new_openid())).await;
    assert_problem(&member, 503, "store_unavailable");
    assert!(retry_after(&member) > 0);

    // The token is in memory, and a code is WeChat's.
    assert_eq!(http::get(gateway, "/v1/access-token").await.status, 200);
    let body = json!({ "scene": attempts::new_scene().as_str(), "ttl_seconds": 300 });
    assert_eq!(http::post(gateway, "/v1/qrcodes", &body).await.status, 201);

    // Even a refused token can be replaced: only the sharing fails.
    stack
        .wechat
        .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
        .await;
    assert_eq!(http::post(gateway, "/v1/qrcodes", &body).await.status, 201);
}
