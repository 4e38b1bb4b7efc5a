//! Who is banned is refused in each moment of a login, whatever is known of them.

use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    scene::{BrowserSecret, Scene},
    steps::{RecordScan, ScanEffect},
};
use reqwest::Method;
use serde_json::Value;
use system_tests::{
    attempts::{self, member, new_openid},
    redis_server::RedisServer,
    stack::{Plan, Service, Stack},
    visitor::Visitor,
};

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, scan},
    web_authorizations,
};

const COMPLETE: &str = "/api/login/complete";

/// What the phone reads.
const TOLD: &str = "登录权限已被停用";

async fn ban(gateway: &Service, openid: &str, method: Method) {
    let path = format!("/v1/members/{openid}/ban");
    let answer = http::send(http::internal(gateway, method, &path)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
}

/// The scene of the attempt that this browser has.
pub(crate) fn scene(visitor: &mut Visitor) -> Scene {
    let cookie = visitor.cookies()["wechat-login"].clone();
    let secret = BrowserSecret::parse(&cookie).expect("the cookie is a secret");
    secret.scene()
}

/// All that Redis holds, keys and values.
async fn everything(redis: &RedisServer) -> String {
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let mut text = keys.join("\n");
    for key in &keys {
        let kind: String = redis.command(&["TYPE", key]).await;
        let values: Vec<String> = match kind.as_str() {
            "string" => vec![redis.command(&["GET", key]).await],
            "hash" => redis.command(&["HGETALL", key]).await,
            "zset" => redis.command(&["ZRANGE", key, "0", "-1"]).await,
            "set" => redis.command(&["SMEMBERS", key]).await,
            other => panic!("{key} is a {other}"),
        };
        text.push('\n');
        text.push_str(&values.join("\n"));
    }
    text
}

#[tokio::test]
async fn somebody_never_seen_can_be_banned_and_their_scan_is_denied() {
    let stack = Plan::default().start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    ban(gateway, &person.openid, Method::PUT).await;
    let path = format!("/v1/members/{}", person.openid);
    assert_problem(&http::get(gateway, &path).await, 404, "unknown_member");
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    assert_eq!(visitor.status().await, "denied");
    let told = stack.wechat.chat(&person).await.concat();
    assert!(told.contains(TOLD), "{told}");
    let refused = visitor.call(Method::POST, COMPLETE).await;
    assert_problem(&refused, 403, "banned");
    assert_problem(&http::get(gateway, &path).await, 404, "unknown_member");
    ban(gateway, &person.openid, Method::DELETE).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
}

#[tokio::test]
async fn a_ban_signs_out_at_once_and_denies_what_is_open() {
    let plan = Plan::default().site("SITE__LOGIN__APPROVAL", "scan");
    let stack = plan.start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let mut signed_in = stack.visitor();
    let content = signed_in.start_login().await;
    stack.wechat.scan(&person, &content).await;
    signed_in.complete().await;
    let mut confirmed = stack.visitor();
    let content = confirmed.start_login().await;
    let mut events = confirmed.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&person, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    let mut other = stack.visitor();
    let content = other.start_login().await;
    ban(gateway, &person.openid, Method::PUT).await;
    assert_eq!(signed_in.session().await, None);
    assert_eq!(confirmed.status().await, "denied");
    let refused = confirmed.call(Method::POST, COMPLETE).await;
    assert_problem(&refused, 403, "banned");
    // What they didn't scan is somebody else's to use.
    let another = stack.wechat.person("小王", true).await;
    stack.wechat.scan(&another, &content).await;
    other.complete().await;
    let told = http::get(gateway, "/v1/events").await;
    let denied = told.json["events"].as_array().expect("events");
    let denied: Vec<&Value> = denied
        .iter()
        .filter(|event| event["type"] == "login.denied")
        .collect();
    assert_eq!(denied.len(), 1, "{}", told.text);
    assert_eq!(denied[0]["data"]["reason"], "banned");
    assert_eq!(denied[0]["data"]["member"]["banned"], true);
}

#[tokio::test]
async fn a_scan_that_a_ban_overtook_completes_nothing() {
    let stack = Plan::default().start().await;
    let gateway = &stack.gateways[0];
    let openid = new_openid();
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    ban(gateway, &openid, Method::PUT).await;
    // A gateway that had asked about bans a moment before.
    let scan = RecordScan {
        scene: scene(&mut visitor),
        account: AccountName::default(),
        member: member(&openid),
        approval: Approval::Scan,
    };
    let scanned = stack.redis.store().run(&scan).await;
    let effect = scanned.expect("Redis is running").effect;
    assert_eq!(effect, ScanEffect::Accepted(AttemptStatus::Confirmed));
    let refused = visitor.call(Method::POST, COMPLETE).await;
    assert_problem(&refused, 403, "banned");
    assert_eq!(visitor.session().await, None);
    let again = visitor.call(Method::POST, COMPLETE).await;
    assert_problem(&again, 403, "banned");
}

#[tokio::test]
async fn erasing_leaves_nothing_but_the_ban() {
    let stack = Plan::default().start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    let mut waiting = stack.visitor();
    let content = waiting.start_login().await;
    stack.wechat.scan(&person, &content).await;
    assert_eq!(waiting.status().await, "confirmed");
    assert!(everything(&stack.redis).await.contains(&person.openid));
    ban(gateway, &person.openid, Method::PUT).await;
    let path = format!("/v1/members/{}", person.openid);
    let erase = async || http::send(http::internal(gateway, Method::DELETE, &path)).await;
    assert_eq!(erase().await.status, 204);
    let left = everything(&stack.redis).await;
    assert!(!left.contains(&person.openid), "{left}");
    assert_problem(&erase().await, 404, "unknown_member");
    assert!(!everything(&stack.redis).await.contains(&person.openid));
    assert_eq!(visitor.session().await, None);
    assert_eq!(waiting.status().await, "expired");
    // They stay banned, and aren't kept again.
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    assert_eq!(visitor.status().await, "denied");
    assert_problem(&http::get(gateway, &path).await, 404, "unknown_member");
}

#[tokio::test]
async fn who_is_erased_and_not_banned_leaves_nothing_and_may_come_back() {
    let stack = Plan::default().start().await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", true).await;
    let mut confirmed = stack.visitor();
    let content = confirmed.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let path = format!("/v1/members/{}", person.openid);
    let erased = http::send(http::internal(gateway, Method::DELETE, &path)).await;
    assert_eq!(erased.status, 204);
    let left = everything(&stack.redis).await;
    assert!(!left.contains(&person.openid), "{left}");
    let over = confirmed.call(Method::POST, COMPLETE).await;
    assert_problem(&over, 410, "login_expired");
    let content = confirmed.start_login().await;
    stack.wechat.scan(&person, &content).await;
    confirmed.complete().await;
}

#[tokio::test]
async fn clear_answers_about_who_is_unknown_or_no_person() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let ask = async |method, path: &str| http::send(http::internal(gateway, method, path)).await;
    let unknown = format!("/v1/members/{}", new_openid());
    let gone = ask(Method::DELETE, &unknown).await;
    assert_problem(&gone, 404, "unknown_member");
    let lifted = ask(Method::DELETE, &format!("{unknown}/ban")).await;
    assert_eq!(lifted.status, 204, "nobody is banned, as was asked for");
    let impossible = ask(Method::PUT, "/v1/members/o%7Bx%7D/ban").await;
    assert_problem(&impossible, 404, "unknown_member");
    let account = ask(Method::PUT, &format!("{unknown}/ban?account=nobody")).await;
    assert_problem(&account, 404, "unknown_account");
}

