//! What a phone holds while it is asked is good in the browser that opened the link, and nowhere
//! else.

use std::time::Duration;

use reqwest::Method;
use system_tests::{
    deadline::eventually,
    simulator::Person,
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};
use url::Url;

use crate::{
    phone_browser::{PhoneBrowser, location, sent_to_wechat, with},
    tap::{scanned, tap_mode, tap_mode_with},
};

const EXCHANGE: &str = "/sns/oauth2/access_token";
const START_AGAIN: &str = "请重新打开链接";

#[track_caller]
fn assert_page(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.text.contains(words), "{words}: {}", answer.text);
}

/// A scanned login, its browser, and the phone's browser in front of the question.
async fn asked(stack: &Stack, person: &Person) -> (Visitor, PhoneBrowser, Url) {
    let (visitor, link) = scanned(stack, person).await;
    let mut phone = PhoneBrowser::new(stack);
    let asking = phone.is_asked(stack, person, &link).await;
    assert_page(&phone.get(&asking).await, 200, "登录花店");
    (visitor, phone, asking)
}

async fn ticket_key(stack: &Stack) -> String {
    let keys = "wechat-login:confirmation:*";
    let mut keys: Vec<String> = stack.redis.command(&["KEYS", keys]).await;
    assert_eq!(keys.len(), 1, "one ticket");
    keys.remove(0)
}

#[tokio::test]
async fn a_ticket_is_good_in_the_browser_that_it_was_given_to() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, mut phone, asking) = asked(&stack, &person).await;
    // One who read the ticket's address, without and with a cookie of their own.
    let mut thief = PhoneBrowser::new(&stack);
    for _ in 0..2 {
        assert_page(&thief.get(&asking).await, 403, START_AGAIN);
        for decision in ["confirm", "deny"] {
            let answer = thief.presses(&asking, decision).await;
            assert_page(&answer, 403, START_AGAIN);
        }
        let (_, link) = scanned(&stack, &person).await;
        thief.begins(&link).await;
    }
    assert_eq!(visitor.status().await, "scanned");
    assert_page(&phone.presses(&asking, "confirm").await, 200, "已确认登录");
    assert_eq!(visitor.complete().await["openid"], person.openid);
}

#[tokio::test]
async fn a_ticket_that_the_version_before_kept_for_a_code_is_given_again() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    let mut phone = PhoneBrowser::new(&stack);
    let back = phone.goes(&stack, &person, &link).await;
    let ticket = location(&phone.get(&back).await);
    let keys = "wechat-login:authorization-code:*";
    let keys: Vec<String> = stack.redis.command(&["KEYS", keys]).await;
    assert_eq!(keys.len(), 1, "one code");
    let _: String = stack.redis.command(&["SET", &keys[0], &ticket]).await;
    assert_eq!(location(&phone.get(&back).await), ticket);
    let asking = back.join(&ticket).expect("an address");
    assert_page(&phone.presses(&asking, "confirm").await, 200, "已确认登录");
    assert_eq!(visitor.complete().await["openid"], person.openid);
}

#[tokio::test]
async fn a_code_brings_a_ticket_to_the_browser_that_went_for_it() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (_, link) = scanned(&stack, &person).await;
    let mut phone = PhoneBrowser::new(&stack);
    let back = phone.goes(&stack, &person, &link).await;
    let ticket = location(&phone.get(&back).await);
    assert!(ticket.starts_with("decision?ticket="), "{ticket}");
    // WeChat's double redirect, and the back button.
    assert_eq!(location(&phone.get(&back).await), ticket);
    assert_eq!(stack.wechat.calls(EXCHANGE).await, 1);
    // Whoever reads the same address in a log, whether they have been to the link or not.
    let mut stranger = PhoneBrowser::new(&stack);
    sent_to_wechat(&stranger.get(&back).await);
    let mut thief = PhoneBrowser::new(&stack);
    let own = thief.begins(&link).await;
    sent_to_wechat(&thief.get(&back).await);
    // Not even with one that nobody has brought yet.
    let fresh = phone.goes(&stack, &person, &link).await;
    sent_to_wechat(&thief.get(&fresh).await);
    // With a state of their own the code is a spent one.
    let state = own.query_pairs().find(|(name, _)| name == "state");
    let state = state.expect("there is a state").1;
    let own_return = with(&back, "state", Some(&state));
    sent_to_wechat(&thief.get(&own_return).await);
}

