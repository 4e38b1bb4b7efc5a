//! Answers of WeChat's that aren't quite as documented: what is unambiguous is used, each member by
//! itself, and what can't be used is called so.

use jiff::{SignedDuration, Timestamp};
use login_protocol::{attempt::AttemptStatus, member::Member, scene::Scene, steps::ReadMember};
use serde_json::{Value, json};
use system_tests::{
    attempts::{self, new_scene},
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Answer,
};

use crate::{
    http::{self, assert_problem},
    web_authorizations::code,
};

const TOKEN: &str = "/cgi-bin/stable_token";
const CREATE: &str = "/cgi-bin/qrcode/create";
const USER_INFO: &str = "/cgi-bin/user/info";
const EXCHANGE: &str = "/sns/oauth2/access_token";
const WEB_USER_INFO: &str = "/sns/userinfo";

/// A fault that is a body.
fn answers(path: &str, body: &str) -> Value {
    json!({ "path": path, "kind": "body", "body": body })
}

async fn create_code(stack: &Stack, gateway: usize) -> Answer {
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    http::post(&stack.gateways[gateway], "/v1/qrcodes", &body).await
}

async fn complete(stack: &Stack, scene: &Scene, code: &str) -> Answer {
    let body = json!({ "scene": scene.as_str(), "code": code });
    let path = "/v1/web-authorizations/complete";
    http::post(&stack.gateways[0], path, &body).await
}

