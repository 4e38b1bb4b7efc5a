//! A failover under Redis Sentinel in every phase of a login.

use rustix::process::Signal;
use system_tests::{
    deadline::eventually,
    log_folder,
    redis_sentinel::RedisSentinel,
    stack::{Plan, Stack},
    visitor::Visitor,
};

struct Replicated {
    redis: RedisSentinel,
    stack: Stack,
}

async fn start() -> Replicated {
    let redis = RedisSentinel::start(&log_folder::create()).await;
    // WeChat pushes three times, five seconds apart; here more often and closer together.
    let plan = Plan::default()
        .redis(&redis.url())
        .simulator("SIMULATOR__PUSH__DELIVERIES", "50")
        .simulator("SIMULATOR__PUSH__INTERVAL_MS", "200");
    let stack = plan.start().await;
    Replicated { redis, stack }
}

/// Asks until Redis is back; before that the visitor is told to ask again.
async fn completes(visitor: &mut Visitor) -> String {
    eventually("the login completes", async || {
        let answer = visitor
            .call(reqwest::Method::POST, "/api/login/complete")
            .await;
        match answer.status.as_u16() {
            200 => answer.json["user"]["openid"].as_str().map(str::to_owned),
            503 => None,
            other => panic!("{other}: {}", answer.text),
        }
    })
    .await
}

#[tokio::test]
async fn a_primary_that_dies_before_the_scan() {
    let Replicated { mut redis, stack } = start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    redis.replicated().await;
    redis.primary.kill();
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    assert_eq!(completes(&mut visitor).await, person.openid);
}

#[tokio::test]
async fn a_primary_that_dies_between_the_scan_and_the_session() {
    let Replicated { mut redis, stack } = start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    redis.replicated().await;
    redis.primary.kill();
    assert_eq!(completes(&mut visitor).await, person.openid);
    assert!(visitor.session().await.is_some());
}

#[tokio::test]
async fn a_primary_that_dies_after_the_login() {
    let Replicated { mut redis, stack } = start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    redis.replicated().await;
    redis.primary.kill();
    eventually("the session is still there", async || {
        visitor.session().await
    })
    .await;
    // Repeating the redemption leads to the same session, also at the new primary.
    assert_eq!(completes(&mut visitor).await, person.openid);
}

#[tokio::test]
async fn a_primary_that_hangs_and_wakes_up_after_its_time() {
    let Replicated { redis, stack } = start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    redis.replicated().await;
    redis.primary.process.signal(Signal::STOP);
    eventually("the replica has taken over", async || {
        let role: String = redis.replica.ask(&["INFO", "replication"]).await.ok()?;
        role.contains("role:master").then_some(())
    })
    .await;
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    // It still takes itself for the primary, until the Sentinels tell it otherwise.
    redis.primary.process.signal(Signal::CONT);
    assert_eq!(completes(&mut visitor).await, person.openid);
    assert!(visitor.session().await.is_some());
}
