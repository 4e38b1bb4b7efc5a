//! Several sites with words of their own on one gateway and one Redis: phones read the right name,
//! each site's rule holds, and a cookie of one is nobody's at another.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Visitor,
};

use crate::profile::{link, open};

const SHOP: usize = 0;
const FORUM: usize = 1;
const SILENT: usize = 2;

/// A shop that asks for a confirmation, a forum that doesn't, and a site that says nothing of
/// itself.
async fn three_sites(gateway_has_pages: bool) -> Stack {
    let mut stack = Plan::default()
        .gateway("GATEWAY__REPLY__SITE_NAME", "某网站")
        .gateway("GATEWAY__REPLY__RETURNING", "您已登录{site}")
        .gateway("GATEWAY__REPLY__TAKEN", "{site}：已被使用")
        .sites(0)
        .start()
        .await;
    if gateway_has_pages {
        stack.publish_gateway().await;
    }
    let plan = stack.plan.clone();
    for (url, words) in [
        ("https://shop.example.com", Some(("花店", "tap"))),
        ("https://forum.example.com", Some(("论坛", "scan"))),
        ("https://www.example.com", None),
    ] {
        let mut plan = plan.clone().site("SITE__PUBLIC__URL", url);
        if let Some((name, approval)) = words {
            plan = plan
                .site("SITE__LOGIN__SITE_NAME", name)
                .site("SITE__LOGIN__APPROVAL", approval);
        }
        stack.plan = plan;
        stack.add_site().await;
    }
    stack
}

fn visitor(stack: &Stack, site: usize) -> Visitor {
    Visitor::new(&stack.sites[site].public)
}

/// The newest line of their chat.
async fn reply(stack: &Stack, person: &Person) -> String {
    let chat = stack.wechat.chat(person).await;
    chat.last().cloned().expect("the account answered")
}

#[tokio::test]
async fn each_phone_reads_its_own_sites_name_and_each_sites_rule_holds() {
    let stack = three_sites(true).await;
    let person = stack.wechat.person("小林", true).await;

    let mut at_forum = visitor(&stack, FORUM);
    let content = at_forum.start_login().await;
    stack.wechat.scan(&person, &content).await;
    assert!(reply(&stack, &person).await.starts_with("您已登录论坛"));
    assert_eq!(at_forum.complete().await["openid"], person.openid);
    let other = stack.wechat.person("小王", true).await;
    stack.wechat.scan(&other, &content).await;
    assert_eq!(reply(&stack, &other).await, "论坛：已被使用");

    let mut at_silent = visitor(&stack, SILENT);
    let content = at_silent.start_login().await;
    stack.wechat.scan(&person, &content).await;
    assert!(reply(&stack, &person).await.starts_with("您已登录某网站"));
    assert_eq!(at_silent.complete().await["openid"], person.openid);

    let mut at_shop = visitor(&stack, SHOP);
    let content = at_shop.start_login().await;
    stack.wechat.scan(&person, &content).await;
    assert_eq!(at_shop.status().await, "scanned", "a press is to follow");
    assert!(reply(&stack, &person).await.contains("确认登录花店"));
    let link = link(&stack, &person).await.expect("the reply holds a link");
    let page = open(&stack, &person, json!({ "url": link })).await;
    assert!(page["body"].to_string().contains("登录花店"), "{page}");
    let pressed = json!({ "url": link, "form": { "decision": "confirm" } });
    open(&stack, &person, pressed).await;
    assert_eq!(at_shop.complete().await["openid"], person.openid);
}

/// Without its public address the gateway has no page to confirm on. The scan must not become a
/// login for that.
#[tokio::test]
async fn a_site_that_asks_for_a_press_logs_nobody_in_without_the_page_for_it() {
    let mut stack = three_sites(false).await;
    let person = stack.wechat.person("小林", true).await;
    let mut at_shop = visitor(&stack, SHOP);
    let content = at_shop.start_login().await;
    for _ in 0..2 {
        stack.wechat.scan(&person, &content).await;
        let reply = reply(&stack, &person).await;
        assert!(reply.contains("您没有登录"), "{reply}");
        assert_eq!(at_shop.status().await, "scanned");
    }
    let answer = at_shop.call(Method::POST, "/api/login/complete").await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    let logs = stack.logs_to_the_end().await;
    assert!(logs.contains("Set GATEWAY__PUBLIC__URL"), "{logs}");
}

/// What this browser is told of its attempt at a site that didn't begin it.
async fn is_nobodys(visitor: &mut Visitor) {
    assert_eq!(visitor.status().await, "expired");
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("expired"));
    assert_eq!(events.next_status().await, None);
    let answer = visitor.call(Method::POST, "/api/login/complete").await;
    assert_eq!(answer.status, 410, "{}", answer.text);
    assert_eq!(answer.json["code"], "login_expired");
}

#[tokio::test]
async fn an_attempt_of_one_site_is_nobodys_at_another() {
    let stack = three_sites(false).await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = visitor(&stack, FORUM);
    let content = browser.start_login().await;
    let mut astray = browser.clone();
    astray.move_to(&stack.sites[SILENT].public);
    is_nobodys(&mut astray).await;
    let mut cancelling = astray.clone();
    let answer = cancelling.call(Method::DELETE, "/api/login").await;
    assert_eq!(answer.status, 204);
    assert_eq!(browser.status().await, "pending", "nothing was cancelled");

    stack.wechat.scan(&person, &content).await;
    is_nobodys(&mut astray).await;
    let mut signing_out = astray.clone();
    let answer = signing_out.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, 204);
    // A login that goes on elsewhere isn't shown here either.
    let other = astray.clone().start_login().await;
    assert_ne!(other, content);

    assert_eq!(browser.complete().await["openid"], person.openid);
    is_nobodys(&mut astray).await;
    let mut signing_out = astray.clone();
    signing_out.call(Method::DELETE, "/api/session").await;
    assert_eq!(
        browser.complete().await["openid"],
        person.openid,
        "a repeat is nobody else's to forbid"
    );
}

#[tokio::test]
async fn the_logins_that_a_client_begins_at_one_site_dont_count_at_another() {
    let mut stack = Plan::default()
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "1")
        .start()
        .await;
    stack.plan = stack
        .plan
        .clone()
        .site("SITE__PUBLIC__URL", "http://forum.localhost");
    stack.add_site().await;
    for site in 0..2 {
        visitor(&stack, site).start_login().await;
        let answer = visitor(&stack, site).call(Method::POST, "/api/login").await;
        assert_eq!(answer.status, 429, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_site_whose_account_the_gateway_lacks_begins_no_login() {
    let mut stack = Plan::default()
        .site("SITE__LOGIN__ACCOUNT", "shop")
        .start()
        .await;
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.json["code"], "gateway_unavailable");
    let answer = stack
        .visitor()
        .call(Method::POST, "/api/login/web-authorization?return_to=/")
        .await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    let calls = stack.wechat.calls("/cgi-bin/qrcode/create").await;
    assert_eq!(calls, 0, "no other account's code instead");
    let logs = stack.logs_to_the_end().await;
    assert!(logs.contains("UnknownAccount"), "{logs}");
}
