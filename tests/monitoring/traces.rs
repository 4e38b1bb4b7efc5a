//! Traces, as a collector gets them.

use std::{collections::BTreeMap, time::Instant};

use reqwest::Method;
use system_tests::{
    deadline::eventually,
    otlp_receiver::{OtlpReceiver, Span},
    stack::Plan,
};

use crate::{log_in, metrics};

const OURS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn traced(collector: &str) -> Plan {
    Plan::default()
        .site("SITE__TRACES__ENDPOINT", collector)
        .gateway("GATEWAY__TRACES__ENDPOINT", collector)
}

/// The spans of the trace that this request began, once another one of it is there.
async fn trace_of(collector: &OtlpReceiver, root: &str, other: &str) -> Vec<Span> {
    eventually(&format!("the trace of {root} is there"), async || {
        let all = collector.spans();
        let root = all.iter().find(|span| span.name == root)?;
        let trace = all.iter().filter(|span| span.trace_id == root.trace_id);
        let trace: Vec<Span> = trace.cloned().collect();
        trace.iter().any(|span| span.name == other).then_some(trace)
    })
    .await
}

/// The name, and its parent's, of each span.
fn family(trace: &[Span]) -> Vec<(String, String)> {
    let names: BTreeMap<&str, &str> = trace
        .iter()
        .map(|span| (span.span_id.as_str(), span.name.as_str()))
        .collect();
    trace
        .iter()
        .map(|span| {
            let parent = names.get(span.parent.as_str()).copied();
            let name = format!("{} {}", span.service, span.name);
            (name, parent.unwrap_or(&span.parent).to_owned())
        })
        .collect()
}

fn is_in(family: &[(String, String)], name: &str, parent: &str) -> bool {
    family
        .iter()
        .any(|(found, of)| found == name && of == parent)
}

#[tokio::test]
async fn one_trace_leads_from_the_browser_to_wechat_and_another_from_a_push_to_redis() {
    let collector = OtlpReceiver::start().await;
    let stack = traced(&collector.url())
        .site("SITE__TRACES__HEADERS", "authorization=Bearer%202f1c")
        .start()
        .await;
    let mut visitor = stack.visitor();
    // Anybody can send this, so it names no trace of ours.
    visitor.set_header("traceparent", OURS);
    let person = stack.wechat.person("小雨", true).await;
    let code = visitor.start_login().await;
    stack.wechat.scan(&person, &code).await;
    visitor.status_becomes("confirmed").await;
    visitor.complete().await;

    let trace = trace_of(&collector, "POST /api/login", "POST /v1/qrcodes").await;
    let family_of_login = family(&trace);
    for (name, parent) in [
        ("site POST /api/login", ""),
        ("site /v1/qrcodes", "POST /api/login"),
        ("wechat-gateway POST /v1/qrcodes", "/v1/qrcodes"),
        ("wechat-gateway qrcode/create", "POST /v1/qrcodes"),
    ] {
        assert!(
            is_in(&family_of_login, name, parent),
            "{name} of {parent:?} in {family_of_login:#?}"
        );
    }
    let is_redis = |span: &&Span| span.attributes.contains_key("db.system.name");
    assert!(
        trace
            .iter()
            .any(|span| is_redis(&span) && span.service == "site")
    );
    assert!(trace.iter().all(|span| span.trace_id != OURS[3..35]));
    for span in &trace {
        let kind = if span.name.starts_with("POST ") { 2 } else { 3 };
        assert_eq!(span.kind, kind, "{span:?}");
        assert!(span.began <= span.ended, "{span:?}");
        assert!(!span.is_failure, "{span:?}");
    }

    let push = trace_of(&collector, "POST /wechat/callback", "user/info").await;
    let family_of_push = family(&push);
    assert!(
        is_in(
            &family_of_push,
            "wechat-gateway user/info",
            "POST /wechat/callback"
        ),
        "{family_of_push:#?}"
    );
    assert!(
        push.iter().any(|span| is_redis(&span)),
        "{family_of_push:#?}"
    );

    let all = collector.spans();
    let heads = collector.heads();
    assert!(
        heads
            .iter()
            .all(|head| head.starts_with("POST /v1/traces HTTP/1.1"))
    );
    assert!(
        heads
            .iter()
            .any(|head| head.contains("authorization: Bearer 2f1c"))
    );
    let untraced = ["/metrics", "/healthz", "/readyz"];
    assert!(
        all.iter()
            .all(|span| !untraced.iter().any(|path| span.name.ends_with(path)))
    );
    nothing_is_about_anybody(&collector, &person.openid, &code);
    traces_of_a_run_are_kept(&collector);
}