#[tokio::test]
async fn a_code_that_reaches_another_browser_is_good_for_nobody() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    let mut attacker = PhoneBrowser::new(&stack);
    let authorize_url = attacker.begins(&link).await;
    // The victim opens the attacker's way to WeChat. Their phone gets a way of its own, and asks.
    let page = stack.wechat.open(&person, authorize_url.as_str()).await;
    let words = page["body"].as_str().expect("a page");
    assert!(words.contains("登录花店"), "{page}");
    eventually("both codes are exchanged", async || {
        (stack.wechat.calls(EXCHANGE).await == 2).then_some(())
    })
    .await;
    let led_through = page["redirects"].as_array().into_iter().flatten();
    let codes: Vec<Url> = led_through
        .filter_map(|address| Url::parse(address.as_str()?).ok())
        .filter(|address| address.query_pairs().any(|(name, _)| name == "code"))
        .collect();
    assert_eq!(codes.len(), 2, "{page}");
    // The attacker read the first one, which came with their own state.
    sent_to_wechat(&attacker.get(&codes[0]).await);
    assert_eq!(visitor.status().await, "scanned");
    let tickets = "wechat-login:confirmation:*";
    let tickets: Vec<String> = stack.redis.command(&["KEYS", tickets]).await;
    assert_eq!(tickets.len(), 1, "the victim's own");
}

#[tokio::test]
async fn wherever_a_code_arrives_it_is_spent() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (_, link) = scanned(&stack, &person).await;
    let mut phone = PhoneBrowser::new(&stack);
    let ways = [
        ("no login", with(&Url::parse(&link).unwrap(), "scene", None)),
        ("another's", Url::parse(&link).unwrap()),
        (
            "as a second code",
            with(&Url::parse(&link).unwrap(), "code", Some("first")),
        ),
    ];
    for (what, way) in ways {
        let back = phone.goes(&stack, &person, &link).await;
        let code = back.query_pairs().find(|(name, _)| name == "code");
        let mut stray = way;
        stray.set_path("/wechat/oauth/confirm/return");
        stray
            .query_pairs_mut()
            .append_pair("code", &code.expect("there is one").1)
            .append_pair("state", "login");
        let before = stack.wechat.calls(EXCHANGE).await;
        PhoneBrowser::new(&stack).get(&stray).await;
        eventually(what, async || {
            (stack.wechat.calls(EXCHANGE).await == before + 1).then_some(())
        })
        .await;
        // Nor is it good any more for the browser that went for it.
        sent_to_wechat(&phone.get(&back).await);
    }
}

