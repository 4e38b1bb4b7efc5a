//! Login tickets: what a page hands to its own backend, which asks once who logged in.

use jiff::Timestamp;
use reqwest::{Client, Method, StatusCode, header::CACHE_CONTROL};
use serde_json::{Value, json};
use system_tests::{
    deadline::PATIENCE,
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    visitor::{Answer, Visitor},
};
use tokio::task::JoinSet;

use crate::{
    answers::{assert_members, assert_problem, header, set_cookie},
    attempt_record,
    session::subject,
    web_authorization::{self, assert_goes_on, come_back, returning},
};

const KEY: &str = "a-key-for-the-shops-backend-0123456789";
const COMPLETE: &str = "/api/login/complete";
const FOR_A_TICKET: &str = "/api/login/complete?session=none";

fn plan() -> Plan {
    Plan::default().site("SITE__INTERNAL__API_KEY", KEY)
}

/// What the site's internal listener answers to a backend with this key.
async fn ask(internal: &str, key: &str, body: Value) -> Answer {
    let client: Client = service_kit::http_client::build(PATIENCE).expect("a client can be made");
    let request = client
        .post(format!("{internal}/v1/tickets/redeem"))
        .header("authorization", format!("Bearer {key}"))
        .json(&body);
    let response = request.send().await.expect("the site answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("the answer has a body");
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        text,
        json,
    }
}

async fn redeem_at(stack: &Stack, site: usize, ticket: &str) -> Answer {
    ask(
        &stack.sites[site].internal,
        KEY,
        json!({ "ticket": ticket }),
    )
    .await
}

async fn redeem(stack: &Stack, ticket: &str) -> Answer {
    redeem_at(stack, 0, ticket).await
}

async fn scanned(stack: &Stack, person: &Person) -> Visitor {
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(person, &content).await;
    visitor
}

fn ticket(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let ticket = answer.json["ticket"].as_str();
    ticket.expect("a ticket comes with it").to_owned()
}

async fn key_of_ticket(stack: &Stack) -> String {
    let mut keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:ticket:*"])
        .await;
    assert_eq!(keys.len(), 1, "one ticket");
    keys.remove(0)
}

#[tokio::test]
async fn a_login_comes_with_a_ticket_that_says_who_logged_in() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let before = Timestamp::now();
    let mut visitor = scanned(&stack, &person).await;
    let answer = visitor.call(Method::POST, COMPLETE).await;
    assert_members(&answer.json, &["ticket", "user"]);
    let ticket = ticket(&answer);
    assert!(set_cookie(&answer, "wechat-session").is_some());
    // What a page's address could hold without escapes.
    assert!(ticket.len() >= 32 && ticket.bytes().all(|byte| byte.is_ascii_graphic()));

    let redeemed = redeem(&stack, &ticket).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.text);
    assert_eq!(
        header(&redeemed.headers, CACHE_CONTROL.as_str()),
        "no-store"
    );
    let session = visitor.call(Method::GET, "/api/session").await;
    assert_members(&session.json, &["signed_in_at", "user"]);
    let signed_in_at = &session.json["signed_in_at"];
    let expected = json!({
        "user": answer.json["user"],
        "signed_in_at": signed_in_at,
        "method": "scan",
        "account": "default",
    });
    assert_eq!(redeemed.json, expected);
    subject(&redeemed.json["user"]);
    let signed_in_at: Timestamp = signed_in_at.as_str().unwrap().parse().unwrap();
    assert!(before.as_millisecond() <= signed_in_at.as_millisecond());
    assert!(signed_in_at <= Timestamp::now());
}

#[tokio::test]
async fn while_the_key_is_replaced_the_one_before_redeems_as_well() {
    let new = "the-new-key-for-the-shops-backend-0123456789";
    let plan = Plan::default()
        .site("SITE__INTERNAL__API_KEY", new)
        .site("SITE__INTERNAL__API_KEY_PREVIOUS", KEY);
    let stack = plan.start().await;
    let internal = &stack.sites[0].internal;
    for key in [KEY, new] {
        let answer = ask(internal, key, json!({ "ticket": "unknown" })).await;
        assert_problem(&answer, 404, "unknown_ticket");
    }
    let answer = ask(internal, &KEY[1..], json!({ "ticket": "unknown" })).await;
    assert_problem(&answer, 401, "invalid_api_key");
}

