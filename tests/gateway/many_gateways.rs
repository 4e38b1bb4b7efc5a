//! Ten gateways of one account: what one of them learns, WeChat isn't asked again.

use std::time::Duration;

use futures_util::future::join_all;
use login_protocol::{
    identity::AppId,
    steps::{LockTokenRefresh, ReleaseTokenRefresh},
};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::new_scene,
    binaries,
    process::{self, Process},
    stack::{APP_ID, Plan, Service, Stack},
    visitor::Answer,
};

use crate::http;

const GATEWAYS: usize = 10;
const STABLE: &str = "/cgi-bin/stable_token";
const LEGACY: &str = "/cgi-bin/token";

fn plan(mode: &str) -> Plan {
    Plan::default().gateway("GATEWAY__WECHAT__TOKEN_MODE", mode)
}

async fn create_code(gateway: &Service) -> Answer {
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    http::post(gateway, "/v1/qrcodes", &body).await
}

/// A gateway from the moment at which it listens: it has no token yet.
async fn listening(mut process: Process) -> Service {
    let line = process.line_with(" listening ").await;
    let address = |name: &str| {
        let word = line.split(' ').find_map(|word| word.strip_prefix(name));
        format!("http://{}", word.expect("the line names it"))
    };
    Service {
        public: address("public="),
        internal: address("internal="),
        process,
    }
}

fn start_cold(stack: &Stack, number: usize) -> Process {
    let no_arguments: [&str; 0] = [];
    process::start(
        &format!("gateway-{number}"),
        binaries::path("wechat-gateway"),
        no_arguments,
        &stack.gateway_environment(),
        &stack.log,
    )
}

/// A thousand requests to ten gateways without a token, on whose behalf one of them fetches it.
async fn ten_cold_gateways_make_one_token_call(mode: &str, path: &str) {
    let mut stack = http::start(plan(mode).gateways(0)).await;
    let app_id = AppId::parse(APP_ID).expect("it is an AppID");
    let holder = "the test".to_owned();
    // Nobody gets a token before all are there.
    let lock = LockTokenRefresh {
        app_id: app_id.clone(),
        holder: holder.clone(),
        lease: Duration::from_mins(1),
    };
    let store = stack.redis.store();
    assert!(store.run(&lock).await.expect("Redis is running"));
    let slow = json!([{ "path": path, "times": 1, "kind": "slow", "delay_ms": 1500 }]);
    stack.wechat.faults(slow).await;
    let processes: Vec<Process> = (0..GATEWAYS)
        .map(|number| start_cold(&stack, number))
        .collect();
    for process in processes {
        stack.gateways.push(listening(process).await);
    }

    let codes = (0..100).map(|number| create_code(&stack.gateways[number % GATEWAYS]));
    let tokens =
        (0..900).map(|number| http::get(&stack.gateways[number % GATEWAYS], "/v1/access-token"));
    let begin = async {
        let release = ReleaseTokenRefresh { app_id, holder };
        store.run(&release).await.expect("Redis is running");
    };
    let (codes, tokens, ()) = tokio::join!(join_all(codes), join_all(tokens), begin);
    for answer in &codes {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    for answer in &tokens {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let [one, other] = [&answer.json, &tokens[0].json].map(|json| &json["access_token"]);
        assert!(one == other, "there are two tokens");
    }
    assert_eq!(stack.wechat.calls(path).await, 1);
}

/// A stranger ends the token of ten running gateways this many times in a row; all of their
/// requests are answered.
async fn ten_running_gateways_make_one_refresh(mode: &str, path: &str, times: u64) {
    let stack = http::start(plan(mode).gateways(GATEWAYS)).await;
    assert_eq!(stack.wechat.calls(path).await, 1);
    for refreshes in 1..=times {
        stack
            .wechat
            .control(Method::POST, "/simulator/tokens/invalidate", Value::Null)
            .await;
        let codes = (0..100).map(|number| create_code(&stack.gateways[number % GATEWAYS]));
        for answer in join_all(codes).await {
            assert_eq!(answer.status, 201, "{}", answer.text);
        }
        assert_eq!(stack.wechat.calls(path).await, 1 + refreshes);
    }
    let other = if path == STABLE { LEGACY } else { STABLE };
    assert_eq!(stack.wechat.calls(other).await, 0);
}

#[tokio::test]
async fn starting_cold_under_a_thousand_requests() {
    ten_cold_gateways_make_one_token_call("stable", STABLE).await;
}

#[tokio::test]
async fn starting_cold_under_a_thousand_requests_in_legacy_mode() {
    ten_cold_gateways_make_one_token_call("legacy", LEGACY).await;
}

#[tokio::test]
async fn a_token_that_a_stranger_ended() {
    ten_running_gateways_make_one_refresh("stable", STABLE, 2).await;
}

#[tokio::test]
async fn a_token_that_a_stranger_ended_in_legacy_mode() {
    // A second one within 31 seconds would have to wait.
    ten_running_gateways_make_one_refresh("legacy", LEGACY, 1).await;
}
