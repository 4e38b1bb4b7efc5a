//! What every answer of the public listener tells browsers, and how wrong requests are refused.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use reqwest::{
    Method,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, SERVER},
};
use rustix::process::Signal;
use system_tests::{deadline::PATIENCE, stack::Plan, visitor::Visitor};

use crate::answers::{assert_problem, header};

#[track_caller]
fn assert_protected(headers: &HeaderMap, path: &str) {
    let policy = header(headers, CONTENT_SECURITY_POLICY.as_str());
    let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(directives.contains(&directive), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(
        header(headers, "x-content-type-options"),
        "nosniff",
        "{path}"
    );
    let embedded_by = if path.starts_with("/assets/page") {
        "cross-origin"
    } else {
        "same-origin"
    };
    let policy = header(headers, "cross-origin-resource-policy");
    assert_eq!(policy, embedded_by, "{path}");
    assert_eq!(header(headers, "x-frame-options"), "DENY", "{path}");
    assert_eq!(header(headers, "referrer-policy"), "no-referrer", "{path}");
    assert_eq!(headers.get(SERVER), None, "{path}");
    assert!(!header(headers, "x-request-id").is_empty(), "{path}");
    let caching = header(headers, CACHE_CONTROL.as_str());
    let expected = if path.starts_with("/api") {
        "no-store"
    } else {
        caching
    };
    assert_eq!(caching, expected, "{path}");
    assert!(matches!(caching, "no-store" | "no-cache"), "{path}");
}

#[tokio::test]
async fn every_answer_is_protected() {
    let stack = Plan::default().start().await;
    let requests = [
        (Method::GET, "/", 200),
        (Method::HEAD, "/", 200),
        (Method::GET, "/assets/page.js", 200),
        (Method::GET, "/assets/nothing.js", 404),
        (Method::GET, "/nothing", 404),
        (Method::PUT, "/", 405),
        (Method::GET, "/api/session", 401),
        (Method::GET, "/api/login", 404),
        (Method::POST, "/api/login", 201),
        (Method::GET, "/api/login", 200),
        (Method::GET, "/api/login/events", 200),
        (Method::POST, "/api/login/complete", 409),
        (Method::PUT, "/api/login", 405),
        (Method::GET, "/api/nothing", 404),
        (Method::DELETE, "/api/login", 204),
        (Method::DELETE, "/api/session", 204),
    ];
    let mut visitor = stack.visitor();
    for (method, path, status) in requests {
        let answer = visitor.send(method.clone(), path).await;
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_protected(answer.headers(), path);
    }
    visitor.set_header("origin", "https://evil.example");
    let answer = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, 403);
    assert_protected(&answer.headers, "/api/login");
}

#[tokio::test]
async fn pages_are_parted_from_what_opened_them_and_redirects_part_nobody() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    for (path, policy) in [
        ("/", "same-origin"),
        ("/login/wechat/stopped", "same-origin"),
        ("/login/wechat?return_to=/shop", ""),
        ("/api/session", ""),
        ("/assets/page.js", ""),
        ("/nothing", ""),
    ] {
        let answer = visitor.call(Method::GET, path).await;
        let said = header(&answer.headers, "cross-origin-opener-policy");
        assert_eq!(said, policy, "{path}");
        let said = header(&answer.headers, "strict-transport-security");
        assert_eq!(said, "", "{path}: the site is http");
    }
}

#[tokio::test]
async fn a_host_is_https_only_where_the_front_page_is_its_own() {
    for (public_url, expected) in [
        ("https://login.example.com", "max-age=31536000"),
        ("https://www.example.com/passport", ""),
        ("http://login.example.com", ""),
    ] {
        let plan = Plan::default().site("SITE__PUBLIC__URL", public_url);
        let stack = plan.start().await;
        let mut visitor = stack.visitor();
        for (path, expected) in [
            ("/", expected),
            ("/api/session", ""),
            ("/assets/page.js", ""),
        ] {
            let answer = visitor.call(Method::GET, path).await;
            let said = header(&answer.headers, "strict-transport-security");
            assert_eq!(said, expected, "{public_url} {path}");
        }
    }
}