async fn scanned_status(stack: &Stack, openid: &str) -> AttemptStatus {
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    PushRequest::safe(&scan(openid, &scene))
        .send(&stack.gateways[0])
        .await;
    attempts::status(&store, &scene).await
}

#[tokio::test]
async fn every_gateway_knows_a_ban_at_once() {
    let stack = http::start(Plan::default().gateways(2)).await;
    let openid = new_openid();
    let one = &stack.gateways[1];
    assert_eq!(
        scanned_status(&stack, &openid).await,
        AttemptStatus::Confirmed
    );
    for _ in 0..2 {
        ban(one, &openid, Method::PUT).await;
        assert_eq!(scanned_status(&stack, &openid).await, AttemptStatus::Denied);
        ban(one, &openid, Method::DELETE).await;
        assert_eq!(
            scanned_status(&stack, &openid).await,
            AttemptStatus::Confirmed
        );
    }
}

#[tokio::test]
async fn inside_wechat_a_banned_person_is_refused_as_well() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let person = stack.wechat.person("小林", false).await;
    ban(gateway, &person.openid, Method::PUT).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let code = web_authorizations::code(&stack, &person, &scene).await;
    for _ in 0..2 {
        let answer = web_authorizations::complete(gateway, &scene, &code).await;
        assert_problem(&answer, 403, "banned");
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Denied
    );
    let path = format!("/v1/members/{}", person.openid);
    assert_problem(&http::get(gateway, &path).await, 404, "unknown_member");
}
