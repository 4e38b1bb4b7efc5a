//! Logging in inside WeChat over HTTP: the visitor is the browser with the cookie, the person's
//! phone brings the code.

use login_protocol::scene::BrowserSecret;
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::json;
use system_tests::{
    simulator::Person,
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};
use url::Url;

use crate::{
    answers::{assert_members, assert_problem, header, retry_after, set_cookie},
    attempt_record,
    limits::begun_today,
};

const BEGIN: &str = "/api/login/web-authorization";
const EXCHANGE: &str = "/sns/oauth2/access_token";

pub(crate) async fn start(plan: Plan) -> Stack {
    let mut stack = plan.start().await;
    stack.publish_site().await;
    stack
}

pub(crate) async fn begin_from(visitor: &mut Visitor, path: &str) -> String {
    let query: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let answer = visitor
        .call(Method::POST, &format!("{BEGIN}?return_to={query}"))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json["authorize_url"]
        .as_str()
        .expect("an address")
        .to_owned()
}

pub(crate) async fn begin(visitor: &mut Visitor) -> String {
    begin_from(visitor, "/").await
}

fn path(address: &Url) -> String {
    format!("{}?{}", address.path(), address.query().unwrap_or_default())
}

pub(crate) async fn come_back(visitor: &mut Visitor, address: &Url) -> Answer {
    visitor.call(Method::GET, &path(address)).await
}

/// A visitor who has been to the consent, and the address that brings them back.
pub(crate) async fn returning(stack: &Stack, person: &Person) -> (Visitor, Url) {
    let mut visitor = stack.visitor();
    let authorize_url = begin(&mut visitor).await;
    let back = stack.wechat.authorize(person, &authorize_url).await;
    (visitor, back)
}

/// The same address with another value of this parameter.
pub(crate) fn with(address: &Url, name: &str, value: &str) -> Url {
    let pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    let mut changed = address.clone();
    changed
        .query_pairs_mut()
        .clear()
        .extend_pairs(pairs.iter().filter(|(key, _)| key != name))
        .append_pair(name, value);
    changed
}

#[track_caller]
pub(crate) fn assert_goes_on(answer: &Answer, path: &str) {
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(header(&answer.headers, "location"), path);
    assert_eq!(header(&answer.headers, "cache-control"), "no-store");
    assert_eq!(header(&answer.headers, "referrer-policy"), "no-referrer");
}

/// The visitor is told why, on a page whose address gives nothing away, and isn't signed in.
pub(crate) async fn assert_failed(
    visitor: &mut Visitor,
    answer: &Answer,
    because: &str,
    words: &str,
) {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let address = header(&answer.headers, "location").to_owned();
    // Relative to /login/wechat, wherever that lies.
    assert!(
        address.starts_with(&format!("wechat/stopped?because={because}&")),
        "{address}"
    );
    let address = format!("/login/{address}");
    assert!(
        !address.contains("code=") && !address.contains("state="),
        "{address}"
    );
    assert!(set_cookie(answer, "wechat-session").is_none());
    let page = visitor.call(Method::GET, &address).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        header(&page.headers, CONTENT_TYPE.as_str()),
        "text/html; charset=utf-8"
    );
    assert!(page.text.contains(words), "{}", page.text);
    assert!(page.text.contains("class=\"back\""), "{}", page.text);
    assert!(!page.text.contains("<script"), "{}", page.text);
    assert!(visitor.session().await.is_none());
}

#[tokio::test]
async fn a_login_begins_without_a_code_and_spends_no_quota() {
    let stack = start(Plan::default()).await;
    let mut visitor = stack.visitor();
    let answer = visitor.call(Method::POST, BEGIN).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_members(
        &answer.json,
        &[
            "authorize_url",
            "expires_at",
            "expires_in_seconds",
            "status",
        ],
    );
    assert_eq!(answer.json["status"], "pending");
    assert_eq!(answer.json["expires_in_seconds"], 300);
    let cookie = set_cookie(&answer, "wechat-login").expect("the attempt is bound");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let address = Url::parse(answer.json["authorize_url"].as_str().unwrap()).unwrap();
    let parameters: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["appid", "redirect_uri", "response_type", "scope", "state"]
    );
    let back = format!("{}/login/wechat?return_to=%2F", stack.sites[0].public);
    assert_eq!(parameters[1].1, back);
    let key = attempt_record::only(&stack).await;
    let digest = attempt_record::scene(&key).strip_prefix("login_").unwrap();
    assert!(!answer.text.contains(digest), "the scene stays here");
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 0);
    assert_eq!(visitor.status().await, "pending");
}

