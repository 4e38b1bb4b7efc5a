//! Several accounts on one gateway: each is found by its name, and what one has is nobody else's.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::new_scene,
    simulator::Person,
    stack::{Credentials, Plan, Stack},
};

use crate::http::{self, get, internal, send};

async fn two_accounts() -> Stack {
    http::start(Plan::default().account("shop")).await
}

/// A code of this account, or of the one that needs no name.
async fn code(stack: &Stack, account: Option<&str>) -> (u16, Value) {
    let mut body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    if let Some(account) = account {
        body["account"] = account.into();
    }
    let request = internal(&stack.gateways[0], Method::POST, "/v1/qrcodes").json(&body);
    let answer = send(request).await;
    (answer.status.as_u16(), answer.json)
}

async fn token(stack: &Stack, query: &str) -> Value {
    let path = format!("/v1/access-token{query}");
    let answer = get(&stack.gateways[0], &path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["access_token"].clone()
}

#[tokio::test]
async fn codes_and_tokens_are_the_named_accounts_own() {
    let stack = two_accounts().await;
    let shop = stack.wechat.account("shop");
    let (status, body) = code(&stack, Some("shop")).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(shop.calls("/cgi-bin/qrcode/create").await, 1);
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 0);
    for account in [None, Some("default")] {
        let (status, body) = code(&stack, account).await;
        assert_eq!(status, 201, "{body}");
    }
    assert_eq!(shop.calls("/cgi-bin/qrcode/create").await, 1);
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 2);
    let (unnamed, named) = (
        token(&stack, "").await,
        token(&stack, "?account=shop").await,
    );
    assert_ne!(unnamed, named);
    assert_eq!(unnamed, token(&stack, "?account=default").await);
    let report = json!({ "access_token": named });
    let path = "/v1/access-token/invalidate?account=shop";
    let answer = send(internal(&stack.gateways[0], Method::POST, path).json(&report)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(unnamed, token(&stack, "").await, "the other's stays");
}