#[tokio::test]
async fn without_a_key_there_are_no_tickets() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    for (method, path) in [
        (Method::POST, FOR_A_TICKET),
        (Method::POST, "/api/login/web-authorization?session=none"),
    ] {
        let answer = visitor.call(method, path).await;
        assert_problem(&answer, 400, "invalid_request");
    }
    let answer = visitor.call(Method::POST, COMPLETE).await;
    assert_members(&answer.json, &["user"]);
    let answer = visitor.call(Method::GET, "/api/session").await;
    assert_members(&answer.json, &["signed_in_at", "user"]);
    let answer = redeem(&stack, &"A".repeat(43)).await;
    assert_problem(&answer, 404, "not_found");
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:ticket:*"])
        .await;
    assert!(keys.is_empty(), "{keys:?}");
}

#[tokio::test]
async fn only_backends_with_the_key_redeem_and_only_inside() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    let ticket = ticket(&visitor.call(Method::POST, COMPLETE).await);
    let internal = &stack.sites[0].internal;
    let body = json!({ "ticket": ticket });
    for key in ["", "wrong", API_KEY, &format!("{KEY}x"), &KEY[1..]] {
        let answer = ask(internal, key, body.clone()).await;
        assert_problem(&answer, 401, "invalid_api_key");
        assert_eq!(header(&answer.headers, "www-authenticate"), "Bearer");
    }
    let public = &stack.sites[0].public;
    let answer = ask(public, KEY, body.clone()).await;
    assert_problem(&answer, 404, "not_found");
    for broken in [
        json!({}),
        json!({ "ticket": 1 }),
        json!({ "ticket": "a", "b": 1 }),
    ] {
        let answer = ask(internal, KEY, broken).await;
        assert_problem(&answer, 400, "invalid_request");
    }
    for unknown in [
        "",
        "x",
        &"A".repeat(43),
        visitor.cookies()["wechat-session"].as_str(),
    ] {
        let answer = redeem(&stack, unknown).await;
        assert_problem(&answer, 404, "unknown_ticket");
    }
    // Nobody has used it up.
    assert_eq!(redeem(&stack, &ticket).await.status, 200);
}

#[tokio::test]
async fn a_ticket_is_used_up_and_expires() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    let first = ticket(&visitor.call(Method::POST, COMPLETE).await);
    let redeemed = redeem(&stack, &first).await;
    let again = redeem(&stack, &first).await;
    assert_eq!(again.json, redeemed.json);
    let key = key_of_ticket(&stack).await;
    assert!(!key.contains(&first), "Redis knows its hash");
    attempt_record::set_time(&stack, &key, "redeemed_at_ms", -11_000).await;
    let answer = redeem(&stack, &first).await;
    assert_problem(&answer, 410, "ticket_used");
    // Nor does a repeated answer of the same login bring it back.
    assert_eq!(ticket(&visitor.call(Method::POST, COMPLETE).await), first);
    let answer = redeem(&stack, &first).await;
    assert_problem(&answer, 410, "ticket_used");
    attempt_record::expire(&stack, &key).await;
    let answer = redeem(&stack, &first).await;
    assert_problem(&answer, 404, "unknown_ticket");

    let mut visitor = scanned(&stack, &person).await;
    let second = ticket(&visitor.call(Method::POST, COMPLETE).await);
    assert_ne!(second, first);
    let key = key_of_ticket(&stack).await;
    attempt_record::set_time(&stack, &key, "expires_at_ms", -1).await;
    let answer = redeem(&stack, &second).await;
    assert_problem(&answer, 410, "ticket_expired");
}

#[tokio::test]
async fn a_lost_answer_is_repeated_with_the_same_ticket() {
    for path in [COMPLETE, FOR_A_TICKET] {
        let stack = plan().sites(2).start().await;
        let person = stack.wechat.person("小林", true).await;
        let mut visitor = scanned(&stack, &person).await;
        let mut lost = visitor.clone();
        let first = ticket(&lost.call(Method::POST, path).await);
        let key = key_of_ticket(&stack).await;
        attempt_record::set_time(&stack, &key, "expires_at_ms", 1_000).await;
        visitor.move_to(&stack.sites[1].public);
        assert_eq!(ticket(&visitor.call(Method::POST, path).await), first);
        let expires_at: i64 = stack.redis.command(&["HGET", &key, "expires_at_ms"]).await;
        assert!(
            expires_at > Timestamp::now().as_millisecond() + 30_000,
            "it has its minute"
        );
        assert_eq!(redeem_at(&stack, 1, &first).await.status, 200);
    }
}

