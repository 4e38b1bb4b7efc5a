//! The method `auto`: a scan, and another way while WeChat gives the account no codes.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::stack::{Plan, Stack};

const CREATE: &str = "/cgi-bin/qrcode/create";

async fn refuse(stack: &Stack, errcode: u32) {
    let fault = json!({ "path": CREATE, "kind": "errcode", "errcode": errcode });
    stack.wechat.faults(json!([fault])).await;
}

async fn begun(stack: &Stack) -> Value {
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json
}

#[tokio::test]
async fn who_meets_a_refusal_gets_digits_at_once_and_wechat_is_left_alone() {
    for errcode in [48001, 45009] {
        let stack = Plan::default()
            .site("SITE__LOGIN__METHOD", "auto")
            .start()
            .await;
        let person = stack.wechat.person("小林", true).await;
        assert_eq!(begun(&stack).await["method"], "scan");
        refuse(&stack, errcode).await;
        let asked = stack.wechat.calls(CREATE).await;
        let mut visitor = stack.visitor();
        let answer = visitor.call(Method::POST, "/api/login").await;
        assert_eq!(answer.json["method"], "code", "{}", answer.text);
        let digits = answer.json["code"]["digits"].as_str().expect("digits");
        stack.wechat.message(&person, digits).await;
        assert_eq!(visitor.complete().await["openid"], person.openid);
        assert_eq!(begun(&stack).await["method"], "code");
        assert_eq!(stack.wechat.calls(CREATE).await, asked + 1, "{errcode}");

        let ready = stack.internal("/readyz").await;
        let warning = ready["warning"].as_str().expect("operators are told");
        assert!(warning.contains(&errcode.to_string()), "{warning}");
        let metrics = reqwest_text(&stack, "/metrics").await;
        assert!(
            metrics.contains("logins_without_qr_codes{") && metrics.contains("instead=\"code\""),
            "{metrics}"
        );
    }
}

async fn reqwest_text(stack: &Stack, path: &str) -> String {
    let url = format!("{}{path}", stack.gateways[0].internal);
    let client = service_kit::http_client::build(system_tests::deadline::PATIENCE);
    let answer = client.expect("a client can be made").get(url).send().await;
    let text = answer.expect("the gateway answers").text().await;
    text.expect("the answer has a body")
}

/// A personal subscription account has no codes, no web authorisation and no profiles.
#[tokio::test]
async fn people_log_in_to_an_uncertified_account() {
    let stack = Plan::default()
        .simulator("SIMULATOR__WECHAT__ACCOUNT", "uncertified")
        .site("SITE__LOGIN__METHOD", "auto")
        .gateway("GATEWAY__WECHAT__WEB_AUTHORIZATION", "false")
        .start()
        .await;
    for _ in 0..2 {
        let person = stack.wechat.person("小林", false).await;
        let mut visitor = stack.visitor();
        let answer = visitor.call(Method::POST, "/api/login").await;
        assert_eq!(answer.json["method"], "code", "{}", answer.text);
        // The account's own code, beside the digits.
        let own = "http://weixin.qq.com/r/51d0ca11bac4";
        let scanned = stack.wechat.scan(&person, own).await;
        assert_eq!(scanned["outcome"], "follow_page");
        stack.wechat.follow(&person).await;
        let digits = answer.json["code"]["digits"].as_str().expect("digits");
        stack.wechat.message(&person, digits).await;
        let user = visitor.complete().await;
        assert_eq!(user["openid"], person.openid);
        assert_eq!(user["nickname"], Value::Null);
    }
    for path in [CREATE, "/cgi-bin/user/info"] {
        assert_eq!(stack.wechat.calls(path).await, 1, "{path}");
    }
}

#[tokio::test]
async fn the_gateways_own_limit_counts_as_a_refusal() {
    let stack = Plan::default()
        .site("SITE__LOGIN__METHOD", "auto")
        .gateway("GATEWAY__LIMITS__QR_CODES_PER_DAY", "2")
        .start()
        .await;
    for method in ["scan", "scan", "code", "code"] {
        assert_eq!(begun(&stack).await["method"], method);
    }
    assert_eq!(stack.wechat.calls(CREATE).await, 2);
}

#[tokio::test]
async fn with_a_page_visitors_get_the_page_unless_the_account_has_no_web_authorisation() {
    for (has_it, method) in [("true", "page"), ("false", "code")] {
        let stack = Plan::default()
            .site("SITE__LOGIN__METHOD", "auto")
            .gateway("GATEWAY__PUBLIC__URL", "https://gateway.example.com")
            .gateway("GATEWAY__WECHAT__WEB_AUTHORIZATION", has_it)
            .start()
            .await;
        refuse(&stack, 48001).await;
        assert_eq!(begun(&stack).await["method"], method);
    }
}

#[tokio::test]
async fn other_failures_are_what_they_are() {
    let stack = Plan::default()
        .site("SITE__LOGIN__METHOD", "auto")
        .start()
        .await;
    refuse(&stack, 40013).await;
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json["code"], "wechat_refused");
}

/// A site that says `scan` shows no digits, whatever its account can do.
#[tokio::test]
async fn the_method_scan_stays_a_scan() {
    let stack = Plan::default().start().await;
    refuse(&stack, 48001).await;
    let answer = stack.visitor().call(Method::POST, "/api/login").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}
