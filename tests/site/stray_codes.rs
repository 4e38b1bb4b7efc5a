//! Codes that nobody agreed to, and codes that reach a browser which didn't ask: they log nobody
//! in, and are good for nobody afterwards.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    deadline::eventually,
    stack::{Plan, Stack},
    visitor::Visitor,
};
use url::Url;

use crate::{
    attempt_record,
    web_authorization::{assert_failed, assert_goes_on, begin, come_back, returning, start, with},
};

const EXCHANGE: &str = "/sns/oauth2/access_token";

fn code(back: &Url) -> String {
    let mut parameters = back.query_pairs();
    let code = parameters.find(|(name, _)| name == "code");
    code.expect("there is one").1.into_owned()
}

/// Somebody who read this code puts it into a return of their own.
async fn assert_good_for_nobody(stack: &Stack, code: &str) {
    let thief = stack.wechat.person("路人", true).await;
    let (mut browser, back) = returning(stack, &thief).await;
    let answer = come_back(&mut browser, &with(&back, "code", code)).await;
    assert_failed(&mut browser, &answer, "spent_code", "请再试一次").await;
}

async fn exchanged(stack: &Stack, times: u64) {
    eventually("the code is exchanged", async || {
        (stack.wechat.calls(EXCHANGE).await == times).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_code_that_nobody_was_asked_for_logs_nobody_in() {
    let stack = start(Plan::default()).await;
    let victim = stack.wechat.person("小林", true).await;
    let mut attacker = stack.visitor();
    let authorize_url = begin(&mut attacker).await;
    let silent = authorize_url.replace("scope=snsapi_userinfo", "scope=snsapi_base");
    assert_ne!(silent, authorize_url);
    // The attacker reads the code on its way, in a log or over a shoulder.
    let back = stack.wechat.authorize(&victim, &silent).await;
    for _ in 0..2 {
        let answer = come_back(&mut attacker, &back).await;
        assert_failed(&mut attacker, &answer, "declined", "您没有同意授权").await;
    }
    assert_eq!(attacker.status().await, "pending");
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 1);
    let keys = "wechat-login:member:*";
    let members: Vec<String> = stack.redis.command(&["KEYS", keys]).await;
    assert!(members.is_empty(), "nobody came");
}

#[tokio::test]
async fn a_code_that_reaches_another_browser_is_good_for_nobody() {
    let stack = start(Plan::default()).await;
    let victim = stack.wechat.person("小林", true).await;
    let mut attacker = stack.visitor();
    let authorize_url = begin(&mut attacker).await;
    // The victim's own phone follows the link to its end, twice as WeChat does at times.
    let settings = json!({ "double_callback": true });
    stack.wechat.settings(settings).await;
    let page = stack.wechat.open(&victim, &authorize_url).await;
    let words = page["body"].as_str().expect("a page");
    assert!(words.contains("请从头登录"), "{page}");
    exchanged(&stack, 1).await;
    let led_through = page["redirects"].as_array().into_iter().flatten();
    let back = led_through
        .filter_map(|address| Url::parse(address.as_str()?).ok())
        .find(|address| address.query_pairs().any(|(name, _)| name == "code"))
        .expect("there was a code");
    let answer = come_back(&mut attacker, &back).await;
    assert_failed(&mut attacker, &answer, "spent_code", "请再试一次").await;
    assert_eq!(attacker.status().await, "pending");
}

#[tokio::test]
async fn a_code_whose_login_is_over_is_good_for_nobody() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    let key = attempt_record::only(&stack).await;
    attempt_record::expire(&stack, &key).await;
    for _ in 0..2 {
        let answer = come_back(&mut visitor, &back).await;
        assert_failed(&mut visitor, &answer, "over", "这次登录已结束").await;
    }
    exchanged(&stack, 1).await;
    assert_good_for_nobody(&stack, &code(&back)).await;
}

#[tokio::test]
async fn a_code_behind_another_one_is_good_for_nobody() {
    let stack = start(Plan::default()).await;
    let victim = stack.wechat.person("小林", true).await;
    // WeChat appends its code to whatever address the attacker wrote.
    let authorize_url = begin(&mut stack.visitor()).await;
    let decoy = authorize_url.replace("return_to%3D", "code%3Ddecoy%26return_to%3D");
    assert_ne!(decoy, authorize_url);
    let back = stack.wechat.authorize(&victim, &decoy).await;
    let codes = back.query_pairs().filter(|(name, _)| name == "code");
    let codes: Vec<String> = codes.map(|(_, code)| code.into_owned()).collect();
    assert_eq!((codes.len(), codes[0].as_str()), (2, "decoy"));
    let answer = come_back(&mut stack.visitor(), &back).await;
    assert_failed(&mut stack.visitor(), &answer, "elsewhere", "请从头登录").await;
    exchanged(&stack, 1).await;
    assert_good_for_nobody(&stack, &codes[1]).await;
}

#[tokio::test]
async fn a_second_code_of_a_login_that_succeeded_is_good_for_nobody() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let authorize_url = begin(&mut visitor).await;
    let first = stack.wechat.authorize(&person, &authorize_url).await;
    let second = stack.wechat.authorize(&person, &authorize_url).await;
    assert_goes_on(&come_back(&mut visitor, &first).await, "/#");
    // The same return again asks WeChat nothing.
    assert_goes_on(&come_back(&mut visitor, &first).await, "/#");
    assert_goes_on(&come_back(&mut visitor, &second).await, "/#");
    exchanged(&stack, 2).await;
    assert_good_for_nobody(&stack, &code(&second)).await;
}

async fn assert_told_that_it_began_elsewhere(stack: &Stack, code: &str) {
    let mut visitor = stack.visitor();
    let path = format!("/login/wechat?code={code}&state=login");
    let answer = visitor.call(Method::GET, &path).await;
    assert_failed(&mut visitor, &answer, "elsewhere", "请从头登录").await;
}

#[tokio::test]
async fn a_stranger_who_invents_codes_costs_few_calls_to_wechat() {
    let stack = start(Plan::default()).await;
    for number in 0..40 {
        let answer = Visitor::new(&stack.sites[0].public)
            .call(
                Method::GET,
                &format!("/login/wechat?code=invented{number}&state=login"),
            )
            .await;
        assert_eq!(answer.status, 303, "{}", answer.text);
    }
    exchanged(&stack, 30).await;
    // Who comes with a cookie is no stranger, whatever came from the same address.
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    assert_goes_on(&come_back(&mut visitor, &back).await, "/#");
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 31);
}

#[tokio::test]
async fn without_a_gateway_that_knows_how_to_the_page_is_the_same() {
    let stack = start(Plan::default()).await;
    assert_told_that_it_began_elsewhere(&stack, "a").await;
    // An older gateway answers 404, as this one does below another path.
    let below = format!("{}/older", stack.gateways[0].internal);
    let mut stack = start(Plan::default().site("SITE__GATEWAY__URL", &below)).await;
    assert_told_that_it_began_elsewhere(&stack, "b").await;
    stack.gateways[0].process.kill();
    assert_told_that_it_began_elsewhere(&stack, "c").await;
}