/// What is secret, or about somebody, is nowhere in what the collector got.
fn nothing_is_about_anybody(collector: &OtlpReceiver, openid: &str, code: &str) {
    let scene = code.rsplit('=').next().unwrap_or(code);
    for body in collector.bodies() {
        let text = String::from_utf8_lossy(&body).into_owned();
        for secret in [
            openid,
            code,
            scene,
            "login_",
            "wechat-login:",
            "access_token=",
            "小雨",
            "127.0.0.1",
        ] {
            assert!(!text.contains(secret), "{secret} in {text:?}");
        }
    }
}

/// For a look at what other software makes of it.
fn traces_of_a_run_are_kept(collector: &OtlpReceiver) {
    if let Some(folder) = std::env::var_os("KEEP_TRACES_IN") {
        for (number, body) in collector.bodies().iter().enumerate() {
            let file = std::path::Path::new(&folder).join(format!("{number}.pb"));
            std::fs::write(file, body).expect("it can be written");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_is_trusted_names_the_trace_and_leaves_it_out() {
    let collector = OtlpReceiver::start().await;
    let stack = traced(&collector.url())
        .site("SITE__TRACES__CONTINUE_INCOMING", "true")
        .start()
        .await;
    let mut visitor = stack.visitor();
    visitor.set_header("traceparent", &OURS.replace("-01", "-00"));
    visitor.call(Method::GET, "/api/session").await;
    visitor.set_header("traceparent", OURS);
    visitor.start_login().await;
    let trace = trace_of(&collector, "POST /api/login", "POST /v1/qrcodes").await;
    assert!(trace.iter().all(|span| span.trace_id == OURS[3..35]));
    assert!(is_in(
        &family(&trace),
        "site POST /api/login",
        &OURS[36..52]
    ));
    // What came before and wasn't to be recorded would be there by now.
    let all = collector.spans();
    assert!(
        all.iter().all(|span| span.name != "GET /api/session"),
        "{all:#?}"
    );
}

#[tokio::test]
async fn the_last_traces_are_sent_when_a_service_stops() {
    let collector = OtlpReceiver::start().await;
    let mut stack = traced(&collector.url()).start().await;
    let mut visitor = stack.visitor();
    visitor.call(Method::GET, "/api/session").await;
    assert!(stack.sites[0].process.stop().await.success());
    let all = collector.spans();
    assert!(
        all.iter().any(|span| span.name == "GET /api/session"),
        "{all:#?}"
    );
}

#[tokio::test]
async fn a_collector_that_is_away_costs_logins_nothing() {
    // Nobody listens there.
    let mut stack = traced("http://127.0.0.1:9").start().await;
    let began = Instant::now();
    log_in(&stack, "小雨").await;
    eventually("what is lost is counted", async || {
        let text = metrics(&stack.sites[0]).await;
        let lost = text
            .lines()
            .find_map(|line| line.strip_prefix("trace_spans_total{outcome=\"failed\"} "))?;
        (lost != "0").then_some(())
    })
    .await;
    assert!(began.elapsed().as_secs() < 60);
    assert!(stack.sites[0].process.stop().await.success());
}

#[tokio::test]
async fn without_a_collector_there_is_nothing_of_traces() {
    let stack = Plan::default().start().await;
    log_in(&stack, "小雨").await;
    for service in [&stack.sites[0], &stack.gateways[0]] {
        assert!(!metrics(service).await.contains("trace_spans"));
    }
}
