//! What a visitor is told while Redis, the gateway or WeChat is away, and that it passes.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    deadline::eventually,
    stack::{Plan, Service, Stack},
    visitor::Visitor,
};

use crate::{
    answers::{assert_problem, retry_after},
    attempt_record,
};

const CREATE: &str = "/cgi-bin/qrcode/create";

/// A new browser is refused with this code, and nothing is left behind.
async fn assert_no_login(stack: &Stack, code: &str) -> u64 {
    let mut visitor = stack.visitor();
    let answer = visitor.call(Method::POST, "/api/login").await;
    assert_problem(&answer, 503, code);
    assert!(visitor.cookies().is_empty());
    assert!(attempt_record::all(stack).await.is_empty());
    retry_after(&answer)
}

#[tokio::test]
async fn without_a_gateway_no_login_begins() {
    let mut stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    stack.gateways[0].process.kill();
    // What was scanned before logs in all the same.
    visitor.complete().await;
    assert!(visitor.session().await.is_some());
    let key = attempt_record::only(&stack).await;
    attempt_record::expire(&stack, &key).await;
    assert_eq!(assert_no_login(&stack, "gateway_unavailable").await, 5);
    let line = stack.sites[0]
        .process
        .line_with("the gateway can't be reached");
    line.await;
}

#[tokio::test]
async fn a_wrong_api_key_is_for_the_operator_to_mend() {
    let wrong = "another-api-key-another-api-key-another";
    let plan = Plan::default().site("SITE__GATEWAY__API_KEY", wrong);
    let mut stack = plan.start().await;
    assert_no_login(&stack, "gateway_unavailable").await;
    let line = stack.sites[0].process.line_with("refused the API key");
    assert!(line.await.contains("gateway.api_key"));
    assert!(!stack.sites[0].process.lines().concat().contains(wrong));
}

#[tokio::test]
async fn an_address_that_is_no_gateway_is_an_outage() {
    let mut stack = Plan::default().sites(0).start().await;
    // The simulator answers, but not as a gateway.
    let wechat = stack.wechat.url().to_owned();
    stack.plan = stack.plan.clone().site("SITE__GATEWAY__URL", &wechat);
    stack.add_site().await;
    assert_no_login(&stack, "gateway_unavailable").await;
}

#[tokio::test]
async fn what_wechat_does_wrong_is_told_and_passes() {
    let stack = Plan::default().start().await;
    let refused = [48001, 40013].map(|errcode| json!({ "kind": "errcode", "errcode": errcode }));
    let unavailable = [
        json!({ "kind": "errcode", "errcode": -1 }),
        json!({ "kind": "errcode", "errcode": 45009 }),
        json!({ "kind": "html" }),
        json!({ "kind": "empty" }),
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "hang_up" }),
        json!({ "kind": "body", "body": "{\"ticket\":" }),
    ];
    let cases = refused.iter().map(|fault| (fault, "wechat_refused")).chain(
        unavailable
            .iter()
            .map(|fault| (fault, "wechat_unavailable")),
    );
    let unusable = json!({ "kind": "body", "body": "{\"ticket\":\"t\",\"url\":null}" });
    for (fault, code) in cases.chain([(&unusable, "wechat_answer_unusable")]) {
        let mut rule = fault.clone();
        rule["path"] = json!(CREATE);
        stack.wechat.faults(json!([rule])).await;
        assert!(assert_no_login(&stack, code).await >= 1, "{fault}");
    }
    stack.wechat.faults(json!([])).await;
    stack.visitor().start_login().await;
}

#[tokio::test]
async fn an_account_that_may_not_create_codes_is_for_the_operator_to_mend() {
    let stack = Plan::default().start().await;
    let account = json!({ "account": "subscription" });
    stack.wechat.settings(account).await;
    let mut visitor = stack.visitor();
    let answer = visitor.call(Method::POST, "/api/login").await;
    assert_problem(&answer, 503, "wechat_refused");
    assert!(
        retry_after(&answer) >= 30,
        "asking again at once is in vain"
    );
    // The words are for a visitor; the errcode is in the gateway's log.
    assert!(!answer.text.contains("48001"), "{}", answer.text);
}

/// Everything that needs Redis.
async fn assert_store_away(visitor: &mut Visitor) {
    for (method, path) in [
        (Method::POST, "/api/login"),
        (Method::GET, "/api/login"),
        (Method::GET, "/api/login/events"),
        (Method::POST, "/api/login/complete"),
        (Method::GET, "/api/session"),
    ] {
        let answer = visitor.call(method, path).await;
        assert_problem(&answer, 503, "store_unavailable");
        assert_eq!(retry_after(&answer), 2, "{path}");
    }
    // A sign-out that didn't happen keeps its cookie, to be tried again.
    for path in ["/api/login", "/api/session"] {
        let answer = visitor.call(Method::DELETE, path).await;
        assert_problem(&answer, 503, "store_unavailable");
    }
}

#[tokio::test]
async fn without_redis_everything_waits_and_nothing_is_lost() {
    let mut stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    for completes in [true, false] {
        let content = visitor.start_login().await;
        stack.wechat.scan(&person, &content).await;
        if completes {
            visitor.complete().await;
        }
    }
    let cookies = visitor.cookies().clone();
    assert_eq!(cookies.len(), 2);
    stack.redis.kill();
    assert_store_away(&mut visitor).await;
    assert_eq!(*visitor.cookies(), cookies);
    let ready = Visitor::new(&stack.sites[0].internal)
        .call(Method::GET, "/readyz")
        .await;
    assert_problem(&ready, 503, "store_unavailable");
    for path in ["/", "/assets/page.js"] {
        assert_eq!(visitor.call(Method::GET, path).await.status, 200);
    }

    stack.redis.restart().await;
    assert!(visitor.session().await.is_some());
    visitor.complete().await;
    eventually("the site is ready again", async || {
        let mut operator = Visitor::new(&stack.sites[0].internal);
        let answer = operator.call(Method::GET, "/readyz").await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_lost_connection_to_redis_is_made_anew_without_a_word() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    for _ in 0..3 {
        let killed: i64 = stack
            .redis
            .command(&["CLIENT", "KILL", "TYPE", "normal"])
            .await;
        assert!(killed >= 1);
        assert_eq!(visitor.status().await, "pending");
    }
}

#[tokio::test]
async fn a_redis_that_forgot_its_scripts_is_taught_again() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    stack.redis.command::<String>(&["SCRIPT", "FLUSH"]).await;
    visitor.complete().await;
    stack.redis.command::<String>(&["SCRIPT", "FLUSH"]).await;
    visitor.start_login().await;
}

#[tokio::test]
async fn one_replicas_death_ends_no_login() {
    let mut stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let Service { process, .. } = &mut stack.sites[0];
    process.kill();
    visitor.move_to(&stack.sites[1].public);
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    visitor.complete().await;
}

#[tokio::test]
async fn when_the_days_codes_are_used_up_the_visitor_is_told_so() {
    let plan = Plan::default().gateway("GATEWAY__LIMITS__QR_CODES_PER_DAY", "1");
    let stack = plan.start().await;
    stack.visitor().start_login().await;
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    assert_problem(&answer, 503, "daily_codes_used_up");
    assert!(retry_after(&answer) > 0);
}
