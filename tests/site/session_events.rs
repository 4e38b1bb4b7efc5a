//! `GET /api/session/events`: a page learns at once that its visitor is signed in no more, wherever
//! and however that came about.

use reqwest::{Method, Response, header::CONTENT_TYPE};
use system_tests::{
    deadline::{PATIENCE, eventually},
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    visitor::Visitor,
};
use tokio::time::timeout;

use crate::{
    answers::{assert_problem, header},
    operations::{has_line, metrics},
    session::signed_in,
};

const PATH: &str = "/api/session/events";

const SIGNED_IN: &str = "event: session\ndata: {\"signed_in\":true}\n\n";
const OVER: &str = "event: session\ndata: {\"signed_in\":false}\n\n";

/// Two sites, so that what one does is told at the other.
fn plan() -> Plan {
    Plan::default().sites(2)
}

/// The next piece of a stream as text; empty at its end.
async fn piece(response: &mut Response) -> String {
    let chunk = timeout(PATIENCE, response.chunk()).await;
    let chunk = chunk.expect("news in time").expect("the stream is whole");
    chunk.map_or_else(String::new, |chunk| {
        String::from_utf8(chunk.to_vec()).expect("events are text")
    })
}

/// A stream that has said that somebody is signed in.
async fn open(visitor: &mut Visitor) -> Response {
    let mut stream = visitor.send(Method::GET, PATH).await;
    assert_eq!(stream.status(), 200);
    let first = piece(&mut stream).await;
    assert_eq!(first, format!("retry: 1000\n{SIGNED_IN}"));
    stream
}

async fn assert_over(stream: &mut Response) {
    assert_eq!(piece(stream).await, OVER);
    assert_eq!(piece(stream).await, "", "it was the last event");
}

/// Two browsers of a person at two sites' processes, whose pages watch.
async fn two_pages(stack: &Stack, person: &Person) -> [(Visitor, Response); 2] {
    let mut here = signed_in(stack, person).await;
    let mut there = signed_in(stack, person).await;
    there.move_to(&stack.sites[1].public);
    let streams = [open(&mut here).await, open(&mut there).await];
    let [first, second] = streams;
    [(here, first), (there, second)]
}

#[tokio::test]
async fn the_first_event_comes_at_once_and_nothing_of_it_is_kept() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let stream = visitor.send(Method::GET, PATH).await;
    let headers = stream.headers();
    assert_eq!(header(headers, CONTENT_TYPE.as_str()), "text/event-stream");
    assert_eq!(header(headers, "x-accel-buffering"), "no");
    assert_eq!(header(headers, "cache-control"), "no-store");
    let answer = stack.visitor().call(Method::GET, PATH).await;
    assert_problem(&answer, 401, "not_signed_in");
}

#[tokio::test]
async fn an_unfollow_that_ends_sessions_is_told_to_all_pages() {
    let plan = plan().site("SITE__SESSION__END_ON_UNFOLLOW", "true");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let pages = two_pages(&stack, &person).await;
    stack.wechat.unfollow(&person).await;
    for (mut visitor, mut stream) in pages {
        assert_over(&mut stream).await;
        let answer = visitor.call(Method::GET, "/api/session").await;
        assert_problem(&answer, 401, "not_signed_in");
    }
}

#[tokio::test]
async fn an_unfollow_is_told_where_following_is_required_and_elsewhere_is_news() {
    for (required, said) in [("true", OVER), ("false", SIGNED_IN)] {
        let plan = Plan::default().site("SITE__LOGIN__REQUIRE_FOLLOWING", required);
        let stack = plan.start().await;
        let person = stack.wechat.person("小林", true).await;
        let mut visitor = signed_in(&stack, &person).await;
        let mut stream = open(&mut visitor).await;
        stack.wechat.unfollow(&person).await;
        assert_eq!(piece(&mut stream).await, said, "{required}");
    }
}

