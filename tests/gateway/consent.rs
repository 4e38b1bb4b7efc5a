//! Logging in needs a consent. The address that sends people to WeChat is public, and whoever
//! writes the silent scope into it gets a code for which nobody was asked.

use login_protocol::{attempt::AttemptStatus, scene::Scene, steps::ReadMember};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts,
    deadline::eventually,
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Answer,
};

use crate::{
    http::{self, assert_problem},
    web_authorizations::{self, complete},
};

const DISCARD: &str = "/v1/web-authorizations/discard";
const EXCHANGE: &str = "/sns/oauth2/access_token";
const USER_INFO: &str = "/sns/userinfo";

/// The code that this person's phone brings, who was asked for nothing.
async fn silent_code(stack: &Stack, person: &Person, scene: &Scene) -> String {
    let authorize_url = web_authorizations::authorize_url(stack, scene).await;
    let silent = authorize_url.replace("snsapi_userinfo", "snsapi_base");
    web_authorizations::brought(stack, person, &silent).await
}

async fn assert_nobody(stack: &Stack, scene: &Scene) {
    let store = stack.redis.store();
    assert_eq!(
        attempts::status(&store, scene).await,
        AttemptStatus::Pending
    );
    let keys = "wechat-login:member:*";
    let members: Vec<String> = stack.redis.command(&["KEYS", keys]).await;
    assert!(members.is_empty(), "nobody is stored");
}