#[tokio::test]
async fn the_internal_listener_guards_its_answers_as_well() {
    let stack = Plan::default().start().await;
    let mut operator = Visitor::new(&stack.sites[0].internal);
    for path in ["/healthz", "/readyz", "/metrics", "/nothing"] {
        let answer = operator.call(Method::GET, path).await;
        assert_eq!(
            header(&answer.headers, "x-content-type-options"),
            "nosniff",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_requests_name_comes_back_if_it_is_plain() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.set_header("x-request-id", "edge-1.a_B");
    let answer = visitor.call(Method::GET, "/api/session").await;
    assert_eq!(header(&answer.headers, "x-request-id"), "edge-1.a_B");
    for strange in ["a b", "<script>", &"a".repeat(65)] {
        visitor.set_header("x-request-id", strange);
        let answer = visitor.call(Method::GET, "/api/session").await;
        let given = header(&answer.headers, "x-request-id");
        assert!(given != strange && given.len() == 16, "{given}");
    }
}

#[tokio::test]
async fn both_services_log_under_a_requests_name() {
    let mut stack = Plan::default()
        .gateway("GATEWAY__LOG__LEVEL", "debug")
        .gateway("GATEWAY__LOG__FORMAT", "json")
        .site("SITE__LOG__LEVEL", "debug")
        .start()
        .await;
    let mut visitor = stack.visitor();
    visitor.set_header("x-request-id", "edge-1.a_B");
    visitor.start_login().await;

    let line = stack.sites[0].process.line_with("request answered").await;
    assert!(line.contains(" status=201 "), "{line}");
    assert!(line.ends_with(" request_id=edge-1.a_B"), "{line}");
    let line = stack.gateways[0].process.line_with("/v1/qrcodes").await;
    let line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(line["request_id"], "edge-1.a_B");
    assert_eq!(line["message"], "request answered");
    let listening = stack.gateways[0].process.line_with("\"listening\"").await;
    assert!(!listening.contains("request_id"), "{listening}");
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    for path in [
        "/nothing",
        "/api",
        "/api/",
        "/api/login/nothing",
        "/assets",
        "/index.html",
        "/wechat/callback",
        "/v1/qrcodes",
    ] {
        let answer = visitor.call(Method::GET, path).await;
        assert_problem(&answer, 404, "not_found");
    }
    let login = "POST, GET, DELETE";
    for (method, path, allowed) in [
        (Method::PUT, "/api/login", login),
        (Method::PATCH, "/api/login", login),
        (Method::HEAD, "/api/login", login),
        (Method::POST, "/api/login/events", "GET"),
        (Method::GET, "/api/login/complete", "POST"),
        (Method::POST, "/api/session", "GET, DELETE"),
        (Method::POST, "/", "GET, HEAD"),
        (Method::DELETE, "/assets/page.js", "GET, HEAD"),
    ] {
        let answer = visitor.call(method.clone(), path).await;
        assert_eq!(header(&answer.headers, "allow"), allowed, "{path}");
        if method == Method::HEAD {
            assert_eq!(answer.status, 405);
        } else {
            assert_problem(&answer, 405, "method_not_allowed");
        }
    }
}

/// Sends these bytes and returns what comes back until the connection ends.
pub(crate) fn exchange(address: &str, request: &[u8]) -> String {
    let address = address.strip_prefix("http://").expect("an http address");
    let mut stream = TcpStream::connect(address).expect("the site listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("the socket has a timeout");
    stream.write_all(request).expect("the site reads");
    let mut answer = String::new();
    // A connection that is reset after the answer has said what it had to.
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_is_read() {
    let stack = Plan::default().start().await;
    let address = stack.sites[0].public.clone();
    for length in ["1025", "1000000000000", "99999999999999999999"] {
        let request = format!(
            "POST /api/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        let answer = exchange(&address, request.as_bytes());
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(matches!(status, "413" | "400"), "{length}: {answer}");
        if length != "99999999999999999999" {
            assert!(
                answer.contains("\"code\":\"payload_too_large\""),
                "{answer}"
            );
            assert!(answer.contains("application/problem+json"), "{answer}");
            assert!(answer.contains("x-frame-options"), "{answer}");
        }
    }
    // Whose page it is comes first, as it would for a small body.
    let foreign = "POST /api/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Origin: https://evil.example\r\nContent-Length: 1025\r\n\r\n";
    let answer = exchange(&address, foreign.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 0);
    let small = format!(
        "POST /api/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1024\r\n\r\n{}",
        "x".repeat(1024)
    );
    let answer = exchange(&address, small.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_harms_nobody() {
    let mut stack = Plan::default().start().await;
    let address = stack.sites[0].public.clone();
    for request in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"GET /api/session HTTP/9.9\r\n\r\n",
        b"GET /api/session HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ] {
        let answer = exchange(&address, request);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
            "{answer}"
        );
    }
    assert_eq!(stack.visitor().call(Method::GET, "/").await.status, 200);
    // Anybody can send it, so it is no error of the site's.
    let site = &mut stack.sites[0].process;
    site.signal(Signal::TERM);
    let said = site.said().await;
    assert!(!said.contains("ERROR"), "{said}");
}
