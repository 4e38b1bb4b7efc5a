//! Doubled slashes and slashes at the end, as reverse proxies make them of the site's addresses.

use reqwest::Method;
use system_tests::{
    stack::Plan,
    visitor::{Answer, Visitor},
};
use url::Url;

use crate::{
    answers::{assert_problem, header},
    headers::exchange,
};

fn location(answer: &Answer) -> &str {
    header(&answer.headers, "location")
}

#[tokio::test]
async fn a_login_goes_through_whatever_slashes_its_addresses_have() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小明", true).await;
    let mut visitor = stack.visitor();
    let started = visitor.call(Method::POST, "//api/login").await;
    assert_eq!(started.status, 201, "{}", started.text);
    for path in ["/api/login/", "/api//login", "//api///login//"] {
        let answer = visitor.call(Method::GET, path).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json["status"]),
            (200, &"pending".into()),
            "{path}"
        );
    }
    let stream = visitor.send(Method::GET, "/api/login//events/").await;
    assert_eq!(stream.status(), 200);
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let content = started.json["qr"]["content"].as_str().expect("a code");
    stack.wechat.scan(&person, content).await;
    visitor.status_becomes("confirmed").await;
    let answer = visitor.call(Method::POST, "/api/login/complete/").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for path in ["/api/session/", "//api/session"] {
        let answer = visitor.call(Method::GET, path).await;
        assert_eq!(
            answer.json["user"]["openid"],
            person.openid.as_str(),
            "{path}"
        );
    }
    for path in [
        "//",
        "/?a=b",
        "//?a=b",
        "/assets//page.js",
        "/assets/page.js/",
    ] {
        let answer = visitor.call(Method::GET, path).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    assert_eq!(
        visitor.call(Method::DELETE, "/api//sessions/").await.status,
        204
    );
    assert_eq!(visitor.session().await, None);
}

#[tokio::test]
async fn the_internal_listener_and_its_figures_know_plain_paths_only() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.call(Method::GET, "//api/login/").await;
    let mut operator = Visitor::new(&stack.sites[0].internal);
    for path in ["/healthz/", "//readyz"] {
        assert_eq!(operator.call(Method::GET, path).await.status, 200, "{path}");
    }
    let metrics = operator.call(Method::GET, "/metrics/").await.text;
    let known = "http_requests_total{method=\"GET\",route=\"/api/login\",status=\"404\"} 1";
    assert!(metrics.contains(known), "{metrics}");
    assert!(
        !metrics.contains("//") && !metrics.contains("unmatched"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_redirect_leads_to_the_same_place_from_a_path_with_a_slash_at_its_end() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let query = "state=a&code=b&return_to=/shop/";
    let expected = "wechat/stopped?because=elsewhere&return_to=%2Fshop%2F";
    for (path, before) in [
        ("/login/wechat", ""),
        ("//login//wechat", ""),
        ("/login/wechat/", "../"),
        ("/login/wechat//", "../../"),
    ] {
        let answer = visitor.call(Method::GET, &format!("{path}?{query}")).await;
        assert_eq!(answer.status, 303, "{path}");
        assert_eq!(location(&answer), format!("{before}{expected}"), "{path}");
    }
}

#[tokio::test]
async fn a_page_finds_its_looks_from_a_path_with_a_slash_at_its_end() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    for path in [
        "/login/wechat/stopped",
        "/login/wechat/stopped/",
        "//login/wechat/stopped///",
    ] {
        let page = visitor.call(Method::GET, path).await;
        assert_eq!(page.status, 200, "{path}");
        let address = Url::parse(&format!("{}{path}", stack.sites[0].public));
        let address = address.expect("an address");
        for (relation, media_type) in [("stylesheet", "text/css"), ("icon", "image/svg+xml")] {
            let (_, after) = page
                .text
                .split_once(&format!("rel=\"{relation}\" href=\""))
                .expect("the page links it");
            let (link, _) = after.split_once('"').expect("the link ends");
            let linked = address.join(link).expect("an address");
            let answer = visitor.call(Method::GET, linked.path()).await;
            assert_eq!(answer.status, 200, "{path}: {linked}");
            let served = answer.headers["content-type"].to_str().expect("plain");
            assert!(served.starts_with(media_type), "{path}: {served}");
        }
    }
}

#[tokio::test]
async fn a_page_below_a_path_finds_its_looks_there() {
    let plan = Plan::default().site("SITE__PUBLIC__URL", "http://localhost/passport/");
    let stack = plan.start().await;
    let answer = stack
        .visitor()
        .call(Method::GET, "/login/wechat/stopped")
        .await;
    for link in [
        "href=\"/passport/assets/login-stopped.css\"",
        "href=\"/passport/assets/icon.svg\"",
    ] {
        assert!(answer.text.contains(link), "{link}: {}", answer.text);
    }
}

#[tokio::test]
async fn slashes_open_nothing() {
    let stack = Plan::default().start().await;
    for path in [
        "//evil.example",
        "//evil.example/",
        "//evil.example/%2e%2e",
        "/\\evil.example/",
        "//metrics",
        "//healthz/",
        "/wechat/callback/",
        "//v1/qrcodes",
        "/assets//..%2fpage.js",
        "/assets/../page.js/",
        "/api%2flogin",
    ] {
        // Byte by byte, since a client's library would read the path itself.
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = exchange(&stack.sites[0].public, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(
            !answer.to_lowercase().contains("location:"),
            "{path}: {answer}"
        );
    }
    let mut visitor = stack.visitor();
    // Where a visitor goes back to is no path of a request.
    for return_to in ["//evil.example", "///evil.example/", "/%2F/evil.example"] {
        let path = format!("//login/wechat/?state=a&return_to={return_to}");
        let answer = visitor.call(Method::GET, &path).await;
        assert!(
            location(&answer).starts_with("../wechat/stopped?"),
            "{}",
            location(&answer)
        );
        let page = visitor
            .call(Method::GET, &format!("/login/{}", &location(&answer)[3..]))
            .await;
        assert!(!page.text.contains("href=\"//"), "{}", page.text);
    }
    // Whose page asks is looked at on every such path.
    visitor.set_header("origin", "https://evil.example");
    for path in ["//api/login", "/api/login/", "//evil.example/api/login"] {
        let answer = visitor.call(Method::POST, path).await;
        assert_problem(&answer, 403, "foreign_origin");
    }
}

#[tokio::test]
async fn pages_of_a_named_origin_may_ask_on_such_paths_as_well() {
    let plan = Plan::default().site("SITE__PUBLIC__ALLOWED_ORIGINS", "http://www.example.com");
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    visitor.set_header("origin", "http://www.example.com");
    for path in ["//api/login", "/api/login/"] {
        let answer = visitor.call(Method::POST, path).await;
        assert_eq!(answer.status, 201, "{path}");
        let permission = header(&answer.headers, "access-control-allow-origin");
        assert_eq!(permission, "http://www.example.com", "{path}");
    }
}

#[tokio::test]
async fn a_push_that_a_proxy_sends_to_the_site_is_found_in_its_log() {
    let mut stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    for _ in 0..5 {
        let answer = visitor
            .call(Method::POST, "/wechat/callback?signature=c0ffee")
            .await;
        assert_problem(&answer, 404, "not_found");
    }
    let site = &mut stack.sites[0].process;
    let line = site.line_with("no route matches").await;
    assert!(line.contains("path=\"/wechat/callback\" "), "{line}");
    assert!(!line.contains("c0ffee"), "{line}");
    site.signal(rustix::process::Signal::TERM);
    let said = site.said().await;
    assert_eq!(said.matches("no route matches").count(), 1, "{said}");
}
