//! Logging in by a code of ours, which opens a page on the phone.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Visitor,
};

use crate::{
    phone_browser::PhoneBrowser,
    profile::{link, open},
};

pub(crate) async fn start_with(plan: Plan) -> Stack {
    let plan = plan
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .site("SITE__LOGIN__METHOD", "page")
        .site("SITE__LOGIN__SITE_NAME", "花店");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    stack
}

/// Opens the modal and returns what its code encodes.
pub(crate) async fn shown(visitor: &mut Visitor) -> String {
    let answer = visitor.call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.json["method"], "page");
    assert_eq!(answer.json["code"], Value::Null);
    assert_eq!(answer.json["qr"]["image_url"], Value::Null);
    let svg = answer.json["qr"]["svg"].as_str().expect("it is drawn");
    assert!(svg.starts_with("<svg"), "{svg}");
    let content = answer.json["qr"]["content"].as_str();
    content.expect("there is a code").to_owned()
}

fn text(page: &Value) -> &str {
    page["body"].as_str().expect("a page has a body")
}

async fn press(stack: &Stack, person: &Person, code: &str, decision: &str) -> Value {
    let form = json!({ "url": code, "form": { "decision": decision } });
    open(stack, person, form).await
}

#[tokio::test]
async fn the_page_says_who_asks_and_confirming_logs_in_without_following() {
    let stack = start_with(Plan::default()).await;
    let codes = stack.wechat.calls("/cgi-bin/qrcode/create").await;
    let person = stack.wechat.person("小林", false).await;
    let mut visitor = stack.visitor();
    let code = shown(&mut visitor).await;
    let scanned = stack.wechat.scan(&person, &code).await;
    assert_eq!(scanned, json!({ "outcome": "page", "url": code }));
    let page = open(&stack, &person, json!({ "url": code })).await;
    for expected in ["登录花店", "127.0.0.x", "(UTC+8)", "确认登录"] {
        assert!(text(&page).contains(expected), "{expected}: {page}");
    }
    assert_eq!(visitor.status().await, "scanned", "it always asks");
    // Another scan of the same person shows the same.
    let again = open(&stack, &person, json!({ "url": code })).await;
    assert!(text(&again).contains("登录花店"), "{again}");
    let page = press(&stack, &person, &code, "confirm").await;
    assert!(text(&page).contains("已确认登录"), "{page}");
    let user = visitor.complete().await;
    assert_eq!(user["openid"], person.openid);
    assert_eq!(user["subscribed"], false);
    assert!(user["sub"].is_string(), "{user}");
    let taken = stack.wechat.calls("/cgi-bin/qrcode/create").await - codes;
    assert_eq!(taken, 0, "no quota of codes");
}

#[tokio::test]
async fn a_second_phone_is_told_and_can_decide_nothing() {
    let stack = start_with(Plan::default()).await;
    let (first, second) = (
        stack.wechat.person("小林", true).await,
        stack.wechat.person("小王", true).await,
    );
    let mut visitor = stack.visitor();
    let code = shown(&mut visitor).await;
    let page = open(&stack, &first, json!({ "url": code })).await;
    assert!(text(&page).contains("登录花店"), "{page}");
    let page = open(&stack, &second, json!({ "url": code })).await;
    assert!(text(&page).contains("已被别人打开"), "{page}");
    assert_eq!(visitor.status().await, "scanned");
    press(&stack, &first, &code, "deny").await;
    assert_eq!(visitor.status().await, "denied");
}

#[tokio::test]
async fn a_page_that_is_over_or_of_another_method_asks_nobody() {
    let stack = start_with(Plan::default().site("SITE__LOGIN__METHOD", "page")).await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let code = shown(&mut visitor).await;
    visitor.call(Method::DELETE, "/api/login").await;
    let page = open(&stack, &person, json!({ "url": code })).await;
    assert!(text(&page).contains("这次登录已结束"), "{page}");

    // A scan's attempt can't be opened, even by who knows its scene.
    let store = stack.redis.store();
    let scene = system_tests::attempts::open(&store).await;
    let (address, _) = code.split_once("scene=").expect("it names a scene");
    let invented = format!("{address}scene={}", scene.as_str());
    let page = open(&stack, &person, json!({ "url": invented })).await;
    assert!(text(&page).contains("这次登录已结束"), "{page}");
    let status = system_tests::attempts::status(&store, &scene).await;
    assert_eq!(status.as_str(), "pending");
}

#[tokio::test]
async fn only_the_browser_that_opened_the_code_decides() {
    let stack = start_with(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let code = shown(&mut visitor).await;
    let page = open(&stack, &person, json!({ "url": code })).await;
    let address = page["url"].as_str().expect("a page has an address");
    let mut thief = PhoneBrowser::new(&stack);
    let page = thief.get(&address.parse().expect("it is a URL")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(visitor.status().await, "scanned");
}

#[tokio::test]
async fn where_following_is_required_the_attempt_waits_for_it() {
    let stack = start_with(Plan::default().site("SITE__LOGIN__REQUIRE_FOLLOWING", "true")).await;
    let person = stack.wechat.person("小林", false).await;
    let mut visitor = stack.visitor();
    let code = shown(&mut visitor).await;
    let page = open(&stack, &person, json!({ "url": code })).await;
    assert!(text(&page).contains("请先关注公众号"), "{page}");
    assert_eq!(visitor.status().await, "pending");
    stack.wechat.follow(&person).await;
    press(&stack, &person, &code, "confirm").await;
    assert_eq!(visitor.complete().await["openid"], person.openid);
}

#[tokio::test]
async fn the_reply_to_the_follow_leads_back_to_the_login_that_waits_for_it() {
    let plan = Plan::default()
        .site("SITE__LOGIN__REQUIRE_FOLLOWING", "true")
        .gateway("GATEWAY__REPLY__WELCOME", "欢迎！");
    let stack = start_with(plan).await;
    let person = stack.wechat.person("小林", false).await;
    let mut over = stack.visitor();
    let code = shown(&mut over).await;
    open(&stack, &person, json!({ "url": code })).await;
    over.call(Method::DELETE, "/api/login").await;
    let mut visitor = stack.visitor();
    let code = shown(&mut visitor).await;
    open(&stack, &person, json!({ "url": code })).await;
    stack.wechat.follow(&person).await;
    let chat = stack.wechat.chat(&person).await;
    assert!(chat[0].contains("确认登录花店"), "{chat:?}");
    let link = link(&stack, &person).await.expect("a link");
    let page = open(&stack, &person, json!({ "url": link })).await;
    assert!(text(&page).contains("登录花店"), "{page}");
    press(&stack, &person, &link, "confirm").await;
    assert_eq!(visitor.complete().await["openid"], person.openid);

    // Who opened nothing, or another's login, is welcomed.
    let stranger = stack.wechat.person("小王", false).await;
    stack.wechat.follow(&stranger).await;
    assert_eq!(stack.wechat.chat(&stranger).await, ["欢迎！"]);
}

#[tokio::test]
async fn a_gateway_without_a_page_is_named_in_its_log() {
    let plan = Plan::default().site("SITE__LOGIN__METHOD", "page");
    let mut stack = plan.start().await;
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let logs = stack.logs_to_the_end().await;
    assert!(logs.contains("no page for logins"), "{logs}");
}