#[tokio::test]
async fn backends_that_redeem_at_once_get_one_answer() {
    let stack = plan().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    let ticket = ticket(&visitor.call(Method::POST, COMPLETE).await);
    let mut backends = JoinSet::new();
    for number in 0..10 {
        let internal = stack.sites[number % 2].internal.clone();
        let body = json!({ "ticket": ticket });
        backends.spawn(async move { ask(&internal, KEY, body).await });
    }
    let answers = backends.join_all().await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json, answers[0].json);
    }
}

#[tokio::test]
async fn a_ticket_is_nothing_at_another_site() {
    let mut stack = plan().start().await;
    let key = "SITE__PUBLIC__URL";
    stack.plan = stack.plan.clone().site(key, "http://forum.localhost");
    stack.add_site().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    let ticket = ticket(&visitor.call(Method::POST, COMPLETE).await);
    let answer = redeem_at(&stack, 1, &ticket).await;
    assert_problem(&answer, 404, "unknown_ticket");
    assert_eq!(redeem(&stack, &ticket).await.status, 200);
}

#[tokio::test]
async fn a_login_for_a_ticket_alone_begins_and_ends_no_session() {
    let stack = plan().start().await;
    let [owner, other] = [
        stack.wechat.person("小林", true).await,
        stack.wechat.person("小王", true).await,
    ];
    let mut visitor = scanned(&stack, &owner).await;
    visitor.complete().await;
    let session = visitor.cookies()["wechat-session"].clone();
    let content = visitor.start_login().await;
    stack.wechat.scan(&other, &content).await;
    let answer = visitor.call(Method::POST, FOR_A_TICKET).await;
    assert_members(&answer.json, &["ticket", "user"]);
    assert_eq!(answer.json["user"]["openid"], *other.openid);
    assert!(set_cookie(&answer, "wechat-session").is_none());
    assert_eq!(attempt_record::sessions(&stack).await.len(), 1);
    assert_eq!(visitor.cookies()["wechat-session"], session);
    assert_eq!(visitor.session().await.unwrap()["openid"], *owner.openid);
    let redeemed = redeem(&stack, &ticket(&answer)).await;
    assert_eq!(redeemed.json["user"]["openid"], *other.openid);
    for unknown in ["some", "None", "none%20"] {
        let path = format!("{COMPLETE}?session={unknown}");
        let answer = visitor.call(Method::POST, &path).await;
        assert_problem(&answer, 400, "invalid_request");
    }
}

/// An attacker plants their own session in a victim's browser, or finds a computer that somebody
/// left signed in, and has a backend bind that WeChat to the account which is signed in there.
#[tokio::test]
async fn a_session_of_somebody_else_is_no_ticket_without_a_scan() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    let first = ticket(&visitor.call(Method::POST, COMPLETE).await);
    // The attempt was redeemed for the session, however often its browser asks.
    for _ in 0..2 {
        let answer = visitor.call(Method::POST, FOR_A_TICKET).await;
        assert_problem(&answer, 410, "login_consumed");
    }
    let session = visitor.call(Method::GET, "/api/session").await;
    assert!(session.json.get("ticket").is_none(), "{}", session.text);
    // A browser with that session and nothing else.
    let mut attacker = stack.visitor();
    let planted = (
        "wechat-session".to_owned(),
        visitor.cookies()["wechat-session"].clone(),
    );
    attacker.cookies().extend([planted]);
    assert!(attacker.session().await.is_some());
    for path in [COMPLETE, FOR_A_TICKET] {
        let answer = attacker.call(Method::POST, path).await;
        assert_problem(&answer, 404, "no_login_attempt");
    }
    attacker.start_login().await;
    for path in [COMPLETE, FOR_A_TICKET] {
        let answer = attacker.call(Method::POST, path).await;
        assert_problem(&answer, 409, "login_not_confirmed");
    }
    let session = attacker.call(Method::GET, "/api/session").await;
    assert!(session.json.get("ticket").is_none(), "{}", session.text);
    assert_eq!(redeem(&stack, &first).await.status, 200);
    let answer = attacker.call(Method::GET, "/api/session").await;
    assert!(answer.json.get("ticket").is_none(), "{}", answer.text);
}

#[tokio::test]
async fn a_ticket_of_somebody_who_signed_out_everywhere_is_over() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    let ticket = ticket(&visitor.call(Method::POST, COMPLETE).await);
    let answer = visitor.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(answer.status, 204);
    let answer = redeem(&stack, &ticket).await;
    assert_problem(&answer, 410, "ticket_expired");
}

