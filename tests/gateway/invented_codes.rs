//! Anybody can invent codes of web authorisation, and only WeChat can tell: their number is bounded.

use serde_json::json;
use system_tests::{
    attempts,
    stack::{Plan, Service},
    visitor::Answer,
};

use crate::{
    http::{self, assert_problem, retry_after},
    web_authorizations,
};

const COMPLETE: &str = "/v1/web-authorizations/complete";
const EXCHANGE: &str = "/sns/oauth2/access_token";

#[tokio::test]
async fn an_attempt_may_bring_a_few() {
    let stack = http::start(Plan::default().gateways(2)).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let complete = async |number: usize, code: &str| {
        let body = json!({ "scene": scene.as_str(), "code": code });
        http::post(&stack.gateways[number % 2], COMPLETE, &body).await
    };
    for number in 0..5 {
        let answer = complete(number, &format!("invented{number}")).await;
        assert_problem(&answer, 410, "authorization_code_spent");
    }
    for number in 5..9 {
        let answer = complete(number, &format!("invented{number}")).await;
        assert_problem(&answer, 429, "too_many_logins");
        assert!((1..=300).contains(&retry_after(&answer)));
    }
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 5);
    let keys = "wechat-login:authorization-code:*";
    let kept: Vec<String> = stack.redis.command(&["KEYS", keys]).await;
    assert_eq!(kept.len(), 5, "nothing is kept of what wasn't tried");
    let figures = http::get(&stack.gateways[0], "/metrics").await.text;
    assert!(
        figures.contains("wechat_web_logins_total{outcome=\"too_many\"} 2"),
        "{figures}"
    );

    // Others go on.
    let person = stack.wechat.person("小林", true).await;
    let other = attempts::open(&store).await;
    let code = web_authorizations::code(&stack, &person, &other).await;
    let body = json!({ "scene": other.as_str(), "code": code });
    let answer = http::post(&stack.gateways[0], COMPLETE, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn bring(gateway: &Service, path: &str, client: &str, number: usize) -> Answer {
    let scene = attempts::new_scene();
    let parameters = [
        ("code", format!("invented{number}")),
        ("again", "true".to_owned()),
        ("scene", scene.as_str().to_owned()),
    ];
    let address = format!("{}{path}", gateway.public);
    let request = http::client().get(address).query(&parameters);
    http::send(request.header("x-forwarded-for", client)).await
}

#[tokio::test]
async fn the_phones_behind_one_address_may_bring_more() {
    let plan = Plan::default()
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .gateway("GATEWAY__PUBLIC__TRUSTED_PROXIES", "127.0.0.1/32");
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let pages = [
        "/wechat/oauth/profile/return",
        "/wechat/oauth/confirm/return",
    ];
    for number in 0..30 {
        let answer = bring(gateway, pages[number % 2], "203.0.113.9", number).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
    }
    for page in pages {
        let answer = bring(gateway, page, "203.0.113.9", 30).await;
        assert_eq!(answer.status, 429, "{}", answer.text);
        assert!(answer.text.contains("请稍等一分钟"), "{}", answer.text);
        assert!((1..=61).contains(&retry_after(&answer)));
    }
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 30);
    let answer = bring(gateway, pages[0], "203.0.113.10", 31).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 31);
}
