//! `/v1/web-authorizations`: somebody who opened the site inside WeChat.

use login_protocol::{
    account::AccountName,
    attempt::AttemptStatus,
    scene::Scene,
    steps::{ReadMember, RecordScan, ScanEffect},
};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts,
    deadline::eventually,
    simulator::Person,
    stack::{APP_ID, Plan, Service, Stack},
    visitor::Answer,
};
use tokio::task::JoinSet;

use crate::http::{self, assert_problem};

const BEGIN: &str = "/v1/web-authorizations";
const COMPLETE: &str = "/v1/web-authorizations/complete";
const EXCHANGE: &str = "/sns/oauth2/access_token";

/// A page that sends nobody on.
pub(crate) fn redirect_uri(gateway: &Service) -> String {
    format!("{}/wechat/oauth/thanks?return_to=%2F", gateway.public)
}

/// Where the gateway sends the browser of this attempt.
pub(crate) async fn authorize_url(stack: &Stack, scene: &Scene) -> String {
    let gateway = &stack.gateways[0];
    let body = json!({ "scene": scene.as_str(), "redirect_uri": redirect_uri(gateway) });
    let answer = http::post(gateway, BEGIN, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let authorize_url = answer.json["authorize_url"].as_str();
    authorize_url.expect("an address").to_owned()
}

/// The code with which this person comes back from there.
pub(crate) async fn brought(stack: &Stack, person: &Person, authorize_url: &str) -> String {
    let returned = stack.wechat.authorize(person, authorize_url).await;
    let mut parameters = returned.query_pairs();
    let code = parameters.find(|(name, _)| name == "code");
    code.expect("there is one").1.into_owned()
}

/// The code with which this person comes back who agreed.
pub(crate) async fn code(stack: &Stack, person: &Person, scene: &Scene) -> String {
    let authorize_url = authorize_url(stack, scene).await;
    brought(stack, person, &authorize_url).await
}

pub(crate) async fn complete(gateway: &Service, scene: &Scene, code: &str) -> Answer {
    let body = json!({ "scene": scene.as_str(), "code": code });
    http::post(gateway, COMPLETE, &body).await
}

#[tokio::test]
async fn the_address_is_the_one_that_wechat_compares_as_text() {
    let stack = http::start(Plan::default()).await;
    let scene = attempts::new_scene();
    let redirect_uri = "https://www.example.com/login/wechat?return_to=%2Fa%3Fb";
    let body = json!({ "scene": scene.as_str(), "redirect_uri": redirect_uri });
    let answer = http::post(&stack.gateways[0], BEGIN, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let expected = format!(
        "{}/connect/oauth2/authorize?appid={APP_ID}\
         &redirect_uri=https%3A%2F%2Fwww.example.com%2Flogin%2Fwechat%3Freturn_to%3D%252Fa%253Fb\
         &response_type=code&scope=snsapi_userinfo&state={}#wechat_redirect",
        stack.wechat.url(),
        scene.authorization_state(),
    );
    assert_eq!(answer.json, json!({ "authorize_url": expected }));
}

#[tokio::test]
async fn an_account_without_it_says_so() {
    let plan = Plan::default().gateway("GATEWAY__WECHAT__WEB_AUTHORIZATION", "false");
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let scene = attempts::new_scene();
    let body = json!({ "scene": scene.as_str(), "redirect_uri": redirect_uri(gateway) });
    let answer = http::post(gateway, BEGIN, &body).await;
    assert_problem(&answer, 404, "no_web_authorization");
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let scene = attempts::new_scene();
    let scene = scene.as_str();
    let addresses = [
        "",
        "/login",
        "javascript:alert(1)",
        "ftp://a.example/",
        "http://a.example/#b",
    ];
    for redirect_uri in addresses {
        let body = json!({ "scene": scene, "redirect_uri": redirect_uri });
        let answer = http::post(gateway, BEGIN, &body).await;
        assert_problem(&answer, 400, "invalid_request");
    }
    let bodies = [
        (
            BEGIN,
            json!({ "scene": "login_", "redirect_uri": "https://a.example/" }),
        ),
        (BEGIN, json!({ "scene": scene })),
        (
            BEGIN,
            json!({ "scene": scene, "redirect_uri": "https://a.example/", "scope": "snsapi_base" }),
        ),
        (COMPLETE, json!({ "scene": scene })),
        (COMPLETE, json!({ "scene": "110", "code": "a" })),
        (
            COMPLETE,
            json!({ "scene": scene, "code": "a", "openid": "o" }),
        ),
    ];
    for (path, body) in bodies {
        let answer = http::post(gateway, path, &body).await;
        assert_problem(&answer, 400, "invalid_request");
    }
    for code in ["", "a b", "a&b", "ä", &"a".repeat(129)] {
        let answer = complete(gateway, &attempts::new_scene(), code).await;
        assert_problem(&answer, 410, "authorization_code_spent");
    }
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 0);
}

#[tokio::test]
async fn a_code_confirms_the_attempt_for_whoever_brought_it() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let code = code(&stack, &person, &scene).await;
    let answer = complete(&stack.gateways[0], &scene, &code).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json),
        (200, &json!({ "status": "confirmed" })),
        "{}",
        answer.text
    );
    let answer = http::get(
        &stack.gateways[0],
        &format!("/v1/members/{}", person.openid),
    )
    .await;
    assert_eq!(answer.json["nickname"], "小林");
    assert_eq!(answer.json["subscribed"], true);
    assert!(
        answer.json["avatar_url"]
            .as_str()
            .unwrap()
            .starts_with("http")
    );
    assert_eq!(attempts::owner(&store, &scene).await, person.openid);
}

