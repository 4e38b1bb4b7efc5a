//! A replica dies while it handles a request, and so does the request.

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use system_tests::{deadline::eventually, edge::Order, stack::Plan};

use crate::{
    login::{Login, Phase},
    system::System,
};

async fn start() -> System {
    System::start(Plan::default(), false, Order::FirstAlive).await
}

/// Slows the next of these calls down.
async fn slow_down(system: &System, path: &str) {
    let rule = json!([{ "path": path, "times": 1, "kind": "slow", "delay_ms": 1000 }]);
    system.stack.wechat.faults(rule).await;
}

async fn is_called(system: &System, path: &str) {
    eventually("WeChat is asked", async || {
        (system.stack.wechat.calls(path).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_gateway_dies_while_it_handles_a_scan() {
    const USER_INFO: &str = "/cgi-bin/user/info";
    let mut system = start().await;
    let mut login = Login::reach(&system, Phase::CodeShown).await;
    slow_down(&system, USER_INFO).await;
    login.scan_without_waiting(&system).await;
    is_called(&system, USER_INFO).await;
    system.stack.gateways[0].process.kill();
    login.finish(&system).await;
}

#[tokio::test]
async fn a_gateway_dies_while_it_makes_a_code() {
    const CREATE: &str = "/cgi-bin/qrcode/create";
    let mut system = start().await;
    slow_down(&system, CREATE).await;
    let mut visitor = system.visitor();
    let begun = tokio::spawn(async move { visitor.call(Method::POST, "/api/login").await });
    is_called(&system, CREATE).await;
    system.stack.gateways[0].process.kill();
    let answer = begun.await.expect("it is answered");
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.json["code"], "gateway_unavailable");
    assert!(answer.headers.contains_key("retry-after"));
    let login = Login::reach(&system, Phase::BeforeTheCode).await;
    login.finish(&system).await;
}

#[tokio::test]
async fn a_site_dies_between_redeeming_and_the_session() {
    let mut system = start().await;
    // Redis knows the script from another login; else it would only say that it doesn't.
    Login::reach(&system, Phase::SignedIn).await;
    let login = Login::reach(&system, Phase::Confirmed).await;
    // Redis gets the redemption and can't act on it yet; who asked gives up, and dies.
    system.stack.redis.process.signal(Signal::STOP);
    let answer = login.completes_unheard().await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    system.stack.sites[0].process.kill();
    system.stack.redis.process.signal(Signal::CONT);
    eventually("Redis redeems for the dead", async || {
        let redis = &system.stack.redis;
        let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:attempt:*"]).await;
        for key in &keys {
            let status: String = redis.command(&["HGET", key, "status"]).await;
            (status == "consumed").then_some(())?;
        }
        Some(())
    })
    .await;
    assert_eq!(login.sessions(&system).await, 0);
    login.finish(&system).await;
}