#[tokio::test]
async fn a_ticket_that_decided_tells_the_outcome_for_a_minute_and_decides_nothing() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    for (decision, other, words, status) in [
        ("confirm", "deny", "已确认登录", "confirmed"),
        ("deny", "confirm", "已拒绝登录", "denied"),
    ] {
        let (mut visitor, mut phone, asking) = asked(&stack, &person).await;
        let key = ticket_key(&stack).await;
        // The answer to the first press gets lost.
        for press in [decision, decision, other] {
            let answer = phone.presses(&asking, press).await;
            assert_page(&answer, 200, words);
            assert!(!answer.text.contains("<form"), "{}", answer.text);
        }
        assert_page(&phone.get(&asking).await, 200, words);
        assert_eq!(visitor.status().await, status);
        let left: u64 = stack.redis.command(&["PTTL", &key]).await;
        assert!(
            Duration::from_millis(left) <= Duration::from_mins(1),
            "{left} ms"
        );
        // The minute isn't a new one with each press.
        let _: i64 = stack.redis.command(&["PEXPIRE", &key, "30000"]).await;
        phone.presses(&asking, decision).await;
        let left: u64 = stack.redis.command(&["PTTL", &key]).await;
        assert!(left <= 30_000, "{left} ms");
        let _: i64 = stack.redis.command(&["DEL", &key]).await;
        assert_page(
            &phone.presses(&asking, decision).await,
            200,
            "这次登录已结束",
        );
    }
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookies_is_told_what_to_do() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, link) = scanned(&stack, &person).await;
    let mut phone = PhoneBrowser::new(&stack);
    let back = phone.goes(&stack, &person, &link).await;
    phone.visitor.cookies().clear();
    // It is sent once more, in case that somebody else began.
    let again = sent_to_wechat(&phone.get(&back).await);
    phone.visitor.cookies().clear();
    let back = stack.wechat.authorize(&person, again.as_str()).await;
    assert_page(&phone.get(&back).await, 403, "需要允许 Cookie");
    assert_eq!(visitor.status().await, "scanned");
    // One that keeps cookies, but brings what belongs to another browser, is told something else.
    let mut other = PhoneBrowser::new(&stack);
    other.begins(&link).await;
    assert_page(&other.get(&back).await, 403, START_AGAIN);
}

#[tokio::test]
async fn the_phones_cookie_is_kept_from_scripts_and_other_hosts() {
    let plan = Plan::default().gateway("GATEWAY__PUBLIC__URL", "https://login.example.com/below");
    let stack = plan
        .gateway("GATEWAY__LOGIN__APPROVAL", "tap")
        .start()
        .await;
    let mut phone = PhoneBrowser::new(&stack);
    let answer = phone
        .visitor
        .call(Method::GET, "/wechat/oauth/profile")
        .await;
    let cookie = answer.headers["set-cookie"].to_str().expect("plain");
    assert!(cookie.starts_with("__Host-wechat-login-phone="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/;"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    let value = cookie.split(['=', ';']).nth(1).expect("a value").to_owned();
    assert!(!location(&answer).contains(&value), "the state hides it");
    // Beside cookies of others, of which some are none.
    phone.visitor.set_header(
        "cookie",
        &format!("odd; =x; a=\"; __Host-wechat-login-phone={value}; b=1"),
    );
    phone.visitor.cookies().clear();
    let same = phone
        .visitor
        .call(Method::GET, "/wechat/oauth/profile")
        .await;
    assert_eq!(location(&same), location(&answer), "the same browser");
}

#[tokio::test]
async fn who_was_asked_for_more_may_confirm_as_well() {
    let stack = tap_mode().await;
    let person = stack.wechat.person("小林", true).await;
    let (_, link) = scanned(&stack, &person).await;
    let mut phone = PhoneBrowser::new(&stack);
    let authorize_url = phone.begins(&link).await;
    let more = authorize_url
        .as_str()
        .replace("snsapi_base", "snsapi_userinfo");
    let back = stack.wechat.authorize(&person, &more).await;
    assert!(location(&phone.get(&back).await).starts_with("decision?"));
}

#[tokio::test]
async fn a_ticket_of_an_older_gateway_is_good_while_it_lasts() {
    let stack = tap_mode_with(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let (mut visitor, mut phone, asking) = asked(&stack, &person).await;
    let key = ticket_key(&stack).await;
    let record: String = stack.redis.command(&["GET", &key]).await;
    // Those wrote three words, and read three of ours.
    let old: Vec<&str> = record.split(' ').take(3).collect();
    let _: String = stack.redis.command(&["SET", &key, &old.join(" ")]).await;
    phone.visitor.cookies().clear();
    assert_page(&phone.presses(&asking, "confirm").await, 200, "已确认登录");
    assert_eq!(visitor.complete().await["openid"], person.openid);
}
