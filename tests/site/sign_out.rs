//! Signing out counts: nothing that is under way, repeated or full brings a session back.

use reqwest::Method;
use system_tests::{
    stack::{APP_ID, Plan, Stack},
    visitor::Visitor,
};

use crate::{answers::assert_problem, attempt_record, session::signed_in};

const COMPLETE: &str = "/api/login/complete";

/// A browser that holds the session's cookie and not the attempt's, which ends long before it.
fn without_attempt(visitor: &Visitor) -> Visitor {
    let mut visitor = visitor.clone();
    visitor.cookies().remove("wechat-login");
    visitor
}

/// Lets Redis take nothing that needs memory.
pub(crate) async fn fill(stack: &Stack) {
    let _: String = stack
        .redis
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .await;
}

#[tokio::test]
async fn signing_out_everywhere_stops_a_login_that_was_confirmed_before() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut here = signed_in(&stack, &person).await;
    // A code that the person scanned, in a browser that waits with the rest.
    let mut waiting = stack.visitor();
    let content = waiting.start_login().await;
    stack.wechat.scan(&person, &content).await;
    waiting.status_becomes("confirmed").await;
    let answer = here.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(answer.status, 204);

    for site in [0, 1, 0] {
        waiting.move_to(&stack.sites[site].public);
        let answer = waiting.call(Method::POST, COMPLETE).await;
        assert_problem(&answer, 410, "login_expired");
    }
    assert!(!waiting.cookies().contains_key("wechat-session"));
    // What it says is what helps.
    let content = waiting.start_login().await;
    stack.wechat.scan(&person, &content).await;
    waiting.complete().await;
    assert!(waiting.session().await.is_some());
}

#[tokio::test]
async fn signing_out_everywhere_stops_the_repeat_of_a_completion() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut here = signed_in(&stack, &person).await;
    let mut there = signed_in(&stack, &person).await;
    here.call(Method::DELETE, "/api/sessions").await;
    let answer = there.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 410, "login_expired");
    assert!(there.session().await.is_none());
}

/// The end comes after the scan and becomes known when the session has been written.
#[tokio::test]
async fn an_end_that_overtakes_a_completion_counts() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let attempt = attempt_record::only(&stack).await;
    let confirmed_at: String = stack
        .redis
        .command(&["HGET", &attempt, "confirmed_at_ms"])
        .await;
    let key = format!("wechat-login:sessions-end:{{{APP_ID}:{}}}", person.openid);
    let _: String = stack
        .redis
        .command(&["SET", &key, &confirmed_at, "PX", "60000"])
        .await;
    assert!(visitor.session().await.is_none());
}

#[tokio::test]
async fn somebody_elses_end_stops_nobody() {
    let stack = Plan::default().start().await;
    let [person, other] = [
        stack.wechat.person("小林", true).await,
        stack.wechat.person("路人", true).await,
    ];
    let mut waiting = stack.visitor();
    let content = waiting.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let mut others = signed_in(&stack, &other).await;
    others.call(Method::DELETE, "/api/sessions").await;
    waiting.complete().await;
    assert!(waiting.session().await.is_some());
}

/// A scan that an older version of the gateway recorded beside this one.
#[tokio::test]
async fn an_attempt_that_keeps_no_time_of_its_scan_is_completed_as_before() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut here = signed_in(&stack, &person).await;
    let mut waiting = stack.visitor();
    let content = waiting.start_login().await;
    stack.wechat.scan(&person, &content).await;
    for key in attempt_record::all(&stack).await {
        let _: i64 = stack
            .redis
            .command(&["HDEL", &key, "confirmed_at_ms"])
            .await;
    }
    here.call(Method::DELETE, "/api/sessions").await;
    waiting.complete().await;
    assert!(waiting.session().await.is_some());
}

#[tokio::test]
async fn a_session_that_was_ended_by_its_cookie_alone_stays_ended() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let mut elsewhere = signed_in(&stack, &person).await;
    let mut signing_out = without_attempt(&visitor);
    for _ in 0..2 {
        let answer = signing_out.call(Method::DELETE, "/api/session").await;
        assert_eq!(answer.status, 204);
        visitor.move_to(&stack.sites[1].public);
        let answer = visitor.call(Method::POST, COMPLETE).await;
        assert_problem(&answer, 410, "login_consumed");
        assert!(visitor.session().await.is_none());
    }
    assert!(elsewhere.session().await.is_some(), "another login stays");
}

#[tokio::test]
async fn signing_out_before_the_sessions_cookie_arrived_counts_too() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    // The answer with the session's cookie never arrives.
    visitor.clone().complete().await;
    let mut tab = visitor.clone();
    let answer = visitor.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, 204);
    let answer = tab.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 410, "login_consumed");
}

#[tokio::test]
async fn an_invented_session_leaves_nothing_behind() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let invented = ("wechat-session".to_owned(), "A".repeat(43));
    visitor.cookies().extend([invented]);
    visitor.call(Method::DELETE, "/api/session").await;
    assert!(attempt_record::session_keys(&stack).await.is_empty());
}

#[tokio::test]
async fn a_full_redis_lets_everybody_sign_out() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let mut by_cookie = signed_in(&stack, &person).await;
    let mut everywhere = signed_in(&stack, &person).await;
    let mut there = signed_in(&stack, &person).await;
    // Scripts too are to be new to it.
    let _: String = stack.redis.command(&["SCRIPT", "FLUSH"]).await;
    fill(&stack).await;
    let mut tabs = [visitor.clone(), by_cookie.clone(), everywhere.clone()];

    let answer = visitor.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    let mut alone = without_attempt(&by_cookie);
    let answer = alone.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(attempt_record::sessions(&stack).await.len(), 2);
    let answer = everywhere.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    for browser in [&mut visitor, &mut by_cookie, &mut everywhere, &mut there] {
        assert!(browser.session().await.is_none());
    }

    // Nor do repeats bring them back once there is room again.
    let _: String = stack
        .redis
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .await;
    for tab in &mut tabs {
        let answer = tab.call(Method::POST, COMPLETE).await;
        assert_eq!(answer.status, 410, "{}", answer.text);
        assert!(tab.session().await.is_none());
    }
}
