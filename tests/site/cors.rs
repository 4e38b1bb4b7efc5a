//! Pages of the origins that a setting names may use the API, and no others.

use reqwest::{Method, header::HeaderMap};
use system_tests::{
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};

use crate::{
    answers::{assert_problem, header, retry_after},
    configuration::{Configuration, run},
    headers::exchange,
    web_authorization::{assert_failed, assert_goes_on, begin_from, come_back, with},
};

const PAGE: &str = "https://www.example.com";
const OTHER_PAGE: &str = "http://localhost:3000";
const SETTING: &str = "SITE__PUBLIC__ALLOWED_ORIGINS";

/// Origins that look like the allowed ones.
const FOREIGN: [&str; 14] = [
    "https://evil.example",
    "http://www.example.com",
    "https://www.example.com:8443",
    "https://www.example.com:443",
    "https://www.example.com/",
    "https://www.example.com.",
    "https://WWW.EXAMPLE.COM",
    "https://www.example.com.evil.example",
    "https://user@www.example.com",
    "https://example.com",
    "https://www.example.com, http://localhost:3000",
    "http://localhost:3001",
    "null",
    "*",
];

/// What says that a page may do or read something.
const PERMISSIONS: [&str; 6] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
];

fn plan() -> Plan {
    Plan::default().site(SETTING, &format!("{PAGE}, {OTHER_PAGE}"))
}

/// A browser that shows a page of this origin. Browsers call it cross-site or same-site; both may
/// be.
fn on_page(stack: &Stack, origin: &str) -> Visitor {
    let mut visitor = stack.visitor();
    visitor.set_header("origin", origin);
    visitor.set_header("sec-fetch-site", "same-site");
    visitor
}

/// The page of this origin reads the answer, cookies or not, and no cache gives it to another page.
#[track_caller]
fn assert_readable(headers: &HeaderMap, origin: &str) {
    assert_eq!(header(headers, "access-control-allow-origin"), origin);
    assert_eq!(header(headers, "access-control-allow-credentials"), "true");
    assert_eq!(
        header(headers, "access-control-expose-headers"),
        "retry-after"
    );
    assert_varies(headers);
}

#[track_caller]
fn assert_varies(headers: &HeaderMap) {
    assert_eq!(header(headers, "vary"), "origin", "{headers:?}");
}

#[track_caller]
fn assert_nothing_allowed(headers: &HeaderMap) {
    for name in PERMISSIONS {
        assert_eq!(headers.get(name), None);
    }
}

async fn preflight(visitor: &mut Visitor, path: &str) -> Answer {
    visitor.set_header("access-control-request-method", "DELETE");
    visitor.call(Method::OPTIONS, path).await
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_logs_a_visitor_in_and_out() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    for (origin, site) in [(PAGE, "same-site"), (OTHER_PAGE, "cross-site")] {
        let mut visitor = on_page(&stack, origin);
        visitor.set_header("sec-fetch-site", site);
        let started = visitor.call(Method::POST, "/api/login").await;
        assert_eq!(started.status, 201, "{}", started.text);
        assert_readable(&started.headers, origin);
        let stream = visitor.send(Method::GET, "/api/login/events").await;
        assert_eq!(stream.status(), 200);
        assert_readable(stream.headers(), origin);
        let content = started.json["qr"]["content"].as_str().expect("a code");
        stack.wechat.scan(&person, content).await;
        for (method, path, status) in [
            (Method::GET, "/api/login", 200),
            (Method::POST, "/api/login/complete", 200),
            (Method::GET, "/api/session", 200),
            (Method::DELETE, "/api/session", 204),
            (Method::GET, "/api/session", 401),
            (Method::DELETE, "/api/sessions", 204),
            (Method::DELETE, "/api/login", 204),
        ] {
            let answer = visitor.call(method, path).await;
            assert_eq!(answer.status, status, "{path} {}", answer.text);
            assert_readable(&answer.headers, origin);
        }
    }
}

#[tokio::test]
async fn the_page_reads_what_is_wrong_too() {
    let plan = plan()
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "1")
        .site("SITE__LIMITS__WAITING_PER_CLIENT", "1");
    let mut stack = plan.start().await;
    let mut visitor = on_page(&stack, PAGE);
    visitor.start_login().await;
    let _stream = visitor.events().await;
    let full = visitor.call(Method::GET, "/api/login/events").await;
    assert_problem(&full, 429, "too_many_waiting");
    assert_eq!(retry_after(&full), 30);
    let mut another = on_page(&stack, PAGE);
    let limited = another.call(Method::POST, "/api/login").await;
    assert_problem(&limited, 429, "too_many_logins");
    assert!(retry_after(&limited) > 0);
    let early = visitor.call(Method::POST, "/api/login/complete").await;
    assert_problem(&early, 409, "login_not_confirmed");
    let nothing = visitor.call(Method::GET, "/api/nothing").await;
    assert_problem(&nothing, 404, "not_found");
    let method = visitor.call(Method::PUT, "/api/login").await;
    assert_problem(&method, 405, "method_not_allowed");
    stack.redis.kill();
    let away = another.call(Method::POST, "/api/login").await;
    assert_problem(&away, 503, "store_unavailable");
    for answer in [full, limited, early, nothing, method, away] {
        assert_readable(&answer.headers, PAGE);
    }
    let large = format!(
        "POST /api/login HTTP/1.1\r\nHost: localhost\r\nOrigin: {PAGE}\r\nContent-Length: 1025\r\n\r\n"
    );
    let answer = exchange(&stack.sites[0].public, large.as_bytes());
    assert!(answer.contains("payload_too_large"), "{answer}");
    let allowed = format!("access-control-allow-origin: {PAGE}\r\n");
    assert!(answer.contains(&allowed), "{answer}");
}

