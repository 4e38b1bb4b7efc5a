//! The internal listener: health, readiness and figures, and none of it in public.

use reqwest::{Method, header::CONTENT_TYPE};
use system_tests::{
    deadline::eventually,
    stack::{Plan, Stack},
    visitor::Visitor,
};

use crate::{
    answers::{assert_problem, header},
    attempt_record,
};

const INTERNAL: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

fn operator(stack: &Stack) -> Visitor {
    Visitor::new(&stack.sites[0].internal)
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let stack = Plan::default().start().await;
    let mut operator = operator(&stack);
    for (path, status) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let answer = operator.call(Method::GET, path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json["status"], status, "{}", answer.text);
    }
}

#[tokio::test]
async fn health_and_figures_name_the_build() {
    let stack = Plan::default().start().await;
    let mut operator = operator(&stack);
    let health = operator.call(Method::GET, "/healthz").await.json;
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health.as_object().unwrap().contains_key("commit"));
    let figures = operator.call(Method::GET, "/metrics").await.text;
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    let line = figures.lines().find(|line| line.starts_with("build_info{"));
    assert!(
        line.is_some_and(|line| line.contains(&version)),
        "{figures}"
    );
}

#[tokio::test]
async fn a_site_without_redis_lives_but_is_not_ready() {
    let mut stack = Plan::default().start().await;
    stack.redis.kill();
    let mut operator = operator(&stack);
    let answer = operator.call(Method::GET, "/readyz").await;
    assert_problem(&answer, 503, "store_unavailable");
    let answer = operator.call(Method::GET, "/healthz").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn nothing_internal_is_public_and_nothing_public_is_internal() {
    let stack = Plan::default().start().await;
    for path in INTERNAL {
        let answer = stack.visitor().call(Method::GET, path).await;
        assert_problem(&answer, 404, "not_found");
    }
    let mut operator = operator(&stack);
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/assets/page.js"),
        (Method::POST, "/api/login"),
        (Method::GET, "/api/session"),
    ] {
        let answer = operator.call(method, path).await;
        assert_problem(&answer, 404, "not_found");
    }
    for path in INTERNAL {
        let answer = operator.call(Method::POST, path).await;
        assert_problem(&answer, 405, "method_not_allowed");
    }
}

pub(crate) async fn metrics(stack: &Stack) -> String {
    let answer = operator(stack).call(Method::GET, "/metrics").await;
    assert_eq!(answer.status, 200);
    let media_type = header(&answer.headers, CONTENT_TYPE.as_str());
    assert!(media_type.starts_with("text/plain; version=0.0.4"));
    answer.text
}

pub(crate) fn has_line(metrics: &str, expected: &str) -> bool {
    metrics.lines().any(|line| line == expected)
}

#[tokio::test]
async fn figures_count_what_happens_and_say_of_nobody_who() {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_PER_MINUTE", "1");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let key = attempt_record::only(&stack).await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    assert!(has_line(&metrics(&stack).await, "login_streams_open 1"));
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    let refused = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(refused.status, 429);
    visitor
        .call(Method::GET, "/api/nothing/secret-address")
        .await;
    let mut foreign = stack.visitor();
    foreign.set_header("origin", "https://evil.example");
    foreign.call(Method::POST, "/api/login").await;
    drop(events);
    eventually("the closed stream is counted out", async || {
        has_line(&metrics(&stack).await, "login_streams_open 0").then_some(())
    })
    .await;

    let metrics = metrics(&stack).await;
    for outcome in ["started", "completed", "rate_limited"] {
        let line = format!("logins_total{{outcome=\"{outcome}\"}} 1");
        assert!(has_line(&metrics, &line), "{line}: {metrics}");
    }
    for route in [
        "route=\"/api/login/complete\",status=\"200\"",
        // Refused in front of all routes.
        "route=\"/api/login\",status=\"403\"",
        "route=\"unmatched\",status=\"404\"",
    ] {
        assert!(metrics.contains(route), "{route}: {metrics}");
    }
    let scene = attempt_record::scene(&key);
    for secret in [scene, &person.openid, &content, "secret-address"] {
        assert!(!metrics.contains(secret), "{metrics}");
    }
    for secret in visitor.cookies().values() {
        assert!(!metrics.contains(secret.as_str()));
    }
}
