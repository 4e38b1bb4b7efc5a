//! Sessions that a version wrote which knew no sites and no subjects: an upgrade signs nobody out.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use system_tests::{
    simulator::Person,
    stack::{APP_ID, Plan, Stack},
    visitor::Visitor,
};

use crate::session::{signed_in, subject};

pub(crate) const SESSION_COOKIE: &str = "wechat-session";

/// Signs the browser in as version 0.1.0 did, and returns the session's key. The person's member
/// record is of that version too: they scanned, and there was no subject to give.
pub(crate) async fn older_session(stack: &Stack, person: &Person, browser: &mut Visitor) -> String {
    let (app_id, openid) = (APP_ID, person.openid.as_str());
    let identifier = URL_SAFE_NO_PAD.encode(Sha256::digest(openid));
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&identifier));
    let key = format!("wechat-login:session:{{{hash}}}");
    let begun_at = Timestamp::now().as_millisecond() - 60_000;
    let record = format!("{app_id} {openid} {begun_at}");
    let _: String = stack
        .redis
        .command(&["SET", &key, &record, "PX", "259200000"])
        .await;
    let member = format!("wechat-login:member:{{{app_id}:{openid}}}");
    let seconds = (begun_at / 1000).to_string();
    let fields = [
        ("first_seen_at", seconds.as_str()),
        ("last_seen_at", &seconds),
        ("follow_changed_at", &seconds),
        ("profile_at", &seconds),
        ("subscribed", "1"),
        ("nickname", "小林"),
        ("unionid", "oUnion-of-before"),
    ];
    for (name, value) in fields {
        let _: i64 = stack.redis.command(&["HSET", &member, name, value]).await;
    }
    browser
        .cookies()
        .insert(SESSION_COOKIE.to_owned(), identifier);
    key
}

#[tokio::test]
async fn an_upgrade_signs_nobody_out_and_gives_everybody_a_subject() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = stack.visitor();
    older_session(&stack, &person, &mut browser).await;
    let user = browser.session().await.expect("still signed in");
    assert_eq!(user["openid"], person.openid);
    assert_eq!(user["nickname"], "小林");
    let sub = subject(&user);
    browser.move_to(&stack.sites[1].public);
    assert_eq!(subject(&browser.session().await.unwrap()), sub);
    // The next login has the same one.
    let mut again = signed_in(&stack, &person).await;
    assert_eq!(subject(&again.session().await.unwrap()), sub);
    assert!(browser.session().await.is_some());
}

#[tokio::test]
async fn signing_out_ends_a_session_of_before() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = stack.visitor();
    let key = older_session(&stack, &person, &mut browser).await;
    let mut thief = browser.clone();
    let answer = browser.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(thief.session().await, None);
    let left: String = stack.redis.command(&["GET", &key]).await;
    assert_eq!(left, "ended 0", "what the version before takes for over");
}

/// Replicas of both versions must feel it.
#[tokio::test]
async fn signing_out_everywhere_ends_sessions_of_both_versions() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    for from_the_older in [true, false] {
        let mut older = stack.visitor();
        older_session(&stack, &person, &mut older).await;
        let mut newer = signed_in(&stack, &person).await;
        assert!(
            older.session().await.is_some(),
            "it began before, and is written anew"
        );
        let from = if from_the_older { &older } else { &newer };
        let answer = from.clone().call(Method::DELETE, "/api/sessions").await;
        assert_eq!(answer.status, 204, "{}", answer.text);
        assert_eq!(older.session().await, None);
        assert_eq!(newer.session().await, None);
        let ends: Vec<String> = stack
            .redis
            .command(&["KEYS", "wechat-login:sessions-end:*"])
            .await;
        let of_before = format!("wechat-login:sessions-end:{{{APP_ID}:{}}}", person.openid);
        assert_eq!(ends.contains(&of_before), from_the_older, "{ends:?}");
        for end in ends {
            let _: i64 = stack.redis.command(&["DEL", &end]).await;
        }
    }
}

#[tokio::test]
async fn a_session_of_a_newer_version_is_nobodys_and_no_failure() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = signed_in(&stack, &person).await;
    let key = crate::attempt_record::sessions(&stack).await.remove(0);
    let record: String = stack.redis.command(&["GET", &key]).await;
    let mut newer: Value = serde_json::from_str(&record).expect("it is JSON");
    newer["version"] = 2.into();
    let _: String = stack
        .redis
        .command(&["SET", &key, &newer.to_string(), "PX", "60000"])
        .await;
    let answer = browser.call(Method::GET, "/api/session").await;
    assert_eq!(answer.status, 401, "{}", answer.text);
}
