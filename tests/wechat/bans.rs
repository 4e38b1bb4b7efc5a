//! Banned people on the phone's pages.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
};

use crate::{
    page_login,
    profile::open,
    tap::{scanned, tap_mode},
};

async fn ban(stack: &Stack, person: &Person) {
    let path = format!("/v1/members/{}/ban", person.openid);
    let client = service_kit::http_client::build(system_tests::deadline::PATIENCE);
    let answer = client
        .expect("a client can be made")
        .put(format!("{}{path}", stack.gateways[0].internal))
        .bearer_auth(API_KEY)
        .send()
        .await
        .expect("the gateway answers");
    assert_eq!(answer.status(), 204);
}

fn says_so(page: &Value) {
    let text = page["body"].as_str().expect("a page has a body");
    assert!(text.contains("您不能登录"), "{page}");
}

#[tokio::test]
async fn who_was_banned_after_the_scan_cannot_confirm() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    ban(&stack, &person).await;
    assert_eq!(visitor.status().await, "denied");
    says_so(&open(&stack, &person, json!({ "url": link })).await);
    let form = json!({ "url": link, "form": { "decision": "confirm" } });
    says_so(&open(&stack, &person, form).await);
    let refused = visitor.call(Method::POST, "/api/login/complete").await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(refused.json["code"], "banned");
}

#[tokio::test]
async fn a_code_of_ours_asks_no_banned_person() {
    let stack = page_login::start_with(Plan::default()).await;
    let person = stack.wechat.person("小林", false).await;
    ban(&stack, &person).await;
    let mut visitor = stack.visitor();
    let code = page_login::shown(&mut visitor).await;
    says_so(&open(&stack, &person, json!({ "url": code })).await);
    assert_eq!(visitor.status().await, "denied");
}