#[tokio::test]
async fn signing_out_elsewhere_and_everywhere_is_told_to_the_pages_it_concerns() {
    let stack = plan().start().await;
    let person = stack.wechat.person("小林", true).await;
    let stranger = stack.wechat.person("路人", true).await;
    let mut other = signed_in(&stack, &stranger).await;
    let mut untouched = open(&mut other).await;
    let [(mut here, mut first), (mut there, mut second)] = two_pages(&stack, &person).await;
    // One of them ends: the other page hears that there was something, and is still signed in.
    let listed = here.call(Method::GET, "/api/sessions").await;
    let sessions = listed.json["sessions"].as_array().expect("a list");
    let elsewhere = sessions.iter().find(|session| session["current"] == false);
    let id = elsewhere.expect("two sessions")["id"]
        .as_str()
        .expect("text");
    let answer = here
        .call(Method::DELETE, &format!("/api/sessions/{id}"))
        .await;
    assert_eq!(answer.status, 204);
    assert_over(&mut second).await;
    assert_eq!(piece(&mut first).await, SIGNED_IN);
    let answer = there.call(Method::GET, PATH).await;
    assert_problem(&answer, 401, "not_signed_in");
    let answer = here.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(answer.status, 204);
    assert_over(&mut first).await;
    // Nobody else's page heard anything of it.
    let answer = other.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, 204);
    assert_over(&mut untouched).await;
}

#[tokio::test]
async fn what_the_owner_does_is_told_as_well() {
    let stack = plan().start().await;
    for act in ["sessions", "ban", ""] {
        let person = stack.wechat.person("小林", true).await;
        let pages = two_pages(&stack, &person).await;
        let method = match act {
            "ban" => Method::PUT,
            _ => Method::DELETE,
        };
        let member = format!("/v1/members/{}", person.openid);
        let path = match act {
            "" => member,
            act => format!("{member}/{act}"),
        };
        let mut owner = Visitor::new(&stack.gateways[0].internal);
        owner.set_header("authorization", &format!("Bearer {API_KEY}"));
        let answer = owner.call(method, &path).await;
        assert_eq!(answer.status, 204, "{path}: {}", answer.text);
        for (_, mut stream) in pages {
            assert_over(&mut stream).await;
        }
    }
}

#[tokio::test]
async fn a_login_that_replaces_the_session_ends_the_stream_of_the_one_before() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let mut before = open(&mut visitor).await;
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    assert_over(&mut before).await;
    open(&mut visitor).await;
}

#[tokio::test]
async fn what_was_missed_while_the_subscription_was_lost_is_told_after_it() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let mut stream = open(&mut visitor).await;
    let redis = &stack.redis;
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:session:*"]).await;
    let [session] = &keys[..] else {
        panic!("one session: {keys:?}");
    };
    let _: i64 = redis.command(&["DEL", session]).await;
    let _: i64 = redis.command(&["CLIENT", "KILL", "TYPE", "PUBSUB"]).await;
    assert_over(&mut stream).await;
}

#[tokio::test]
async fn streams_are_counted_limited_apart_from_logins_and_end_with_the_site() {
    let plan = Plan::default().site("SITE__LIMITS__WAITING_PER_CLIENT", "1");
    let mut stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let mut stream = open(&mut visitor).await;
    let refused = visitor.call(Method::GET, PATH).await;
    assert_problem(&refused, 429, "too_many_waiting");
    assert_eq!(header(&refused.headers, "retry-after"), "30");
    // It takes no seat from those who log in.
    let mut other = stack.visitor();
    other.start_login().await;
    let mut events = other.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    let shown = metrics(&stack).await;
    assert!(has_line(&shown, "session_streams_open 1"), "{shown}");
    let line = "session_streams_refused_total{limit=\"client\"} 1";
    assert!(has_line(&shown, line), "{shown}");
    drop(stream);
    eventually("the closed stream is counted out", async || {
        has_line(&metrics(&stack).await, "session_streams_open 0").then_some(())
    })
    .await;
    stream = open(&mut visitor).await;
    stack.sites[0].process.stop().await;
    assert_eq!(piece(&mut stream).await, "");
}