#[tokio::test]
async fn tap_mode_asks_for_no_second_press() {
    let plan = Plan::default()
        .gateway("GATEWAY__LOGIN__APPROVAL", "tap")
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1");
    let stack = http::start(plan).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let code = code(&stack, &person, &scene).await;
    assert_eq!(
        complete(&stack.gateways[0], &scene, &code).await.status,
        200
    );
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Confirmed
    );
}

#[tokio::test]
async fn a_code_that_comes_ten_times_is_exchanged_once_and_all_are_told_the_same() {
    let stack = http::start(Plan::default().gateways(2)).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let code = code(&stack, &person, &scene).await;
    let mut tasks = JoinSet::new();
    for number in 0..10 {
        let body = json!({ "scene": scene.as_str(), "code": code });
        let request = http::internal(&stack.gateways[number % 2], Method::POST, COMPLETE);
        tasks.spawn(async move { http::send(request.json(&body)).await.status.as_u16() });
    }
    assert_eq!(tasks.join_all().await, [200; 10]);
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 1);
}

#[tokio::test]
async fn a_browser_that_hangs_up_loses_no_code() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let code = code(&stack, &person, &scene).await;
    let slow = json!([{ "path": EXCHANGE, "times": 1, "kind": "slow", "delay_ms": 1500 }]);
    stack.wechat.faults(slow).await;
    // As when WeChat redirects twice: the browser ends its first request and makes the same again.
    let body = json!({ "scene": scene.as_str(), "code": code });
    let first = http::internal(&stack.gateways[0], Method::POST, COMPLETE).json(&body);
    let first = tokio::spawn(first.send());
    eventually("the code is being exchanged", async || {
        (stack.wechat.calls(EXCHANGE).await == 1).then_some(())
    })
    .await;
    first.abort();
    assert!(first.await.is_err_and(|error| error.is_cancelled()));
    let second = complete(&stack.gateways[0], &scene, &code).await;
    assert_eq!(second.status, 200, "{}", second.text);
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 1);
    assert_eq!(attempts::owner(&store, &scene).await, person.openid);
}

#[tokio::test]
async fn a_code_is_good_for_one_attempt_only() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let own = attempts::open(&store).await;
    let thiefs = attempts::open(&store).await;
    let code = code(&stack, &person, &own).await;
    assert_eq!(complete(&stack.gateways[0], &own, &code).await.status, 200);
    let answer = complete(&stack.gateways[0], &thiefs, &code).await;
    assert_problem(&answer, 410, "authorization_code_spent");
    assert_eq!(
        attempts::status(&store, &thiefs).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn a_snapshot_logs_nobody_in_however_often_it_comes() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    stack
        .wechat
        .settings(json!({ "snapshot_pages": true }))
        .await;
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let code = code(&stack, &person, &scene).await;
    for _ in 0..2 {
        let answer = complete(&stack.gateways[0], &scene, &code).await;
        assert_problem(&answer, 403, "snapshot_page");
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    let members: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:member:*"])
        .await;
    assert!(members.is_empty(), "nobody of a snapshot is stored");
}

#[tokio::test]
async fn an_attempt_that_is_over_or_somebody_elses_stays_so() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let gone = attempts::new_scene();
    let code_for_gone = code(&stack, &person, &gone).await;
    for _ in 0..2 {
        let answer = complete(&stack.gateways[0], &gone, &code_for_gone).await;
        assert_problem(&answer, 410, "login_expired");
    }

    let taken = attempts::open(&store).await;
    let first = attempts::new_openid();
    let scan = RecordScan {
        scene: taken.clone(),
        account: AccountName::default(),
        member: attempts::member(&first),
        approval: login_protocol::attempt::Approval::Scan,
    };
    let scanned = store.run(&scan).await.expect("Redis is running");
    assert_eq!(
        scanned.effect,
        ScanEffect::Accepted(AttemptStatus::Confirmed)
    );
    let code = code(&stack, &person, &taken).await;
    let answer = complete(&stack.gateways[0], &taken, &code).await;
    assert_problem(&answer, 410, "login_expired");
    assert_eq!(attempts::owner(&store, &taken).await, first);
}