/// Logs the person in inside WeChat, and returns what is kept of them.
async fn logged_in(stack: &Stack, person: &Person) -> Member {
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let code = code(stack, person, &scene).await;
    let answer = complete(stack, &scene, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(attempts::owner(&store, &scene).await, person.openid);
    let read = ReadMember {
        member: attempts::member(&person.openid),
    };
    let member = store.run(&read).await.expect("Redis is running");
    member.expect("somebody was here")
}

#[tokio::test]
async fn a_token_is_used_for_as_long_as_its_answer_says_in_whatever_form() {
    let mut stack = http::start(Plan::default()).await;
    let token = http::get(&stack.gateways[0], "/v1/access-token").await.json;
    let token = token["access_token"].as_str().expect("a token").to_owned();
    for (expires_in, seconds) in [
        (r#","expires_in":"7200""#, 7200),
        (r#","expires_in":" 600 ""#, 600),
        (r#","expires_in":600.0"#, 600),
        (r#","expires_in":"600.0","errcode":"0""#, 600),
        (r#","expires_in":99999999999999999999"#, 7200),
        ("", 600),
        (r#","expires_in":null"#, 600),
        (r#","expires_in":0"#, 600),
        (r#","expires_in":-7200"#, 600),
        (r#","expires_in":{}"#, 600),
    ] {
        let body = format!("\u{feff}{{\"access_token\":\"{token}\"{expires_in}}}");
        stack.wechat.faults(json!([answers(TOKEN, &body)])).await;
        let _: String = stack.redis.command(&["FLUSHALL"]).await;
        stack.add_gateway().await;
        let last = stack.gateways.len() - 1;
        let held = http::get(&stack.gateways[last], "/v1/access-token").await;
        assert_eq!(held.status, 200, "{expires_in}: {}", held.text);
        let ends: Timestamp = held.json["expires_at"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("a time");
        let left = ends.duration_since(Timestamp::now());
        let expected = SignedDuration::from_secs(seconds - 20)..=SignedDuration::from_secs(seconds);
        assert!(expected.contains(&left), "{expires_in}: {left:?}");
        assert_eq!(create_code(&stack, last).await.status, 201, "{expires_in}");
        if seconds == 600 && !expires_in.contains("600") {
            let line = "lacks the access token's lifetime";
            stack.gateways[last].process.line_with(line).await;
        }
        stack.gateways[last].process.stop().await;
        stack.gateways.remove(last);
    }
}

#[tokio::test]
async fn an_error_code_that_is_a_text_is_one() {
    // WeChat forces a refresh every 30 seconds only, so each has a system of its own.
    for errcode in [r#""40001""#, r#"" 42001 ""#, "40014.0"] {
        let stack = http::start(Plan::default()).await;
        let before = stack.wechat.calls(CREATE).await;
        let body = format!(r#"{{"errcode":{errcode},"errmsg":"invalid credential"}}"#);
        let mut once = answers(CREATE, &body);
        once["times"] = 1.into();
        stack.wechat.faults(json!([once])).await;
        let answer = create_code(&stack, 0).await;
        assert_eq!(answer.status, 201, "{errcode}: {}", answer.text);
        assert_eq!(stack.wechat.calls(CREATE).await - before, 2, "{errcode}");
    }
}

#[tokio::test]
async fn a_codes_time_is_taken_in_every_form_and_supposed_where_it_is_missing() {
    let stack = http::start(Plan::default()).await;
    for (expire_seconds, seconds) in [
        (r#","expire_seconds":"60""#, 60),
        (r#","expire_seconds":60.0"#, 60),
        (r#","expire_seconds":"1000000","errcode":"0""#, 300),
        (r#","expire_seconds":0"#, 300),
        (r#","expire_seconds":-1"#, 300),
        (r#","expire_seconds":[]"#, 300),
        ("", 300),
    ] {
        let content = r#""ticket":"t","url":"http:\/\/weixin.qq.com\/q\/x""#;
        let body = format!("{{{content}{expire_seconds}}}");
        stack.wechat.faults(json!([answers(CREATE, &body)])).await;
        let answer = create_code(&stack, 0).await;
        assert_eq!(answer.status, 201, "{expire_seconds}: {}", answer.text);
        assert_eq!(answer.json["content"], "http://weixin.qq.com/q/x");
        let ends: Timestamp = answer.json["expires_at"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("a time");
        let left = ends.duration_since(Timestamp::now()).as_secs();
        assert!(
            (seconds - 20..=seconds).contains(&left),
            "{expire_seconds}: {left}"
        );
    }
}

#[tokio::test]
async fn an_answer_without_what_it_is_for_is_a_problem_of_its_own() {
    let mut stack = http::start(Plan::default()).await;
    for body in [
        "{}",
        r#"{"errcode":0,"errmsg":"ok"}"#,
        r#"{"ticket":"t","url":null}"#,
        r#"{"ticket":{},"url":"u"}"#,
    ] {
        let before = stack.wechat.calls(CREATE).await;
        stack.wechat.faults(json!([answers(CREATE, body)])).await;
        assert_problem(&create_code(&stack, 0).await, 503, "wechat_answer_unusable");
        // Each repeat would cost one of the day's codes.
        assert_eq!(stack.wechat.calls(CREATE).await - before, 1, "{body}");
    }
    let figures = http::get(&stack.gateways[0], "/metrics").await.text;
    let figure =
        r#"wechat_api_calls_total{call="qrcode/create",outcome="unusable",account="default"} 4"#;
    assert!(figures.contains(figure), "{figures}");
    let line = "WeChat's answer can't be used";
    stack.gateways[0].process.line_with(line).await;
}

#[tokio::test]
async fn an_unusable_answer_to_a_code_of_web_authorisation_is_no_spent_code() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = stack.wechat.person("小林", true).await;
    let spent = r#"{"errcode":40163,"errmsg":"code been used"}"#;
    for (first, calls) in [
        (r#"{"access_token":"t","expires_in":7200}"#, 1),
        (r#"{"access_token":"t","openid":null}"#, 1),
        (r#"{"access_token":"t","openid":"a b"}"#, 1),
        // Cut short: it is asked again, and the code is spent by then.
        (r#"{"access_token":"t","openid":"o"#, 2),
        ("<html>", 2),
    ] {
        let before = stack.wechat.calls(EXCHANGE).await;
        let scene = attempts::open(&store).await;
        let code = code(&stack, &person, &scene).await;
        let mut once = answers(EXCHANGE, first);
        once["times"] = 1.into();
        stack
            .wechat
            .faults(json!([once, answers(EXCHANGE, spent)]))
            .await;
        let answer = complete(&stack, &scene, &code).await;
        assert_problem(&answer, 503, "wechat_answer_unusable");
        assert_eq!(
            stack.wechat.calls(EXCHANGE).await - before,
            calls,
            "{first}"
        );
        assert_eq!(
            attempts::status(&store, &scene).await,
            AttemptStatus::Pending
        );
        stack.wechat.faults(json!([])).await;
    }
}

#[tokio::test]
async fn an_answer_to_a_code_needs_nothing_but_the_openid() {
    let stack = http::start(Plan::default()).await;
    for rest in [
        r#""access_token":"t","expires_in":"7200","scope":"snsapi_userinfo""#,
        r#""access_token":"t","expires_in":7200.0,"refresh_token":null,"scope":"snsapi_userinfo""#,
        r#""access_token":"t","refresh_token":{},"scope":"snsapi_userinfo","errcode":"0""#,
        r#""access_token":"t","expires_in":-1,"scope":"snsapi_userinfo","new":1e999"#,
    ] {
        let person = stack.wechat.person("小林", true).await;
        let body = format!(
            r#"{{{rest},"openid":"{}","unionid":"oUnion-1"}}"#,
            person.openid
        );
        let profile = r#"{"openid":"o","nickname":"小林","sex":{},"headimgurl":7.5}"#;
        let faults = json!([answers(EXCHANGE, &body), answers(WEB_USER_INFO, profile)]);
        stack.wechat.faults(faults).await;
        let member = logged_in(&stack, &person).await;
        assert_eq!(member.nickname.as_deref(), Some("小林"), "{rest}");
        assert_eq!(member.unionid.as_deref(), Some("oUnion-1"), "{rest}");
        assert!(member.subscribed, "user/info says so");
    }
}

#[tokio::test]
async fn the_unionid_of_the_answer_to_a_code_survives_whatever_follows() {
    let stack = http::start(Plan::default()).await;
    for fault in [
        json!({ "kind": "status", "status": 502 }),
        json!({ "kind": "errcode", "errcode": -1 }),
        json!({ "kind": "errcode", "errcode": 48001 }),
        json!({ "kind": "empty" }),
        json!({ "kind": "hang_up" }),
        json!({ "kind": "slow", "delay_ms": 60_000 }),
        json!({ "kind": "body", "body": r#"{"openid":"o","nickname":"#}),
        json!({ "kind": "body", "body": r#"{"openid":"o","unionid":null}"#}),
        json!({ "kind": "body", "body": r#"{"openid":"o","unionid":""}"#}),
        json!({ "kind": "body", "body": r#"{"openid":"o","unionid":{}}"#}),
        json!({ "kind": "body", "body": r#"{"openid":"o"}"#}),
    ] {
        let body = json!({ "nickname": "小林", "follows": false, "unionid": "oUnion-1" });
        let person = stack
            .wechat
            .control(reqwest::Method::POST, "/simulator/people", body)
            .await;
        let text = |member: &str| person[member].as_str().expect("text").to_owned();
        let person = Person {
            id: text("id"),
            openid: text("openid"),
            nickname: text("nickname"),
        };
        let mut rules = [fault.clone(), fault.clone()];
        rules[0]["path"] = WEB_USER_INFO.into();
        rules[1]["path"] = USER_INFO.into();
        stack.wechat.faults(json!(rules)).await;
        let member = logged_in(&stack, &person).await;
        assert_eq!(member.unionid.as_deref(), Some("oUnion-1"), "{fault}");
        assert_eq!(member.nickname, None, "{fault}");
        // Nor does a later answer without it take it away.
        stack.wechat.faults(json!([])).await;
        let partial = r#"{"openid":"o","nickname":"小林"}"#;
        let bare = format!(
            r#"{{"access_token":"t","openid":"{}","scope":"snsapi_userinfo"}}"#,
            person.openid
        );
        let faults = json!([answers(WEB_USER_INFO, partial), answers(EXCHANGE, &bare)]);
        stack.wechat.faults(faults).await;
        let member = logged_in(&stack, &person).await;
        assert_eq!(member.unionid.as_deref(), Some("oUnion-1"), "{fault}");
        assert_eq!(member.nickname.as_deref(), Some("小林"), "{fault}");
        stack.wechat.faults(json!([])).await;
    }
}

#[tokio::test]
async fn an_unreadable_member_of_a_profile_costs_no_other() {
    let stack = http::start(Plan::default()).await;
    for (nickname, kept) in [
        (r#""小林\ud83d""#, Some("小林\u{fffd}")),
        (r#""\ude00小林""#, Some("\u{fffd}小林")),
        (r#""小\u12林""#, Some("小\u{fffd}12林")),
        ("\"小\u{1}\n林\"", Some("小林")),
        ("7.5", None),
        (r#"{"name":"小林"}"#, None),
        ("1e999", None),
        ("NaN", None),
    ] {
        let profile = format!(
            r#"{{"subscribe":"1","openid":"o","nickname":{nickname},"sex":"?","province":[],"city":"杭州","headimgurl":"http:\/\/thirdwx.qlogo.cn\/x\/132","unionid":"oUnion-1","privilege":7}}"#
        );
        for path in [USER_INFO, WEB_USER_INFO] {
            let person = stack.wechat.person("小林", true).await;
            stack.wechat.faults(json!([answers(path, &profile)])).await;
            let member = if path == USER_INFO {
                let scene = attempts::open(&stack.redis.store()).await;
                crate::push_request::PushRequest::safe(&crate::push_request::scan(
                    &person.openid,
                    &scene,
                ))
                .send(&stack.gateways[0])
                .await;
                let path = format!("/v1/members/{}", person.openid);
                let told = http::get(&stack.gateways[0], &path).await;
                serde_json::from_value(told.json).expect("a member")
            } else {
                logged_in(&stack, &person).await
            };
            assert_eq!(member.nickname.as_deref(), kept, "{path} {nickname}");
            assert_eq!(member.location.as_deref(), Some("杭州"), "{path}");
            assert_eq!(member.unionid.as_deref(), Some("oUnion-1"), "{path}");
            let avatar = member.avatar_url.as_deref();
            assert_eq!(avatar, Some("https://thirdwx.qlogo.cn/x/132"), "{path}");
        }
    }
}

#[tokio::test]
async fn whether_somebody_follows_is_read_in_every_form_and_not_guessed() {
    let stack = http::start(Plan::default()).await;
    for (subscribe, follows) in [
        ("true", true),
        (r#""1""#, true),
        ("1.0", true),
        ("false", false),
        (r#""0""#, false),
        // Then it stays unknown.
        ("{}", false),
        ("null", false),
    ] {
        let person = stack.wechat.person("小林", false).await;
        let body = format!(r#"{{"subscribe":{subscribe},"subscribe_time":"?","openid":"o"}}"#);
        stack
            .wechat
            .faults(json!([answers(USER_INFO, &body)]))
            .await;
        let member = logged_in(&stack, &person).await;
        assert_eq!(member.subscribed, follows, "{subscribe}");
    }
    // Who is known to follow isn't taken for a stranger by an answer that doesn't say.
    stack.wechat.faults(json!([])).await;
    let person = stack.wechat.person("小林", true).await;
    assert!(logged_in(&stack, &person).await.subscribed);
    let unsaid = answers(USER_INFO, r#"{"openid":"o","subscribe":[]}"#);
    stack.wechat.faults(json!([unsaid])).await;
    assert!(logged_in(&stack, &person).await.subscribed);
}
