//! How the owner's backend is addressed, what it is told of a push's way, and what is said where it
//! sends one on.

use reqwest::header::HeaderMap;
use system_tests::stack::{Plan, Stack};

use crate::{
    backend::{Backend, Behaviour, Received},
    relay::{message, push, push_with, safe},
};

async fn start(url: &str) -> Stack {
    let plan = Plan::default().sites(0);
    plan.gateway("GATEWAY__RELAY__URL", url).start().await
}

async fn answering() -> Backend {
    Backend::start(Behaviour::Answer(200, "text/plain", b"success".to_vec())).await
}

fn only(backend: &Backend) -> Received {
    let received = backend.received();
    let [received] = received.as_slice() else {
        panic!("one request, not {received:?}")
    };
    received.clone()
}

#[tokio::test]
async fn the_backends_own_query_comes_before_that_of_the_push() {
    let backend = answering().await;
    let place = backend.address;
    for (url, target) in [
        (format!("http://{place}/?key"), "/?key&"),
        (format!("http://{place}?key=a%20b&c"), "/?key=a%20b&c&"),
        (format!("http://{place}/wx/?m=1"), "/wx/?m=1&"),
        (format!("http://{place}/wx?"), "/wx?"),
        (format!("http://{place}/wx/"), "/wx/?"),
        (format!("http://{place}"), "/?"),
    ] {
        let stack = start(&url).await;
        let sent = safe(&message("你好"));
        assert_eq!(push(&stack, &sent).await.status(), 200, "{url}");
        let received = only(&backend);
        assert_eq!(received.target, format!("{target}{}", sent.query), "{url}");
        assert_eq!(received.body, sent.body, "{url}");
        backend.forget();
    }
}

#[tokio::test]
async fn a_name_and_a_password_in_the_address_are_sent_as_such() {
    let backend = answering().await;
    let stack = start(&format!("http://shop:p%40ss@{}/wx", backend.address)).await;
    assert_eq!(push(&stack, &safe(&message("你好"))).await.status(), 200);
    // shop:p@ss
    assert_eq!(
        only(&backend).header("authorization"),
        ["Basic c2hvcDpwQHNz"]
    );
}

#[tokio::test]
async fn an_address_that_is_no_good_isnt_repeated() {
    let log = system_tests::log_folder::create();
    for (url, complaint) in [
        (
            "ftp://shop:hunter2@example.com/",
            "must begin with http:// or https://",
        ),
        ("http://shop:hunter2@/", "is not a URL"),
        ("example.com/?hunter2", "is not a URL"),
        (
            "http://example.com/?hunter2#part",
            "must not have a fragment",
        ),
    ] {
        let stack = Plan::default().sites(0).gateways(0).start().await;
        let mut environment = stack.gateway_environment();
        environment.push(("GATEWAY__RELAY__URL".to_owned(), url.to_owned()));
        let program = system_tests::binaries::path("wechat-gateway");
        let none: [&str; 0] = [];
        let mut gateway =
            system_tests::process::start("gateway", program, none, &environment, &log);
        let said = gateway.said().await;
        assert!(said.contains("GATEWAY__RELAY__URL"), "{said}");
        assert!(said.contains(complaint), "{url}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn the_backend_is_told_who_pushed_and_how() {
    let backend = answering().await;
    let plan = Plan::default()
        .sites(0)
        .gateway("GATEWAY__RELAY__URL", &backend.url());
    let forwarded = |address: &str, protocol: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", address.parse().expect("a value"));
        headers.insert("x-forwarded-proto", protocol.parse().expect("a value"));
        headers.insert("x-request-id", "edge-17".parse().expect("a value"));
        headers
    };
    let trusting = plan
        .clone()
        .gateway("GATEWAY__PUBLIC__TRUSTED_PROXIES", "127.0.0.1/32");
    for (plan, headers, address, protocol) in [
        (
            &trusting,
            forwarded("203.0.113.9", "https"),
            "203.0.113.9",
            "https",
        ),
        (
            &trusting,
            forwarded("198.51.100.1, 2001:db8::9", "HTTPS"),
            "2001:db8::9",
            "https",
        ),
        (
            &trusting,
            forwarded("203.0.113.9", "gopher"),
            "203.0.113.9",
            "http",
        ),
        (
            &trusting,
            forwarded("203.0.113.9", "http, https"),
            "203.0.113.9",
            "https",
        ),
        (&trusting, HeaderMap::new(), "127.0.0.1", "http"),
        // Nobody's word counts who is no proxy of ours.
        (
            &plan,
            forwarded("203.0.113.9", "https"),
            "127.0.0.1",
            "http",
        ),
    ] {
        let named = !headers.is_empty();
        let stack = plan.clone().start().await;
        let answer = push_with(&stack, &safe(&message("你好")), headers).await;
        assert_eq!(answer.status(), 200);
        let id = answer.headers()["x-request-id"].to_str().expect("a text");
        let received = only(&backend);
        assert_eq!(received.header("x-forwarded-for"), [address]);
        assert_eq!(received.header("x-forwarded-proto"), [protocol]);
        assert_eq!(received.header("x-request-id"), [id]);
        assert!(!named || id == "edge-17", "{id}");
        backend.forget();
    }
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let backend = answering().await;
    let mut stack = start(&format!("http://{}/wx?key=hunter2", backend.address)).await;
    let place = backend.address;
    for (status, location, to) in [
        (
            301,
            "https://shop.example.com/hunter2".to_owned(),
            "https://shop.example.com,",
        ),
        (
            302,
            "/hunter2/?key=hunter2#x".to_owned(),
            &*format!("http://{place},"),
        ),
        (303, "hunter2/".to_owned(), &format!("http://{place},")),
        (
            307,
            "//shop.example.com/".to_owned(),
            "http://shop.example.com,",
        ),
        (
            308,
            "https://shop:hunter2@shop.example.com:8443/?hunter2".to_owned(),
            "https://shop.example.com:8443,",
        ),
        (301, "http://[".to_owned(), "an address that can't be read"),
        (301, String::new(), &format!("http://{place},")),
        (
            302,
            format!("/{}", "x".repeat(3000)),
            &format!("http://{place},"),
        ),
        (
            302,
            format!("http://{}.example.com/", "x".repeat(3000)),
            "an address that can't be read",
        ),
        (
            302,
            "data:,hunter2".to_owned(),
            "an address that can't be read",
        ),
    ] {
        backend.behave(Behaviour::Redirect(status, location.clone()));
        let seen = stack.gateways[0].process.lines().len();
        let answer = push(&stack, &safe(&message("你好"))).await;
        assert_eq!(answer.status(), 200, "{location}");
        assert_eq!(answer.text().await.expect("a body"), "success");
        let gateway = &mut stack.gateways[0].process;
        let line = gateway.line_with_after("couldn't be relayed", seen).await;
        let expected = format!("the backend answered HTTP {status}, a redirect to ");
        assert!(line.contains(&expected), "{line}");
        assert!(line.contains(to), "{line}");
        assert!(line.len() < 600, "{line}");
        assert!(!line.contains("hunter2"), "{line}");
        assert_eq!(backend.received().len(), 1, "it wasn't followed");
        backend.forget();
    }
}