#[tokio::test]
async fn consent_leads_back_to_the_page_and_signs_in() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let authorize_url = begin_from(&mut visitor, "/shop?item=1#reviews").await;
    let again = begin_from(&mut visitor, "/shop?item=1#reviews").await;
    assert_eq!(again, authorize_url, "one attempt for two presses");
    assert_eq!(attempt_record::all(&stack).await.len(), 1);
    let back = stack.wechat.authorize(&person, &authorize_url).await;
    let answer = come_back(&mut visitor, &back).await;
    assert_goes_on(&answer, "/shop?item=1#reviews");
    let user = visitor.session().await.expect("signed in");
    assert_eq!(user["openid"], *person.openid);
    assert_eq!(user["nickname"], "小林");
    assert!(user["avatar_url"].as_str().unwrap().starts_with("http"));
    assert_eq!(user["subscribed"], true);
}

#[tokio::test]
async fn somebody_who_does_not_follow_is_logged_in_as_such() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小雨", false).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    assert_goes_on(&come_back(&mut visitor, &back).await, "/#");
    let user = visitor.session().await.expect("signed in");
    assert_eq!(
        (&user["nickname"], &user["subscribed"]),
        (&json!("小雨"), &json!(false))
    );
}

#[tokio::test]
async fn a_link_sent_to_somebody_else_logs_neither_in() {
    let stack = start(Plan::default()).await;
    let victim = stack.wechat.person("小林", true).await;
    let mut attacker = stack.visitor();
    let authorize_url = begin(&mut attacker).await;
    // The victim's own phone follows the link to its end.
    let page = stack.wechat.open(&victim, &authorize_url).await;
    let words = page["body"].as_str().expect("a page");
    assert!(words.contains("请从头登录"), "{page}");
    assert!(
        !page["url"].as_str().unwrap().contains("code="),
        "nothing to share: {page}"
    );
    assert_eq!(attacker.status().await, "pending");
    let complete = attacker.call(Method::POST, "/api/login/complete").await;
    assert_problem(&complete, 409, "login_not_confirmed");
    assert!(attacker.session().await.is_none());
}

#[tokio::test]
async fn a_browser_with_an_attempt_of_its_own_is_not_logged_in_by_anothers_return() {
    let stack = start(Plan::default()).await;
    let attacker = stack.wechat.person("路人", true).await;
    // The attacker hopes that the victim's browser becomes theirs.
    let (_, back) = returning(&stack, &attacker).await;
    let mut victim = stack.visitor();
    begin(&mut victim).await;
    let answer = come_back(&mut victim, &back).await;
    assert_failed(&mut victim, &answer, "elsewhere", "请从头登录").await;
    let mut nobody = stack.visitor();
    let answer = come_back(&mut nobody, &back).await;
    assert_failed(&mut nobody, &answer, "elsewhere", "请从头登录").await;
    // A visitor with a scan's attempt is no other case.
    let mut scanning = stack.visitor();
    scanning.start_login().await;
    let answer = come_back(&mut scanning, &back).await;
    assert_failed(&mut scanning, &answer, "elsewhere", "请从头登录").await;
}

#[tokio::test]
async fn any_other_state_is_refused() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    let other = BrowserSecret::from_random([7; 32]).scene();
    for state in ["", "login", &other.authorization_state(), other.as_str()] {
        let answer = come_back(&mut visitor, &with(&back, "state", state)).await;
        assert_failed(&mut visitor, &answer, "elsewhere", "请从头登录").await;
    }
    assert_eq!(visitor.status().await, "pending");
    // The attempt itself is as good as before; the code, which others may have read by now, isn't.
    let authorize_url = begin(&mut visitor).await;
    let back = stack.wechat.authorize(&person, &authorize_url).await;
    assert_goes_on(&come_back(&mut visitor, &back).await, "/#");
}