#[tokio::test]
async fn an_account_that_nobody_serves_is_unknown_everywhere() {
    let stack = two_accounts().await;
    let gateway = &stack.gateways[0];
    for account in ["forum", "Shop", ""] {
        let query = format!("?account={account}");
        for path in ["/v1/access-token", "/v1/members/oSimNobody"] {
            let answer = get(gateway, &format!("{path}{query}")).await;
            assert_eq!(answer.status, 404, "{path} {account:?}: {}", answer.text);
            assert_eq!(answer.json["code"], "unknown_account");
        }
    }
    let (status, body) = code(&stack, Some("forum")).await;
    assert_eq!((status, &body["code"]), (404, &json!("unknown_account")));
    for (method, path) in [
        (
            Method::GET,
            "/wechat/forum/callback?signature=a&timestamp=1&nonce=2&echostr=3",
        ),
        (
            Method::POST,
            "/wechat/forum/callback?signature=a&timestamp=1&nonce=2",
        ),
        (Method::GET, "/wechat/forum/oauth/thanks"),
        (
            Method::POST,
            "/wechat/oauth/callback?signature=a&timestamp=1&nonce=2",
        ),
    ] {
        let request = http::client().request(method, format!("{}{path}", gateway.public));
        assert_eq!(send(request).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn without_an_unnamed_account_who_names_none_is_told_so() {
    let mut plan = Plan::default().account("shop");
    for key in ["APP_ID", "APP_SECRET", "TOKEN", "ENCODING_AES_KEY"] {
        plan = plan.gateway(&format!("GATEWAY__WECHAT__{key}"), "");
    }
    let stack = http::start(plan).await;
    let (status, body) = code(&stack, None).await;
    assert_eq!((status, &body["code"]), (404, &json!("unknown_account")));
    let (status, body) = code(&stack, Some("shop")).await;
    assert_eq!(status, 201, "{body}");
}

async fn member(stack: &Stack, person: &Person, query: &str) -> u16 {
    let path = format!("/v1/members/{}{query}", person.openid);
    get(&stack.gateways[0], &path).await.status.as_u16()
}

#[tokio::test]
async fn a_push_is_taken_by_the_account_whose_key_signed_it() {
    let stack = two_accounts().await;
    let shop = stack.wechat.account("shop");
    let person = shop.person("小林", false).await;
    shop.follow(&person).await;
    assert_eq!(member(&stack, &person, "?account=shop").await, 200);
    assert_eq!(member(&stack, &person, "").await, 404);
    // The same push at the other account's callback isn't WeChat's.
    let elsewhere = format!("{}/wechat/callback", stack.gateways[0].public);
    shop.settings(json!({ "callback_url": elsewhere })).await;
    let stranger = shop.person("小雨", false).await;
    shop.follow(&stranger).await;
    assert_eq!(member(&stack, &stranger, "").await, 404);
    assert_eq!(member(&stack, &stranger, "?account=shop").await, 404);
    let figures = http::figures(&stack.gateways[0]).await;
    for line in [
        "wechat_pushes_total{event=\"subscribe\",outcome=\"not_a_login\",account=\"shop\"} 1",
        "wechat_api_calls_total{call=\"stable_token\",outcome=\"ok\",account=\"shop\"} 1",
        "wechat_api_calls_total{call=\"stable_token\",outcome=\"ok\",account=\"default\"} 1",
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
}

#[tokio::test]
async fn a_broken_account_keeps_no_other_from_being_served() {
    let plan = Plan::default().account("shop").gateway(
        "GATEWAY__ACCOUNT__SHOP__APP_SECRET",
        "wrongsecretwrongsecretwrongsecre",
    );
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let ready = get(gateway, "/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    assert_eq!(ready.json["accounts"]["default"], "ready");
    let said = ready.json["accounts"]["shop"].as_str().unwrap_or_default();
    assert!(
        said.starts_with("No access token is held"),
        "{}",
        ready.text
    );
    let (status, body) = code(&stack, Some("shop")).await;
    assert_ne!(status, 201, "{body}");
    let (status, body) = code(&stack, None).await;
    assert_eq!(status, 201, "{body}");
}

#[tokio::test]
async fn an_app_id_stands_in_one_table() {
    let mut settings = crate::settings::least();
    for (key, value) in [
        ("APP_ID", system_tests::stack::APP_ID),
        ("APP_SECRET", "0123456789abcdef0123456789abcdef"),
        ("TOKEN", "a1B2c3D4e5F6g7H8"),
    ] {
        settings.insert(format!("GATEWAY__ACCOUNT__SHOP__{key}"), value.to_owned());
    }
    let said = crate::settings::complaint(&settings, &[]).await;
    let wrong = "GATEWAY__ACCOUNT__SHOP__APP_ID (account.shop.app_id) is also the AppID of the account default";
    assert!(said.contains(wrong), "{said}");
}

#[tokio::test]
async fn an_accounts_name_has_letters_and_digits_and_is_not_taken() {
    for name in ["DEFAULT", "OAUTH", "2SHOP", "A_B", &"A".repeat(33)] {
        let mut settings = crate::settings::least();
        settings.insert(
            format!("GATEWAY__ACCOUNT__{name}__APP_ID"),
            Credentials::of("x").app_id,
        );
        let said = crate::settings::complaint(&settings, &[]).await;
        assert!(said.contains("can't be called that"), "{name}: {said}");
    }
}

/// Anybody can invent names, and a metric's label is kept for as long as the process lives.
#[tokio::test]
async fn a_name_that_nobody_serves_is_no_label_of_a_metric() {
    let stack = two_accounts().await;
    let gateway = &stack.gateways[0];
    for number in 0..50 {
        for query in [
            "?signature=a&signature=b",
            "?signature=a&timestamp=1&nonce=2",
        ] {
            let url = format!("{}/wechat/made{number}up/callback{query}", gateway.public);
            let answer = send(http::client().post(url)).await;
            assert_eq!(answer.status, 404, "{query}: {}", answer.text);
        }
    }
    let figures = http::figures(gateway).await;
    let line = figures.lines().find(|line| line.contains("made"));
    assert_eq!(line, None);
}
