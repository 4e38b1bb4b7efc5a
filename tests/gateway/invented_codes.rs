//! Anybody can invent codes of web authorisation, and only WeChat can tell: their number is
//! bounded.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    attempts,
    deadline::eventually,
    stack::{Plan, Service},
    visitor::{Answer, Visitor},
};
use tokio::task::JoinSet;
use url::Url;

use crate::{
    http::{self, assert_problem, retry_after},
    web_authorizations,
};

const COMPLETE: &str = "/v1/web-authorizations/complete";
const DISCARD: &str = "/v1/web-authorizations/discard";
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
        figures.contains("wechat_web_logins_total{outcome=\"too_many\",account=\"default\"} 2"),
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

/// Brings a code to a page that asks for a profile, in a browser that went for one.
async fn bring(gateway: &Service, client: &str, number: usize) -> Answer {
    let get = |path: &str| {
        let address = format!("{}{path}", gateway.public);
        http::client()
            .get(address)
            .header("x-forwarded-for", client)
    };
    // Not to be followed, since the simulator isn't WeChat's browser.
    let mut phone = Visitor::new(&gateway.public);
    let sent = phone.call(Method::GET, "/wechat/oauth/profile").await;
    let sent = Url::parse(http::header(&sent, "location")).expect("an address");
    let state = sent.query_pairs().find(|(name, _)| name == "state");
    let parameters = [
        ("code", format!("invented{number}")),
        ("again", "true".to_owned()),
        ("state", state.expect("there is a state").1.into_owned()),
    ];
    let request = get("/wechat/oauth/profile/return").query(&parameters);
    let cookies = phone.cookies().iter();
    let cookies: Vec<_> = cookies
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    http::send(request.header("cookie", cookies.join("; "))).await
}

#[tokio::test]
async fn those_of_one_address_are_tried_thirty_times_a_minute() {
    let plan = Plan::default()
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .gateway("GATEWAY__PUBLIC__TRUSTED_PROXIES", "127.0.0.1/32");
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    for number in 0..30 {
        let answer = bring(gateway, "203.0.113.9", number).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
    }
    let answer = bring(gateway, "203.0.113.9", 30).await;
    assert_eq!(answer.status, 429, "{}", answer.text);
    assert!(answer.text.contains("请稍等一分钟"), "{}", answer.text);
    assert!((1..=61).contains(&retry_after(&answer)));
    // Nor are those that the site finds in browsers that began nothing.
    let discard = json!({ "code": "invented31", "client": "203.0.113.9" });
    assert_eq!(http::post(gateway, DISCARD, &discard).await.status, 202);
    let figure = "wechat_stray_codes_total{outcome=\"too_many\",account=\"default\"} 1";
    eventually("the code isn't tried", async || {
        let figures = http::get(gateway, "/metrics").await.text;
        figures.contains(figure).then_some(())
    })
    .await;
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 30);
    let answer = bring(gateway, "203.0.113.10", 32).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 31);
}

#[tokio::test]
async fn many_at_once_are_no_more_than_one_after_the_other() {
    let stack = http::start(Plan::default().gateways(2)).await;
    let slow = json!([{ "path": EXCHANGE, "kind": "slow", "delay_ms": 300 }]);
    stack.wechat.faults(slow).await;
    let scene = attempts::open(&stack.redis.store()).await;
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let body = json!({ "scene": scene.as_str(), "code": format!("invented{number}") });
        let request = http::internal(&stack.gateways[number % 2], Method::POST, COMPLETE);
        tasks.spawn(async move { http::send(request.json(&body)).await.status.as_u16() });
    }
    let answers = tasks.join_all().await;
    let tried = answers.iter().filter(|status| **status == 410).count();
    assert_eq!((tried, answers.len()), (5, 20), "{answers:?}");
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 5);
}

#[tokio::test]
async fn what_wechat_could_not_tell_does_not_count() {
    let stack = http::start(Plan::default()).await;
    let scene = attempts::open(&stack.redis.store()).await;
    let down = json!([{ "path": EXCHANGE, "kind": "errcode", "errcode": 45011 }]);
    stack.wechat.faults(down).await;
    for number in 0..8 {
        let body = json!({ "scene": scene.as_str(), "code": format!("code{number}") });
        let answer = http::post(&stack.gateways[0], COMPLETE, &body).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
    }
    stack.wechat.faults(json!([])).await;
    let person = stack.wechat.person("小林", true).await;
    let code = web_authorizations::code(&stack, &person, &scene).await;
    let body = json!({ "scene": scene.as_str(), "code": code });
    let answer = http::post(&stack.gateways[0], COMPLETE, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}
