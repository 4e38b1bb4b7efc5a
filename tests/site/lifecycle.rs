//! Starting, saying so, and stopping without losing anything.

use std::net::TcpListener;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use system_tests::{
    binaries,
    deadline::eventually,
    log_folder, process,
    redis_server::RedisServer,
    stack::{Plan, Service},
    visitor::Visitor,
};

use crate::configuration::{Configuration, run};

#[tokio::test]
async fn one_line_says_where_it_listens() {
    let stack = Plan::default().start().await;
    let Service {
        public,
        internal,
        process,
    } = &stack.sites[0];
    let ready = format!("site ready public={public} internal={internal}");
    let lines = process.lines();
    let found = lines.iter().filter(|line| line.contains("ready")).count();
    assert_eq!(found, 1, "{lines:#?}");
    assert!(lines.contains(&ready), "{lines:#?}");
}

#[tokio::test]
async fn a_stop_ends_streams_and_exits_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut stack = Plan::default().start().await;
        let mut visitor = stack.visitor();
        visitor.start_login().await;
        let mut events = visitor.events().await;
        assert_eq!(events.next_status().await.as_deref(), Some("pending"));
        stack.sites[0].process.signal(signal);
        assert_eq!(events.next_status().await, None);
        assert_eq!(stack.sites[0].process.ended().await.code(), Some(0));
    }
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_end() {
    let mut stack = Plan::default().start().await;
    let create = "/cgi-bin/qrcode/create";
    let slow = json!([{ "path": create, "kind": "slow", "delay_ms": 1500 }]);
    stack.wechat.faults(slow).await;
    let mut visitor = stack.visitor();
    let login = tokio::spawn(async move { visitor.call(Method::POST, "/api/login").await });
    eventually("WeChat is asked for a code", async || {
        (stack.wechat.calls(create).await == 1).then_some(())
    })
    .await;
    stack.sites[0].process.signal(Signal::TERM);
    let answer = login.await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(stack.sites[0].process.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_site_says_it_is_ready_once_redis_is_there() {
    let log = log_folder::create();
    let mut redis = RedisServer::start(&log).await;
    redis.kill();
    let environment = Configuration::of(&redis.url()).environment();
    let no_arguments: [&str; 0] = [];
    let mut site = process::start(
        "site",
        binaries::path("site"),
        no_arguments,
        &environment,
        &log,
    );
    site.line_with("not ready yet").await;
    let ready = |lines: Vec<String>| lines.iter().any(|line| line.starts_with("site ready "));
    assert!(!ready(site.lines()));
    redis.restart().await;
    let site = Service::ready(site, "site ready ").await;
    let mut operator = Visitor::new(&site.internal);
    let answer = operator.call(Method::GET, "/readyz").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_site_that_waits_for_redis_can_be_stopped() {
    let log = log_folder::create();
    let environment = Configuration::of("redis://127.0.0.1:1").environment();
    let no_arguments: [&str; 0] = [];
    let mut site = process::start(
        "site",
        binaries::path("site"),
        no_arguments,
        &environment,
        &log,
    );
    site.line_with("not ready yet").await;
    assert_eq!(site.stop().await.code(), Some(0));
}

#[test]
fn a_taken_port_is_said_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (variable, key) in [
        ("SITE__PUBLIC__BIND", "public.bind"),
        ("SITE__INTERNAL__BIND", "internal.bind"),
    ] {
        let mut configuration = Configuration::default();
        configuration.set(variable, &address);
        let ended = run(&[], &configuration);
        assert_eq!(ended.code, Some(1), "{}", ended.errors);
        let line = ended.errors.lines().last().unwrap();
        assert!(line.starts_with("site: can't listen on "), "{line}");
        assert!(line.contains(&address) && line.contains(key), "{line}");
        assert!(!ended.errors.contains("panicked"), "{}", ended.errors);
        assert_eq!(ended.output, "");
    }
}

#[tokio::test]
async fn a_running_site_passes_its_own_health_check() {
    let mut stack = Plan::default().start().await;
    let internal = stack.sites[0].internal.replace("http://", "");
    let mut configuration = Configuration::default();
    configuration.set("SITE__INTERNAL__BIND", &internal);
    let healthy = run(&["healthcheck"], &configuration);
    assert_eq!(healthy.code, Some(0), "{}", healthy.errors);
    stack.redis.kill();
    let not_ready = run(&["healthcheck"], &configuration);
    assert_eq!(not_ready.code, Some(1));
    assert!(
        not_ready.errors.contains("not ready"),
        "{}",
        not_ready.errors
    );
    assert!(not_ready.errors.contains("store_unavailable"));
    stack.sites[0].process.kill();
    let gone = run(&["healthcheck"], &configuration);
    assert_eq!(gone.code, Some(1));
    assert!(gone.errors.contains("doesn't answer"), "{}", gone.errors);
}
