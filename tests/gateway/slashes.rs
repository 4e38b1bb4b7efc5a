//! Doubled slashes and slashes at the end, as reverse proxies make them, and addresses that nothing
//! is at.

use login_protocol::attempt::AttemptStatus;
use reqwest::Method;
use system_tests::{
    attempts::{self, new_openid},
    stack::{API_KEY, Plan},
};

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, scan, sealed_reply},
};

const CALLBACKS: [&str; 6] = [
    "/wechat/callback",
    "/wechat/callback/",
    "//wechat/callback",
    "/wechat//callback",
    "//wechat///callback//",
    "/wechat/callback////",
];

#[tokio::test]
async fn every_way_to_write_the_callbacks_address_is_the_callback() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let store = stack.redis.store();
    for path in CALLBACKS {
        let signed = PushRequest::signed("");
        let query = ["signature", "timestamp", "nonce"].map(|name| (name, signed.parameter(name)));
        let verification = http::client()
            .get(format!("{}{path}", gateway.public))
            .query(&query)
            .query(&[("echostr", "12345")]);
        let answer = http::send(verification).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (200, "12345"),
            "{path}"
        );

        let scene = attempts::open(&store).await;
        let person = new_openid();
        let push = PushRequest::safe(&scan(&person, &scene)).at(path);
        sealed_reply(&push.send(gateway).await, &person);
        let status = attempts::status(&store, &scene).await;
        assert_eq!(status, AttemptStatus::Confirmed, "{path}");

        let forged = PushRequest::safe(&scan(&person, &scene)).at(path);
        let forged = forged.with("msg_signature", "0000000000000000000000000000000000000000");
        forged.is_refused(gateway, 403, path).await;
    }
}

#[tokio::test]
async fn the_internal_addresses_are_as_lenient_and_ask_for_the_key_all_the_same() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    for path in [
        "/healthz/",
        "//healthz",
        "/readyz/",
        "/metrics//",
        "/openapi.json/",
    ] {
        let answer = http::send(http::client().get(format!("{}{path}", gateway.internal))).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let body = serde_json::json!({
        "scene": "login_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "ttl_seconds": 300
    });
    for path in ["/v1/qrcodes/", "//v1/qrcodes", "/v1//qrcodes"] {
        let answer = http::post(gateway, path, &body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
    }
    for path in ["/v1/access-token/", "//v1//access-token", "//v1/members/a"] {
        let answer = http::send(http::client().get(format!("{}{path}", gateway.internal))).await;
        assert_problem(&answer, 401, "invalid_api_key");
    }
    assert_eq!(http::get(gateway, "/v1/access-token/").await.status, 200);
    let metrics = http::get(gateway, "/metrics").await.text;
    for route in ["/healthz", "/v1/qrcodes", "/v1/access-token"] {
        assert!(metrics.contains(&format!("route=\"{route}\"")), "{metrics}");
    }
    assert!(
        !metrics.contains("route=\"//") && !metrics.contains("/\","),
        "{metrics}"
    );
    assert!(!metrics.contains("unmatched"), "{metrics}");
}

#[tokio::test]
async fn slashes_open_nothing() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    for path in [
        "//v1/qrcodes",
        "/v1//access-token",
        "//v1/members/oSim000000000000000000000000/",
        "//healthz/",
        "//metrics",
        "//wechat/..%2fv1/access-token",
        "//wechat/..%2f..%2fmetrics/",
        "/wechat%2fcallback",
        "/%2fwechat/callback",
        "//wechat/callback/%2f",
        "//evil.example",
        "//evil.example/wechat/callback",
        "/\\wechat/callback",
        "//wechat/callback/../../v1/access-token/",
        "/wechat/callback/..//..//metrics",
        "//wechat/%2e%2e/metrics/",
        "http://evil.example//metrics",
    ] {
        // Byte by byte, since a client's library would read the path itself.
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {API_KEY}\r\n\r\n"
        );
        let answer = http::exchange(&gateway.public, request.into_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(
            answer.contains("\"code\":\"not_found\""),
            "{path}: {answer}"
        );
        assert!(
            !answer.to_lowercase().contains("location:"),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn an_address_that_nothing_is_at_is_logged_once_and_without_secrets() {
    let mut stack = http::start(Plan::default()).await;
    let gateway = &mut stack.gateways[0];
    let query = "signature=c0ffee&timestamp=1&nonce=2&openid=oFirstSecret";
    for method in [Method::POST, Method::GET, Method::POST] {
        for path in [
            "/weixin/callback",
            "/weixin/callback/",
            "//weixin//callback",
        ] {
            let url = format!("{}{path}?{query}", gateway.public);
            let request = http::client().request(method.clone(), url);
            assert_problem(&http::send(request).await, 404, "not_found");
        }
    }
    for path in [
        "/wechat/callback%3Fcode=0c1secret2",
        "/wechat/calback/0123456789secret",
        "/0123456789abcdef0123456789secret",
        "/wechat/calback?code=secret",
    ] {
        let request = http::client().get(format!("{}{path}", gateway.public));
        assert_problem(&http::send(request).await, 404, "not_found");
    }
    // What is known is no news.
    let forged = PushRequest::signed("").with("signature", "");
    forged.is_refused(gateway, 403, "a forged push").await;
    for number in 0..1000 {
        let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let word = [number / 100, number / 10 % 10, number % 10].map(|digit| letters[digit]);
        let request = http::client().get(format!("{}/{}", gateway.public, word.concat()));
        assert_eq!(http::send(request).await.status, 404);
    }

    gateway.process.line_with("path=\"others\"").await;
    gateway.process.signal(rustix::process::Signal::TERM);
    let said = gateway.process.said().await;
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("no route matches"))
        .collect();
    let about = |path: &str| {
        let path = format!("path=\"{path}\" ");
        lines.iter().filter(|line| line.contains(&path)).count()
    };
    assert_eq!(about("/weixin/callback"), 1, "{lines:#?}");
    assert_eq!(about("/wechat/calback"), 1, "{lines:#?}");
    assert_eq!(about("/wechat/calback/…"), 1, "{lines:#?}");
    assert_eq!(about("/wechat/*"), 1, "{lines:#?}");
    assert!(lines.len() <= 40, "{}", lines.len());
    for secret in ["secret", "Secret", "c0ffee", "nonce", "code"] {
        assert!(!lines.concat().contains(secret), "{secret}: {lines:#?}");
    }
}
