//! Foreign pages may not act for a visitor.

use reqwest::Method;
use system_tests::{
    stack::{Plan, Stack},
    visitor::Visitor,
};

use crate::{answers::assert_problem, attempt_record};

/// Everything that changes something.
const CHANGES: [(Method, &str); 4] = [
    (Method::POST, "/api/login"),
    (Method::POST, "/api/login/complete"),
    (Method::DELETE, "/api/login"),
    (Method::DELETE, "/api/session"),
];

/// A visitor who is signed in and whose next login is confirmed already.
async fn with_something_to_lose(stack: &Stack) -> Visitor {
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    for completes in [true, false] {
        let content = visitor.start_login().await;
        stack.wechat.scan(&person, &content).await;
        if completes {
            visitor.complete().await;
        }
    }
    visitor
}

async fn assert_refused(visitor: &mut Visitor, stack: &Stack) {
    let codes = stack.wechat.calls("/cgi-bin/qrcode/create").await;
    for (method, path) in CHANGES {
        let answer = visitor.call(method, path).await;
        assert_problem(&answer, 403, "foreign_origin");
    }
    assert_eq!(visitor.status().await, "confirmed");
    assert!(visitor.session().await.is_some());
    assert_eq!(attempt_record::sessions(stack).await.len(), 1);
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, codes);
}

#[tokio::test]
async fn a_foreign_origin_changes_nothing() {
    let stack = Plan::default().start().await;
    let mut visitor = with_something_to_lose(&stack).await;
    let own = stack.sites[0].public.clone();
    let origins = [
        "https://evil.example",
        "null",
        "http://localhost:1",
        "https://localhost",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        &own.replace("http:", "https:"),
        &format!("{own}.evil.example"),
        "http://localhost.evil.example",
        "file://",
        "nonsense",
    ];
    for origin in origins {
        visitor.set_header("origin", origin);
        assert_refused(&mut visitor, &stack).await;
    }
}

#[tokio::test]
async fn a_foreign_page_that_sends_no_origin_changes_nothing() {
    let stack = Plan::default().start().await;
    let mut visitor = with_something_to_lose(&stack).await;
    for site in ["cross-site", "same-site"] {
        visitor.set_header("sec-fetch-site", site);
        assert_refused(&mut visitor, &stack).await;
    }
}

#[tokio::test]
async fn own_pages_and_programs_pass() {
    let stack = Plan::default().start().await;
    let own = stack.sites[0].public.clone();
    let headers = [
        ("origin", own.as_str()),
        ("origin", "http://localhost"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ];
    for (name, value) in headers {
        let mut visitor = with_something_to_lose(&stack).await;
        visitor.set_header(name, value);
        for (method, path) in CHANGES {
            let answer = visitor.call(method, path).await;
            assert!(answer.status.is_success(), "{value} {path} {}", answer.text);
        }
    }
}

#[tokio::test]
async fn the_configured_origin_is_one_also_behind_a_proxy() {
    let plan = Plan::default().site("SITE__PUBLIC__URL", "https://www.example.com/login");
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    visitor.set_header("origin", "https://www.example.com");
    visitor.start_login().await;
    for foreign in ["http://www.example.com", "https://www.example.com:8443"] {
        visitor.set_header("origin", foreign);
        let answer = visitor.call(Method::POST, "/api/login").await;
        assert_problem(&answer, 403, "foreign_origin");
    }
}

#[tokio::test]
async fn a_foreign_page_reads_nothing() {
    let stack = Plan::default().start().await;
    let mut visitor = with_something_to_lose(&stack).await;
    visitor.set_header("origin", "https://evil.example");
    for path in ["/api/login", "/api/session"] {
        let answer = visitor.call(Method::GET, path).await;
        let allowed = answer.headers.get("access-control-allow-origin");
        assert_eq!(allowed, None, "browsers keep the answer from the page");
    }
    let answer = visitor.call(Method::OPTIONS, "/api/login").await;
    assert_eq!(answer.status, 405, "no preflight succeeds");
}