#[tokio::test]
async fn without_nickname_and_following_the_login_succeeds_all_the_same() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let faults = json!([
        { "path": "/sns/userinfo", "kind": "status", "status": 502 },
        { "path": "/cgi-bin/user/info", "kind": "status", "status": 502 },
    ]);
    stack.wechat.faults(faults).await;
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let code = code(&stack, &person, &scene).await;
    let answer = complete(&stack.gateways[0], &scene, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let read = ReadMember {
        member: attempts::member(&person.openid),
    };
    let member = store.run(&read).await.expect("Redis is running");
    let member = member.expect("somebody was here");
    assert_eq!((member.nickname, member.subscribed), (None, false));
    assert_eq!(member.profile_at, None, "the next scan asks again");
}

#[tokio::test]
async fn while_wechat_is_away_the_site_is_told_so() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let code = code(&stack, &person, &scene).await;
    let down = json!([{ "path": EXCHANGE, "kind": "status", "status": 502 }]);
    stack.wechat.faults(down).await;
    let answer = complete(&stack.gateways[0], &scene, &code).await;
    assert_problem(&answer, 503, "wechat_unavailable");
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    // WeChat didn't take the code: bringing it again, as reloading does, is enough.
    stack.wechat.faults(Value::Array(Vec::new())).await;
    let answer = complete(&stack.gateways[0], &scene, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(attempts::owner(&store, &scene).await, person.openid);
}

#[tokio::test]
async fn what_passes_while_the_person_waits_is_nothing_to_them() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let faults = [
        json!({ "kind": "errcode", "errcode": -1 }),
        json!({ "kind": "status", "status": 502 }),
        json!({ "kind": "empty" }),
        json!({ "kind": "slow", "delay_ms": 60_000 }),
    ];
    for mut fault in faults {
        let scene = attempts::open(&store).await;
        let code = code(&stack, &person, &scene).await;
        let before = stack.wechat.calls(EXCHANGE).await;
        fault["path"] = EXCHANGE.into();
        fault["times"] = 1.into();
        stack.wechat.faults(json!([fault])).await;
        let answer = complete(&stack.gateways[0], &scene, &code).await;
        assert_eq!(answer.status, 200, "{fault}: {}", answer.text);
        assert_eq!(stack.wechat.calls(EXCHANGE).await - before, 2, "{fault}");
    }
}

#[tokio::test]
async fn an_exchange_is_logged_in_the_name_of_its_request() {
    let mut stack = http::start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&stack.redis.store()).await;
    let code = code(&stack, &person, &scene).await;
    let once = json!([{ "path": EXCHANGE, "kind": "empty", "times": 1 }]);
    stack.wechat.faults(once).await;
    let gateway = &mut stack.gateways[0];
    let body = json!({ "scene": scene.as_str(), "code": code });
    let named = http::internal(gateway, Method::POST, COMPLETE)
        .header("x-request-id", "edge-7")
        .json(&body);
    assert_eq!(http::send(named).await.status, 200);
    let line = gateway.process.line_with("retrying").await;
    assert!(line.ends_with(" request_id=edge-7"), "{line}");
}

#[tokio::test]
async fn what_the_version_before_kept_of_a_code_still_counts() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let scene = attempts::open(&store).await;
    let code = code(&stack, &person, &scene).await;
    let answer = complete(&stack.gateways[0], &scene, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let keys = "wechat-login:authorization-code:*";
    let keys: Vec<String> = stack.redis.command(&["KEYS", keys]).await;
    assert_eq!(keys.len(), 1, "one code");
    let kept: String = stack.redis.command(&["GET", &keys[0]]).await;
    assert_eq!(kept, r#"{"outcome":"confirmed"}"#);
    // As another replica, which isn't upgraded yet, would have written it.
    let problems = [
        ("over", 410, "login_expired"),
        ("snapshot", 403, "snapshot_page"),
        ("consent_missing", 403, "consent_missing"),
        ("thrown_away", 410, "login_expired"),
        ("!", 410, "authorization_code_spent"),
        ("what nobody wrote", 410, "authorization_code_spent"),
    ];
    for (kept, status, problem) in problems {
        let _: String = stack.redis.command(&["SET", &keys[0], kept]).await;
        let answer = complete(&stack.gateways[0], &scene, &code).await;
        assert_problem(&answer, status, problem);
    }
    let _: String = stack.redis.command(&["SET", &keys[0], "confirmed"]).await;
    let answer = complete(&stack.gateways[0], &scene, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 1);
}
