//! Starting, waiting until ready, and stopping without losing a push.

use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::json;
use system_tests::{
    attempts::{self, new_openid},
    binaries,
    deadline::eventually,
    process::{self, Process},
    stack::{Plan, Service, Stack},
};

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, scan, sealed_reply},
};

/// Starts a gateway of this system with other settings as well, and doesn't wait for it.
fn start(stack: &Stack, arguments: &[&str], settings: &[(&str, &str)]) -> Process {
    let mut environment = stack.gateway_environment();
    let more = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    environment.extend(more);
    let program = binaries::path("wechat-gateway");
    process::start("gateway", program, arguments, &environment, &stack.log)
}

/// Where a gateway listens that isn't ready yet.
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

#[tokio::test]
async fn a_push_in_flight_is_answered_before_the_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut stack = http::start(Plan::default()).await;
        let store = stack.redis.store();
        let scene = attempts::open(&store).await;
        let person = new_openid();
        let rule = json!([{ "path": "/cgi-bin/user/info", "kind": "slow", "delay_ms": 1000 }]);
        stack.wechat.faults(rule).await;
        let push = PushRequest::safe(&scan(&person, &scene));
        let answered = push.send(&stack.gateways[0]);
        let stopped = async {
            eventually("the push is being handled", async || {
                (stack.wechat.calls("/cgi-bin/user/info").await == 1).then_some(())
            })
            .await;
            stack.gateways[0].process.signal(signal);
        };
        let (answer, ()) = tokio::join!(answered, stopped);
        sealed_reply(&answer, &person);
        assert_eq!(attempts::owner(&store, &scene).await, person);
        let status = stack.gateways[0].process.ended().await;
        assert_eq!(status.code(), Some(0), "{signal:?}");
    }
}

#[tokio::test]
async fn an_idle_connection_doesnt_hold_the_end_up() {
    let mut stack = http::start(Plan::default()).await;
    let address = stack.gateways[0].internal.replace("http://", "");
    let _idle = std::net::TcpStream::connect(address).expect("it listens");
    let began = std::time::Instant::now();
    assert_eq!(stack.gateways[0].process.stop().await.code(), Some(0));
    let took = began.elapsed();
    assert!(took.as_secs_f32() < 7.0, "{took:?}");
}

#[tokio::test]
async fn ready_is_said_in_one_line_when_it_is_true() {
    let mut stack = http::start(Plan::default().gateways(0)).await;
    let busy = json!([{ "path": "/cgi-bin/stable_token", "kind": "errcode", "errcode": -1 }]);
    stack.wechat.faults(busy).await;
    let mut gateway = listening(start(&stack, &[], &[])).await;
    let line = gateway.process.line_with("can't get an access token").await;
    assert!(line.contains("WeChat is busy"), "{line}");
    let answer = http::get(&gateway, "/readyz").await;
    assert_problem(&answer, 503, "wechat_unavailable");
    let answer = http::get(&gateway, "/v1/access-token").await;
    assert_problem(&answer, 503, "wechat_unavailable");
    assert_eq!(http::get(&gateway, "/healthz").await.status, 200);
    let said = |process: &Process| {
        let lines = process.lines();
        let ready = lines
            .iter()
            .filter(|line| line.starts_with("wechat-gateway ready "));
        ready.cloned().collect::<Vec<_>>()
    };
    assert!(said(&gateway.process).is_empty());

    stack.wechat.faults(json!([])).await;
    gateway.process.line_with("wechat-gateway ready ").await;
    assert_eq!(
        said(&gateway.process),
        [format!(
            "wechat-gateway ready public={} internal={}",
            gateway.public, gateway.internal
        )]
    );
    assert_eq!(http::get(&gateway, "/readyz").await.status, 200);
    stack.redis.kill();
}

#[tokio::test]
async fn a_gateway_that_never_got_ready_stops_in_order() {
    let mut stack = http::start(Plan::default().gateways(0)).await;
    stack.redis.kill();
    let mut gateway = listening(start(&stack, &[], &[])).await;
    let answer = http::get(&gateway, "/readyz").await;
    assert_problem(&answer, 503, "store_unavailable");
    assert_eq!(gateway.process.stop().await.code(), Some(0));
}

#[tokio::test]
async fn redis_may_come_after_the_gateway() {
    let mut stack = http::start(Plan::default().gateways(0)).await;
    stack.redis.kill();
    let mut gateway = listening(start(&stack, &[], &[])).await;
    stack.redis.restart().await;
    gateway.process.line_with("wechat-gateway ready ").await;
}

#[tokio::test]
async fn a_taken_port_is_said_and_ends_it() {
    let stack = http::start(Plan::default().gateways(0)).await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it has one").to_string();
    for (variable, key) in [
        ("GATEWAY__PUBLIC__BIND", "public.bind"),
        ("GATEWAY__INTERNAL__BIND", "internal.bind"),
    ] {
        let mut process = start(&stack, &[], &[(variable, &address)]);
        let line = process.line_with("can't listen on").await;
        assert!(line.contains(&address) && line.contains(key), "{line}");
        assert!(line.contains("in use"), "{line}");
        assert_eq!(process.ended().await.code(), Some(1));
    }
}

#[tokio::test]
async fn the_health_check_command_asks_the_running_gateway() {
    let mut stack = http::start(Plan::default()).await;
    let address = stack.gateways[0].internal.replace("http://", "");
    let bind = [("GATEWAY__INTERNAL__BIND", address.as_str())];
    let mut check = start(&stack, &["healthcheck"], &bind);
    assert_eq!(check.ended().await.code(), Some(0));
    stack.redis.kill();
    let mut check = start(&stack, &["healthcheck"], &bind);
    check.line_with("not ready").await;
    assert_eq!(check.ended().await.code(), Some(1));
    stack.gateways[0].process.stop().await;
    let mut check = start(&stack, &["healthcheck"], &bind);
    check.line_with("doesn't answer").await;
    assert_eq!(check.ended().await.code(), Some(1));
}
