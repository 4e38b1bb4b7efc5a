//! The hosted login page: where it goes on to, what it is called, and what `/` leads to.

use reqwest::Method;
use system_tests::{
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};

use crate::{answers::header, session::signed_in};

const ORIGINS: &str = "SITE__PUBLIC__ALLOWED_ORIGINS";

fn plan() -> Plan {
    Plan::default()
        .site("SITE__PAGE__DEMO", "false")
        .site(ORIGINS, "https://www.example.com")
}

async fn open(visitor: &mut Visitor, return_to: &str) -> Answer {
    let query: String = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
    let path = format!("/login?return_to={query}");
    visitor.call(Method::GET, &path).await
}

#[track_caller]
fn assert_goes_on(answer: &Answer, to: &str) {
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(header(&answer.headers, "location"), to);
    assert_eq!(header(&answer.headers, "cache-control"), "no-store");
}

#[tokio::test]
async fn the_page_goes_on_to_named_origins_and_nowhere_else() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut guest = stack.visitor();
    let mut member = signed_in(&stack, &person).await;
    for (asked, kept) in [
        ("/shop?item=1#reviews", "/shop?item=1#reviews"),
        (
            "https://www.example.com/a?b=c",
            "https://www.example.com/a?b=c",
        ),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ] {
        let page = open(&mut guest, asked).await;
        assert_eq!(page.status, 200);
        let told = format!("data-return-to=\"{kept}\"");
        assert!(page.text.contains(&told), "{asked}: {}", page.text);
        assert_goes_on(&open(&mut member, asked).await, kept);
    }
    let page = guest.call(Method::GET, "/login").await;
    assert!(page.text.contains("data-return-to=\"/\""), "{}", page.text);
    assert_goes_on(&member.call(Method::GET, "/login").await, "/");
}

#[tokio::test]
async fn the_page_is_protected_and_has_no_script_of_its_own() {
    let stack = plan().start().await;
    let mut visitor = stack.visitor();
    let page = open(&mut visitor, "/\"><script>alert(1)</script>").await;
    assert_eq!(
        header(&page.headers, "content-type"),
        "text/html; charset=utf-8"
    );
    assert_eq!(header(&page.headers, "cache-control"), "no-store");
    assert_eq!(
        header(&page.headers, "cross-origin-opener-policy"),
        "same-origin"
    );
    assert!(header(&page.headers, "content-security-policy").contains("script-src 'self';"));
    for script in page.text.split("<script").skip(1) {
        assert!(
            script.starts_with(" type=\"module\" src=\"/assets/"),
            "{}",
            page.text
        );
    }
    assert!(
        page.text.contains("<wechat-login id=\"login\" inline "),
        "{}",
        page.text
    );
    for asset in [
        "login-page.js",
        "login-page.css",
        "login-stopped.css",
        "icon.svg",
    ] {
        let path = format!("/assets/{asset}");
        assert!(page.text.contains(&path), "{}", page.text);
        assert_eq!(visitor.call(Method::GET, &path).await.status, 200, "{path}");
    }
    let head = visitor.call(Method::HEAD, "/login").await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    let posted = visitor.call(Method::POST, "/login").await;
    assert_eq!(posted.status, 405);
}

#[tokio::test]
async fn the_page_has_the_sites_name_and_logo_in_the_visitors_language() {
    let plan = plan().site("SITE__LOGIN__SITE_NAME", "花店");
    let stack = plan.clone().start().await;
    let mut visitor = stack.visitor();
    for (accepted, lang, title) in [
        ("zh-CN,en;q=0.5", "zh-CN", "登录花店"),
        ("zh-HK", "zh-TW", "登入花店"),
        ("en-GB,zh;q=0.5", "en", "Log in to 花店"),
    ] {
        visitor.set_header("accept-language", accepted);
        let page = visitor.call(Method::GET, "/login").await;
        assert!(page.text.contains(&format!("<html lang=\"{lang}\">")));
        assert!(
            page.text.contains(&format!("<h1>{title}</h1>")),
            "{}",
            page.text
        );
        assert_eq!(header(&page.headers, "content-language"), lang);
        assert!(header(&page.headers, "vary").contains("Accept-Language"));
        assert!(!page.text.contains("<img"), "{}", page.text);
    }
    let plan = plan
        .site("SITE__PAGE__NAME", "花店 & <友>")
        .site("SITE__PAGE__LOGO", "/logo.svg?a=1&b")
        .site("SITE__PUBLIC__URL", "http://localhost/passport");
    let stack = plan.start().await;
    let page = stack.visitor().call(Method::GET, "/login").await.text;
    assert!(
        page.contains("<h1>登录花店 &#38; &#60;友&#62;</h1>"),
        "{page}"
    );
    assert!(page.contains("src=\"/logo.svg?a=1&#38;b\""), "{page}");
    assert!(
        page.contains("src=\"/passport/assets/wechat-login.js\""),
        "{page}"
    );
    assert!(page.contains("api=\"/passport\""), "{page}");
}

async fn front(stack: &Stack, visitor: &mut Visitor) -> Answer {
    visitor.move_to(&stack.sites[0].public);
    visitor.call(Method::GET, "/").await
}

#[tokio::test]
async fn the_front_leads_to_the_page_and_never_in_a_circle() {
    let stack = plan().start().await;
    let mut guest = stack.visitor();
    assert_goes_on(&front(&stack, &mut guest).await, "/login");
    let person = stack.wechat.person("小<林>", true).await;
    let mut member = signed_in(&stack, &person).await;
    let page = front(&stack, &mut member).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("小&#60;林&#62;"), "{}", page.text);
    assert!(
        page.text.contains("data-session=\"/api/session\""),
        "{}",
        page.text
    );
    assert!(!page.text.contains("<wechat-login"), "{}", page.text);
    member.call(Method::DELETE, "/api/session").await;
    assert_goes_on(&front(&stack, &mut member).await, "/login");
}

#[tokio::test]
async fn the_front_is_the_demonstration_where_it_is_asked_for() {
    let stack = Plan::default()
        .site("SITE__PAGE__DEMO", "true")
        .start()
        .await;
    let page = stack.visitor().call(Method::GET, "/").await;
    assert!(page.text.contains("/assets/page.js"), "{}", page.text);
    let page = stack.visitor().call(Method::GET, "/login").await;
    assert!(page.text.contains("/assets/login-page.js"), "{}", page.text);
}

#[tokio::test]
async fn without_redis_the_page_is_there_and_the_modal_says_what_is_wrong() {
    let mut stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut member = signed_in(&stack, &person).await;
    stack.redis.kill();
    let page = open(&mut member, "/shop").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<wechat-login"), "{}", page.text);
}

#[tokio::test]
async fn a_ticket_that_waits_isnt_taken_by_the_page() {
    let key = "a-key-for-the-shops-backend-0123456789";
    let plan = plan().site("SITE__INTERNAL__API_KEY", key);
    let stack = crate::web_authorization::start(plan).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = crate::web_authorization::returning(&stack, &person).await;
    crate::web_authorization::come_back(&mut visitor, &back).await;
    assert_goes_on(&open(&mut visitor, "/shop").await, "/shop");
    assert_eq!(visitor.call(Method::GET, "/").await.status, 200);
    let session = visitor.call(Method::GET, "/api/session").await;
    assert!(session.json["ticket"].is_string(), "{}", session.text);
}