#[tokio::test]
async fn a_silent_code_confirms_nothing_however_often_it_comes() {
    for approval in ["scan", "tap"] {
        let plan = Plan::default()
            .gateway("GATEWAY__LOGIN__APPROVAL", approval)
            .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1");
        let stack = http::start(plan).await;
        let person = stack.wechat.person("小林", true).await;
        let scene = attempts::open(&stack.redis.store()).await;
        let code = silent_code(&stack, &person, &scene).await;
        for _ in 0..2 {
            let answer = complete(&stack.gateways[0], &scene, &code).await;
            assert_problem(&answer, 403, "consent_missing");
        }
        assert_eq!(stack.wechat.calls(EXCHANGE).await, 1);
        assert_nobody(&stack, &scene).await;
        let figures = http::get(&stack.gateways[0], "/metrics").await.text;
        let figure = "wechat_web_logins_total{outcome=\"consent_missing\",account=\"default\"} 2";
        assert!(figures.contains(figure), "{figures}");
        // Once they are asked and agree, it works.
        let code = web_authorizations::code(&stack, &person, &scene).await;
        let answer = complete(&stack.gateways[0], &scene, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// What comes of a code whose answer has this scope, and this answer of `sns/userinfo` behind it.
async fn with_scope(scope: Value, user_info: Value) -> (Answer, String) {
    let stack = http::start(Plan::default()).await;
    let scene = attempts::open(&stack.redis.store()).await;
    let openid = attempts::new_openid();
    let mut granted = json!({
        "access_token": "TOKEN", "expires_in": 7200, "refresh_token": "REFRESH", "openid": openid,
    });
    if !scope.is_null() {
        granted["scope"] = scope;
    }
    let mut user_info = user_info;
    user_info["openid"] = json!(openid);
    let faults = json!([
        { "path": EXCHANGE, "kind": "body", "body": granted.to_string() },
        { "path": USER_INFO, "kind": "body", "body": user_info.to_string() },
    ]);
    stack.wechat.faults(faults).await;
    let answer = complete(&stack.gateways[0], &scene, "code").await;
    if answer.status == 200 {
        let owner = attempts::owner(&stack.redis.store(), &scene).await;
        assert_eq!(owner, openid);
    } else {
        assert_nobody(&stack, &scene).await;
    }
    (answer, openid)
}

#[tokio::test]
async fn the_scope_is_one_of_several_or_what_the_next_call_shows() {
    let person = json!({ "nickname": "小林" });
    let refused = json!({ "errcode": 48001, "errmsg": "api unauthorized" });
    let good = [
        json!("snsapi_userinfo"),
        json!("snsapi_base,snsapi_userinfo"),
        json!("snsapi_userinfo, snsapi_base"),
        json!(""),
        Value::Null,
    ];
    for scope in good {
        let (answer, _) = with_scope(scope.clone(), person.clone()).await;
        assert_eq!(answer.status, 200, "{scope}: {}", answer.text);
    }
    let bad = [
        json!("snsapi_base"),
        json!("snsapi_userinfo2"),
        json!("snsapi_login"),
    ];
    for scope in bad {
        let (answer, _) = with_scope(scope.clone(), person.clone()).await;
        assert_eq!(answer.status, 403, "{scope}: {}", answer.text);
        assert_problem(&answer, 403, "consent_missing");
    }
    for scope in [json!(""), Value::Null] {
        let (answer, _) = with_scope(scope, refused.clone()).await;
        assert_problem(&answer, 403, "consent_missing");
    }
}

/// What comes of a code whose answer says no scope while `sns/userinfo` fails this often (`null`:
/// always), and how often that is asked.
async fn without_scope(failures: Value) -> (Answer, u64) {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let openid = attempts::new_openid();
    let granted = json!({ "access_token": "TOKEN", "openid": openid }).to_string();
    let user_info = json!({ "openid": openid, "nickname": "小林" }).to_string();
    let mut faults = vec![
        json!({ "path": EXCHANGE, "kind": "body", "body": granted }),
        json!({ "path": USER_INFO, "kind": "status", "status": 502, "times": failures }),
        json!({ "path": USER_INFO, "kind": "body", "body": user_info }),
    ];
    if failures == 0 {
        faults.remove(1);
    }
    stack.wechat.faults(Value::Array(faults)).await;
    let answer = complete(&stack.gateways[0], &scene, "code").await;
    if answer.status == 200 {
        let read = ReadMember {
            member: attempts::member(&openid),
        };
        let member = store.run(&read).await.expect("Redis is running");
        assert_eq!(member.expect("they came").nickname.as_deref(), Some("小林"));
    } else {
        assert_nobody(&stack, &scene).await;
    }
    (answer, stack.wechat.calls(USER_INFO).await)
}

#[tokio::test]
async fn who_has_to_be_asked_for_the_consents_proof_is_asked_until_it_comes_and_no_more() {
    for failures in [0, 1] {
        let (answer, asked) = without_scope(failures.into()).await;
        assert_eq!(answer.status, 200, "{failures}: {}", answer.text);
        assert_eq!(asked, failures + 1);
    }
    // Without proof nobody is logged in.
    let (answer, asked) = without_scope(Value::Null).await;
    assert_problem(&answer, 503, "wechat_unavailable");
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn a_discarded_code_is_good_for_nobody() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let store = stack.redis.store();
    let (own, thiefs) = (attempts::open(&store).await, attempts::open(&store).await);
    let bodies = [
        json!({ "client": "203.0.113.9" }),
        json!({ "client": "2001:db8::1", "scene": own.as_str() }),
    ];
    for (number, mut body) in bodies.into_iter().enumerate() {
        let code = web_authorizations::code(&stack, &person, &own).await;
        body["code"] = json!(code);
        let before = stack.wechat.calls(EXCHANGE).await;
        for _ in 0..2 {
            let answer = http::post(gateway, DISCARD, &body).await;
            assert_eq!(answer.status, 202, "{}", answer.text);
        }
        let figure = format!(
            "wechat_stray_codes_total{{outcome=\"spent\",account=\"default\"}} {}",
            number + 1
        );
        eventually("the code is spent", async || {
            let figures = http::get(gateway, "/metrics").await.text;
            figures.contains(&figure).then_some(())
        })
        .await;
        assert_eq!(stack.wechat.calls(EXCHANGE).await, before + 1);
        let answer = complete(gateway, &thiefs, &code).await;
        assert_problem(&answer, 410, "authorization_code_spent");
    }
    assert_nobody(&stack, &thiefs).await;
    // A code that logged its attempt in is known to be spent.
    let code = web_authorizations::code(&stack, &person, &own).await;
    assert_eq!(complete(gateway, &own, &code).await.status, 200);
    let before = stack.wechat.calls(EXCHANGE).await;
    let body = json!({ "code": code, "client": "203.0.113.9", "scene": own.as_str() });
    assert_eq!(http::post(gateway, DISCARD, &body).await.status, 202);
    let next = json!({ "code": "invented", "client": "203.0.113.9" });
    assert_eq!(http::post(gateway, DISCARD, &next).await.status, 202);
    eventually("the next one is tried", async || {
        (stack.wechat.calls(EXCHANGE).await == before + 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_discarded_code_needs_a_client_and_no_more() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let scene = attempts::new_scene();
    let bodies = [
        json!({ "code": "a" }),
        json!({ "client": "203.0.113.9" }),
        json!({ "code": "a", "client": "somewhere" }),
        json!({ "code": "a", "client": "203.0.113.9", "scene": "110" }),
        json!({ "code": "a", "client": "203.0.113.9", "scene": scene.as_str(), "state": "a" }),
    ];
    for body in bodies {
        let answer = http::post(gateway, DISCARD, &body).await;
        assert_problem(&answer, 400, "invalid_request");
    }
    let malformed = json!({ "code": "a b", "client": "203.0.113.9" });
    let answer = http::send(http::internal(gateway, Method::POST, DISCARD).json(&malformed)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 0);
}