#[tokio::test]
async fn a_preflight_names_what_the_modal_sends() {
    let stack = plan().start().await;
    for path in ["/api/login", "/api/session", "/api/sessions"] {
        let answer = preflight(&mut on_page(&stack, PAGE), path).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
        assert_eq!(answer.text, "");
        assert_readable(&answer.headers, PAGE);
        let said = |name: &str| header(&answer.headers, name);
        assert_eq!(said("access-control-allow-methods"), "GET, POST, DELETE");
        assert_eq!(said("access-control-allow-headers"), "accept");
        assert_eq!(said("access-control-max-age"), "7200");
        assert_eq!(said("cache-control"), "no-store");
    }
    // Without the question there is no answer to it.
    let mut visitor = on_page(&stack, PAGE);
    let answer = visitor.call(Method::OPTIONS, "/api/login").await;
    assert_problem(&answer, 405, "method_not_allowed");
}

#[tokio::test]
async fn any_other_origin_is_refused_and_reads_nothing() {
    let stack = plan().start().await;
    let codes = stack.wechat.calls("/cgi-bin/qrcode/create").await;
    for origin in FOREIGN {
        let mut visitor = on_page(&stack, origin);
        for (method, path) in [
            (Method::POST, "/api/login"),
            (Method::DELETE, "/api/login"),
            (Method::POST, "/api/login/complete"),
            (Method::POST, "/api/login/web-authorization"),
            (Method::DELETE, "/api/session"),
            (Method::DELETE, "/api/sessions"),
        ] {
            let answer = visitor.call(method, path).await;
            assert_problem(&answer, 403, "foreign_origin");
            assert_nothing_allowed(&answer.headers);
            assert_varies(&answer.headers);
        }
        for path in ["/api/login", "/api/login/events", "/api/session"] {
            let answer = visitor.call(Method::GET, path).await;
            assert_nothing_allowed(&answer.headers);
            assert_varies(&answer.headers);
        }
        let answer = preflight(&mut visitor, "/api/login").await;
        assert_problem(&answer, 403, "foreign_origin");
        assert_nothing_allowed(&answer.headers);
        assert_varies(&answer.headers);
    }
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, codes);
}

#[tokio::test]
async fn a_page_that_sends_no_origin_is_judged_as_before() {
    let stack = plan().start().await;
    for (site, status) in [
        ("same-origin", 201),
        ("same-site", 403),
        ("cross-site", 403),
    ] {
        let mut visitor = stack.visitor();
        visitor.set_header("sec-fetch-site", site);
        let answer = visitor.call(Method::POST, "/api/login").await;
        assert_eq!(answer.status, status, "{site}");
        assert_nothing_allowed(&answer.headers);
        assert_varies(&answer.headers);
    }
}

#[tokio::test]
async fn nothing_but_the_api_is_opened() {
    let stack = plan().start().await;
    let mut visitor = on_page(&stack, PAGE);
    for path in ["/login/wechat", "/login/wechat/stopped", "/nothing"] {
        let answer = visitor.call(Method::GET, path).await;
        assert_nothing_allowed(&answer.headers);
    }
    // What is in the binary is for every page, and the same for every visitor.
    for path in ["/", "/assets/wechat-login.js"] {
        let file = visitor.call(Method::GET, path).await;
        let allowed = header(&file.headers, "access-control-allow-origin");
        assert_eq!(allowed, "*");
        let credentials = file.headers.get("access-control-allow-credentials");
        assert_eq!(credentials, None);
    }
    let answer = preflight(&mut visitor, "/").await;
    assert_problem(&answer, 405, "method_not_allowed");
}

#[tokio::test]
async fn without_the_setting_there_is_no_other_origin() {
    let stack = Plan::default().start().await;
    let mut visitor = on_page(&stack, PAGE);
    for (method, status) in [(Method::POST, 403), (Method::GET, 404)] {
        let answer = visitor.call(method, "/api/login").await;
        assert_eq!(answer.status, status);
        assert_nothing_allowed(&answer.headers);
        assert_eq!(answer.headers.get("vary"), None);
    }
    let answer = preflight(&mut visitor, "/api/login").await;
    assert_problem(&answer, 405, "method_not_allowed");
    assert_nothing_allowed(&answer.headers);
}

