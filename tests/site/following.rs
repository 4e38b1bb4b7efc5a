//! Sites where only followers are signed in, or where an unfollow signs out.

use jiff::{SignedDuration, Timestamp};
use login_protocol::event::Position;
use reqwest::Method;
use system_tests::{
    stack::{API_KEY, Plan},
    visitor::Visitor,
};

use crate::{
    answers::{assert_problem, header},
    session::signed_in,
    web_authorization::{come_back, returning, start},
};

const COMPLETE: &str = "/api/login/complete";

fn ends_on_unfollow() -> Plan {
    Plan::default()
        .sites(2)
        .site("SITE__SESSION__END_ON_UNFOLLOW", "true")
}

fn requires_following() -> Plan {
    Plan::default()
        .sites(2)
        .site("SITE__LOGIN__REQUIRE_FOLLOWING", "true")
}

#[tokio::test]
async fn an_unfollow_ends_the_sessions_and_following_again_brings_none_back() {
    let stack = ends_on_unfollow().start().await;
    let person = stack.wechat.person("小林", true).await;
    let stranger = stack.wechat.person("路人", true).await;
    let mut here = signed_in(&stack, &person).await;
    let mut there = signed_in(&stack, &person).await;
    there.move_to(&stack.sites[1].public);
    let mut other = signed_in(&stack, &stranger).await;
    assert!(there.session().await.is_some());
    stack.wechat.unfollow(&person).await;
    for browser in [&mut here, &mut there] {
        let answer = browser.call(Method::GET, "/api/session").await;
        assert_problem(&answer, 401, "not_signed_in");
    }
    assert!(other.session().await.is_some());
    stack.wechat.follow(&person).await;
    assert!(here.session().await.is_none());
    let mut next = signed_in(&stack, &person).await;
    assert!(next.session().await.is_some());
    let answer = next.call(Method::GET, "/api/sessions").await;
    let sessions = answer.json["sessions"].as_array().expect("a list");
    assert_eq!(sessions.len(), 1, "{}", answer.text);
}

#[tokio::test]
async fn an_unfollow_is_told_by_the_time_that_its_push_is_answered() {
    let stack = ends_on_unfollow().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut browser = signed_in(&stack, &person).await;
    browser.move_to(&stack.sites[1].public);
    stack.wechat.unfollow(&person).await;
    let answered = Timestamp::now();
    let answer = browser.call(Method::GET, "/api/session").await;
    assert_problem(&answer, 401, "not_signed_in");
    let mut owner = Visitor::new(&stack.gateways[0].internal);
    owner.set_header("authorization", &format!("Bearer {API_KEY}"));
    let events = owner.call(Method::GET, "/v1/events").await;
    let events = events.json["events"].as_array().expect("events").clone();
    let [.., left, ended] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(left["type"], "member.unfollowed");
    assert_eq!(ended["type"], "session.ended");
    for event in [left, ended] {
        let place = Position::of_event_id(event["id"].as_str().expect("an id"));
        let told = place.expect("it is one").time();
        assert!(told < answered + SignedDuration::from_secs(1), "{event}");
    }
}

#[tokio::test]
async fn an_unfollow_voids_a_login_that_was_confirmed_before() {
    let stack = ends_on_unfollow().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.status_becomes("confirmed").await;
    stack.wechat.unfollow(&person).await;
    let answer = visitor.call(Method::POST, COMPLETE).await;
    assert_problem(&answer, 410, "login_expired");
}

#[tokio::test]
async fn who_unfollows_is_signed_in_no_more_where_following_is_required() {
    let stack = requires_following().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    visitor.move_to(&stack.sites[1].public);
    assert!(visitor.session().await.is_some());
    stack.wechat.unfollow(&person).await;
    let answer = visitor.call(Method::GET, "/api/session").await;
    assert_problem(&answer, 401, "not_signed_in");
    let answer = visitor.call(Method::GET, "/api/sessions").await;
    assert_problem(&answer, 401, "not_signed_in");
}

#[tokio::test]
async fn who_unfollows_in_between_is_told_to_follow() {
    let stack = requires_following().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.status_becomes("confirmed").await;
    stack.wechat.unfollow(&person).await;
    for site in [0, 1] {
        visitor.move_to(&stack.sites[site].public);
        let answer = visitor.call(Method::POST, COMPLETE).await;
        assert_problem(&answer, 403, "following_required");
    }
    assert!(!visitor.cookies().contains_key("wechat-session"));
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    stack.wechat.follow(&person).await;
    visitor.complete().await;
    assert!(visitor.session().await.is_some());
}

#[tokio::test]
async fn inside_wechat_too_only_followers_are_signed_in() {
    let stack = start(requires_following()).await;
    let person = stack.wechat.person("小林", false).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    let answer = come_back(&mut visitor, &back).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let location = header(&answer.headers, "location");
    assert!(
        location.starts_with("wechat/stopped?because=not_following&"),
        "{location}"
    );
    let page = visitor
        .call(Method::GET, &format!("/login/{location}"))
        .await;
    assert!(page.text.contains("请先关注公众号"), "{}", page.text);
    assert!(visitor.session().await.is_none());

    let follower = stack.wechat.person("小李", true).await;
    let (mut visitor, back) = returning(&stack, &follower).await;
    come_back(&mut visitor, &back).await;
    assert!(visitor.session().await.is_some());
}

/// Whoever never followed was signed in without it, and stays.
#[tokio::test]
async fn who_never_followed_is_not_signed_out_by_an_unfollow() {
    let stack = start(ends_on_unfollow()).await;
    let person = stack.wechat.person("小林", false).await;
    let (mut visitor, back) = returning(&stack, &person).await;
    come_back(&mut visitor, &back).await;
    assert!(visitor.session().await.is_some());
}