#[tokio::test]
async fn a_ticket_of_somebody_who_unfollowed_is_over_where_following_counts() {
    for (setting, is_over, is_over_afterwards) in [
        ("SITE__LOGIN__REQUIRE_FOLLOWING", true, false),
        ("SITE__SESSION__END_ON_UNFOLLOW", true, true),
        ("SITE__LOGIN__SITE_NAME", false, false),
    ] {
        let stack = plan().site(setting, "true").start().await;
        let person = stack.wechat.person("小林", true).await;
        let mut visitor = scanned(&stack, &person).await;
        let first = ticket(&visitor.call(Method::POST, COMPLETE).await);
        let mut visitor = scanned(&stack, &person).await;
        let second = ticket(&visitor.call(Method::POST, FOR_A_TICKET).await);
        stack.wechat.unfollow(&person).await;
        let assert_is = |answer: &Answer, is_over| {
            if is_over {
                assert_problem(answer, 410, "ticket_expired");
            } else {
                assert_eq!(answer.status, 200, "{setting}: {}", answer.text);
            }
        };
        assert_is(&redeem(&stack, &first).await, is_over);
        stack.wechat.follow(&person).await;
        assert_is(&redeem(&stack, &second).await, is_over_afterwards);
    }
}

#[tokio::test]
async fn who_comes_back_from_wechat_is_handed_the_ticket_once() {
    let stack = web_authorization::start(plan()).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    let answer = come_back(&mut visitor, &back).await;
    assert_goes_on(&answer, "/#");
    // The back button follows the redirect again, and nothing is signed in twice.
    assert_goes_on(&come_back(&mut visitor, &back).await, "/#");
    let first = visitor.call(Method::GET, "/api/session").await;
    assert_members(&first.json, &["signed_in_at", "ticket", "user"]);
    assert_goes_on(&come_back(&mut visitor, &back).await, "/#");
    let second = visitor.call(Method::GET, "/api/session").await;
    assert_members(&second.json, &["signed_in_at", "user"]);
    let redeemed = redeem(&stack, &ticket(&first)).await;
    assert_eq!(redeemed.json["user"]["openid"], *person.openid);
    assert_eq!(redeemed.json["method"], "web_authorization");
    assert_eq!(redeemed.json["signed_in_at"], first.json["signed_in_at"]);
}

#[tokio::test]
async fn who_comes_back_from_wechat_for_a_ticket_alone_completes_on_the_page() {
    let stack = web_authorization::start(plan()).await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let path = "/api/login/web-authorization?return_to=%2Fbind&session=none";
    let answer = visitor.call(Method::POST, path).await;
    let address = answer.json["authorize_url"].as_str().expect("an address");
    let back = stack.wechat.authorize(&person, address).await;
    for _ in 0..2 {
        assert_goes_on(&come_back(&mut visitor, &back).await, "/bind#");
    }
    assert!(!visitor.cookies().contains_key("wechat-session"));
    assert_eq!(visitor.status().await, "confirmed");
    let answer = visitor.call(Method::POST, FOR_A_TICKET).await;
    assert!(!visitor.cookies().contains_key("wechat-session"));
    assert_goes_on(&come_back(&mut visitor, &back).await, "/bind#");
    let redeemed = redeem(&stack, &ticket(&answer)).await;
    assert_eq!(redeemed.json["user"]["openid"], *person.openid);
    assert_eq!(redeemed.json["method"], "web_authorization");
}

#[tokio::test]
async fn a_redis_that_is_away_uses_up_no_ticket() {
    let mut stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    let ticket = ticket(&visitor.call(Method::POST, COMPLETE).await);
    let _: String = stack.redis.command(&["SAVE"]).await;
    stack.redis.kill();
    let answer = redeem(&stack, &ticket).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_problem(&answer, 503, "store_unavailable");
    stack.redis.restart().await;
    assert_eq!(redeem(&stack, &ticket).await.status, 200);
}

#[tokio::test]
async fn figures_count_what_came_of_tickets() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = scanned(&stack, &person).await;
    let ticket = ticket(&visitor.call(Method::POST, COMPLETE).await);
    redeem(&stack, &ticket).await;
    redeem(&stack, "x").await;
    let mut operator = Visitor::new(&stack.sites[0].internal);
    let metrics = operator.call(Method::GET, "/metrics").await.text;
    for outcome in ["redeemed", "unknown"] {
        let line = format!("login_tickets_total{{outcome=\"{outcome}\"}} 1");
        assert!(metrics.lines().any(|known| known == line), "{metrics}");
    }
    assert!(!metrics.contains(&ticket));
}