#[tokio::test]
async fn a_return_twice_is_a_return_once() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let (visitor, back) = returning(&stack, &person).await;
    let (mut one, mut other) = (visitor.clone(), visitor);
    let (first, second) = tokio::join!(come_back(&mut one, &back), come_back(&mut other, &back));
    assert_goes_on(&first, "/#");
    assert_goes_on(&second, "/#");
    assert_eq!(
        one.cookies()["wechat-session"],
        other.cookies()["wechat-session"]
    );
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 1);
    // The back button, much later.
    let key = attempt_record::only(&stack).await;
    attempt_record::set_time(&stack, &key, "redeemed_at_ms", -61_000).await;
    assert_goes_on(&come_back(&mut one, &back).await, "/#");
    attempt_record::expire(&stack, &key).await;
    assert_goes_on(&come_back(&mut one, &back).await, "/#");
    assert_eq!(attempt_record::sessions(&stack).await.len(), 1);
    one.call(Method::DELETE, "/api/session").await;
    let answer = come_back(&mut one, &back).await;
    assert_failed(&mut one, &answer, "elsewhere", "请从头登录").await;
}

#[tokio::test]
async fn declining_is_no_failure_and_can_be_reconsidered() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    let answer = come_back(&mut visitor, &with(&back, "code", "")).await;
    assert_failed(&mut visitor, &answer, "declined", "您没有同意授权").await;
    assert_goes_on(&come_back(&mut visitor, &back).await, "/#");
}

#[tokio::test]
async fn a_snapshot_is_explained_and_logs_nobody_in() {
    let stack = start(Plan::default()).await;
    stack
        .wechat
        .settings(json!({ "snapshot_pages": true }))
        .await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    for _ in 0..2 {
        let answer = come_back(&mut visitor, &back).await;
        assert_failed(&mut visitor, &answer, "snapshot", "使用完整服务").await;
    }
    stack
        .wechat
        .settings(json!({ "snapshot_pages": false }))
        .await;
    let authorize_url = begin(&mut visitor).await;
    let back = stack.wechat.authorize(&person, &authorize_url).await;
    assert_goes_on(&come_back(&mut visitor, &back).await, "/#");
}

#[tokio::test]
async fn a_spent_code_and_an_attempt_that_is_over_are_told_apart() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    let answer = come_back(&mut visitor, &with(&back, "code", "made-up")).await;
    assert_failed(&mut visitor, &answer, "spent_code", "请再试一次").await;
    let key = attempt_record::only(&stack).await;
    attempt_record::expire(&stack, &key).await;
    let answer = come_back(&mut visitor, &back).await;
    assert_failed(&mut visitor, &answer, "over", "这次登录已结束").await;
}

#[tokio::test]
async fn while_wechat_or_the_gateway_is_away_the_visitor_reads_so() {
    let mut stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    let down = json!([{ "path": EXCHANGE, "kind": "status", "status": 502 }]);
    stack.wechat.faults(down).await;
    let answer = come_back(&mut visitor, &back).await;
    assert_failed(&mut visitor, &answer, "unavailable", "暂时无法登录").await;

    stack.gateways[0].process.kill();
    let answer = come_back(&mut visitor, &with(&back, "code", "another")).await;
    assert_failed(&mut visitor, &answer, "unavailable", "暂时无法登录").await;
    let answer = visitor.call(Method::POST, BEGIN).await;
    assert_problem(&answer, 503, "gateway_unavailable");
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    let hostile = [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\r\nset-cookie: a=b",
        "https://evil.example/",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/\"><script>",
    ];
    for return_to in hostile {
        let authorize_url = begin_from(&mut visitor, return_to).await;
        if return_to != "/\"><script>" {
            assert!(
                authorize_url.contains("return_to%3D%252F&"),
                "{return_to:?}: {authorize_url}"
            );
        }
        // The address comes back through hands that aren't ours.
        let query: String = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
        let address = format!("/login/wechat/stopped?because=over&return_to={query}");
        let page = visitor.call(Method::GET, &address).await;
        assert!(!page.text.contains("evil"), "{return_to:?}: {}", page.text);
        assert!(
            !page.text.contains("<script"),
            "{return_to:?}: {}",
            page.text
        );
    }
    for return_to in &hostile[..9] {
        let answer = come_back(&mut visitor, &with(&back, "return_to", return_to)).await;
        assert_goes_on(&answer, "/#");
        assert!(answer.headers.get("a").is_none());
    }
}