#[tokio::test]
async fn inside_wechat_a_visitor_gets_back_to_the_page_of_an_allowed_origin() {
    let mut stack = plan().start().await;
    stack.publish_site().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = on_page(&stack, PAGE);
    let page = "https://www.example.com/shop?item=1";
    let authorize_url = begin_from(&mut visitor, page).await;
    let back = stack.wechat.authorize(&person, &authorize_url).await;
    // WeChat's own fragment must not stay on the page.
    assert_goes_on(&come_back(&mut visitor, &back).await, &format!("{page}#"));
    let exact = with(&back, "return_to", "HTTPS://www.Example.com:443/a/../b#c");
    let answer = come_back(&mut visitor, &exact).await;
    assert_goes_on(&answer, "https://www.example.com/b#c");

    let declined = with(&back, "code", "");
    let mut another = stack.visitor();
    let answer = come_back(&mut another, &declined).await;
    assert_failed(&mut another, &answer, "elsewhere", "请从头登录").await;
    let stopped = format!("/login/{}", header(&answer.headers, "location"));
    let told = another.call(Method::GET, &stopped).await;
    assert!(told.text.contains(&format!("href=\"{page}\"")));
}

#[tokio::test]
async fn nobody_is_sent_to_an_origin_that_only_looks_like_an_allowed_one() {
    let mut stack = plan().start().await;
    stack.publish_site().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = on_page(&stack, PAGE);
    let authorize_url = begin_from(&mut visitor, "/").await;
    let back = stack.wechat.authorize(&person, &authorize_url).await;
    for hostile in [
        "https://evil.example/",
        "http://www.example.com/",
        "//www.example.com/",
        "https://www.example.com:8443/",
        "https://www.example.com./",
        "https://www.example.com.evil.example/",
        "https://www.example.com@evil.example/",
        "https://user@www.example.com/",
        "https://:a@www.example.com/",
        "https://evil.example\\@www.example.com/",
        "https://www.example.com\\.evil.example/",
        "https:\\\\www.example.com/",
        "https://www.example.com%2eevil.example/",
        "https://www.ex\tample.com/",
        "https://www.example.com/\r\nset-cookie: a=b",
        "https://www。example。com/",
        "https://www.xn--exmple-cua.com/",
        "blob:https://www.example.com/1",
        "javascript://www.example.com/%0aalert(1)",
    ] {
        let authorize_url = begin_from(&mut visitor, hostile).await;
        assert!(authorize_url.contains("return_to%3D%252F&"), "{hostile:?}");
        // The address comes back through hands that aren't ours.
        let answer = come_back(&mut visitor, &with(&back, "return_to", hostile)).await;
        assert_eq!(header(&answer.headers, "location"), "/#", "{hostile:?}");
        let query: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
        let address = format!("/login/wechat/stopped?because=over&return_to={query}");
        let page = visitor.call(Method::GET, &address).await;
        assert!(page.text.contains("href=\"/\""), "{hostile:?}");
    }
}

#[test]
fn a_list_that_would_open_more_or_nothing_never_starts() {
    let http = "must be https, because public.url is https";
    let origin = "must be scheme, host and optionally a port";
    for (value, wrong) in [
        ("*", origin),
        ("null", origin),
        ("https://*.example.com", origin),
        ("https://www.example.com/", origin),
        ("https://www.example.com/shop", origin),
        ("https://user@www.example.com", origin),
        ("https://www.example.com:443", origin),
        ("https://WWW.example.com", origin),
        ("www.example.com", origin),
        ("ftp://www.example.com", origin),
        ("https://www.example.com, *", origin),
        ("http://www.example.com", http),
        ("https://www.example.com,http://shop.example.com", http),
    ] {
        let mut configuration = Configuration::default();
        configuration.set("SITE__PUBLIC__URL", "https://login.example.com");
        configuration.set(SETTING, value);
        let ended = run(&[], &configuration);
        assert_eq!(ended.code, Some(2), "{value}: {}", ended.errors);
        assert_eq!(ended.output, "", "{value}");
        let beginning = format!("{SETTING} (public.allowed_origins) {wrong}");
        assert!(ended.errors.contains(&beginning), "{}", ended.errors);
        assert_eq!(ended.errors.lines().count(), 2, "{}", ended.errors);
    }
}

#[tokio::test]
async fn a_page_on_ones_own_machine_needs_no_tls() {
    let plan = Plan::default()
        .site("SITE__PUBLIC__URL", "https://login.example.com")
        .site(SETTING, "https://www.example.com,http://localhost:3000");
    let stack = plan.start().await;
    for origin in [PAGE, OTHER_PAGE] {
        let answer = on_page(&stack, origin)
            .call(Method::POST, "/api/login")
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_readable(&answer.headers, origin);
    }
    let own = on_page(&stack, "https://login.example.com")
        .call(Method::POST, "/api/login")
        .await;
    assert_eq!(own.status, 201, "{}", own.text);
}