#[tokio::test]
async fn a_site_below_a_path_gets_its_visitors_back_there() {
    let below = "http://localhost/passport";
    let plan = Plan::default().site("SITE__PUBLIC__URL", below);
    let stack = plan.start().await;
    let authorize_url = begin(&mut stack.visitor()).await;
    let address = Url::parse(&authorize_url).expect("it is an address");
    let back = address
        .query_pairs()
        .find(|(name, _)| name == "redirect_uri");
    let (_, back) = back.expect("there is a way back");
    assert!(
        back.starts_with("http://localhost/passport/login/wechat?"),
        "{back}"
    );
}

#[tokio::test]
async fn what_protects_a_scan_protects_this_login() {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_PER_MINUTE", "2");
    let stack = start(plan).await;
    let mut foreign = stack.visitor();
    foreign.set_header("origin", "https://evil.example");
    let answer = foreign.call(Method::POST, BEGIN).await;
    assert_problem(&answer, 403, "foreign_origin");
    let mut visitor = stack.visitor();
    begin(&mut visitor).await;
    // The other kind of login is another attempt, and counts against the same minute.
    visitor.start_login().await;
    let answer = stack.visitor().call(Method::POST, BEGIN).await;
    assert_problem(&answer, 429, "too_many_logins");
}

#[tokio::test]
async fn a_login_that_was_completed_is_given_back() {
    let stack = start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    for _ in 0..4 {
        begin(&mut stack.visitor()).await;
    }
    let (mut visitor, back) = returning(&stack, &person).await;
    assert_eq!(begun_today(&stack).await, 5);
    for _ in 0..3 {
        assert_goes_on(&come_back(&mut visitor, &back).await, "/#");
        assert_eq!(begun_today(&stack).await, 4);
    }
}

#[tokio::test]
async fn what_goes_on_gives_nothing_back_when_the_gateway_is_away() {
    let mut stack = start(Plan::default()).await;
    for _ in 0..3 {
        begin(&mut stack.visitor()).await;
    }
    let mut visitor = stack.visitor();
    begin(&mut visitor).await;
    stack.gateways[0].process.kill();
    for _ in 0..3 {
        assert_eq!(visitor.call(Method::POST, BEGIN).await.status, 503);
    }
    assert_eq!(begun_today(&stack).await, 4);
}

#[tokio::test]
async fn attempts_without_a_code_have_a_bound_where_no_client_has_one() {
    let plan = Plan::default()
        .site("SITE__LIMITS__LOGINS_PER_MINUTE", "0")
        .site("SITE__LIMITS__WEB_AUTHORIZATIONS", "3");
    let stack = start(plan).await;
    let mut visitor = stack.visitor();
    begin(&mut visitor).await;
    for _ in 0..2 {
        begin(&mut stack.visitor()).await;
    }
    let answer = stack.visitor().call(Method::POST, BEGIN).await;
    assert_problem(&answer, 503, "too_many_logins");
    assert!((1..=300).contains(&retry_after(&answer)));
    assert_eq!(attempt_record::all(&stack).await.len(), 3);
    // One that goes on is none more, and codes have bounds of their own.
    begin(&mut visitor).await;
    stack.visitor().start_login().await;
}

#[tokio::test]
async fn neither_code_nor_state_nor_cookie_reaches_a_log_or_stays_in_redis() {
    let plan = Plan::default()
        .site("SITE__LOG__LEVEL", "debug")
        .gateway("GATEWAY__LOG__LEVEL", "debug");
    let mut stack = start(plan).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    come_back(&mut visitor, &back).await;
    let logs = stack.logs_to_the_end().await;
    assert!(logs.contains("/login/wechat"), "debug lines are there");
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*"]).await;
    for (name, value) in back.query_pairs().filter(|(name, _)| name != "return_to") {
        assert!(!logs.contains(&*value), "{name} in a log");
        assert!(
            !keys.iter().any(|key| key.contains(&*value)),
            "{name} in Redis"
        );
    }
    for value in visitor.cookies().values() {
        assert!(!logs.contains(value), "a cookie in a log");
    }
}
