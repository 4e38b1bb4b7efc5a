//! `GET /api/login/events`: the browser is told, wherever it waits and whatever breaks.

use jiff::Timestamp;
use reqwest::{Method, Response, header::CONTENT_TYPE};
use serde_json::Value;
use system_tests::{
    deadline::{PATIENCE, eventually},
    stack::{Plan, Stack},
    visitor::Events,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    answers::{assert_problem, header},
    attempt_record,
};

/// The next piece of a stream as text; empty at its end.
async fn piece(response: &mut Response) -> String {
    let chunk = timeout(PATIENCE, response.chunk()).await;
    let chunk = chunk.expect("news in time").expect("the stream is whole");
    chunk.map_or_else(String::new, |chunk| {
        String::from_utf8(chunk.to_vec()).expect("events are text")
    })
}

async fn assert_next(events: &mut Events, status: &str) {
    assert_eq!(events.next_status().await.as_deref(), Some(status));
}

#[tokio::test]
async fn the_first_event_comes_at_once_and_the_last_one_ends_the_stream() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let started = visitor.call(Method::POST, "/api/login").await;
    let expires_at = started.json["expires_at"].as_str().unwrap();
    let mut stream = visitor.send(Method::GET, "/api/login/events").await;
    assert_eq!(stream.status(), 200);
    let headers = stream.headers();
    assert_eq!(header(headers, CONTENT_TYPE.as_str()), "text/event-stream");
    assert_eq!(header(headers, "x-accel-buffering"), "no");
    assert_eq!(header(headers, "cache-control"), "no-store");

    let event = |status: &str| {
        format!(
            "event: status\ndata: {{\"status\":\"{status}\",\"expires_at\":\"{expires_at}\"}}\n\n"
        )
    };
    let first = piece(&mut stream).await;
    assert_eq!(first, format!("retry: 1000\n{}", event("pending")));
    let content = started.json["qr"]["content"].as_str().unwrap();
    stack.wechat.scan(&person, content).await;
    assert_eq!(piece(&mut stream).await, event("confirmed"));
    visitor.complete().await;
    assert_eq!(piece(&mut stream).await, event("consumed"));
    assert_eq!(piece(&mut stream).await, "");
}

/// A stream takes its connection over. What was asked for before over the same connection is still
/// answered, and first.
#[tokio::test]
async fn requests_before_a_stream_on_its_connection_are_answered_whole() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    let address = stack.sites[0].public.replace("http://", "");
    let cookies = visitor.cookies().iter();
    let cookies: Vec<_> = cookies
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let cookies = cookies.join("; ");
    let request =
        |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookies}\r\n\r\n");
    let mut connection = TcpStream::connect(&address).await.unwrap();
    let page = "/assets/wechat-login.js";
    // What follows a stream on its connection is lost, as after any answer that says `Connection:
    // close`.
    let requests = [
        request(page),
        request("/api/login"),
        request("/api/login/events"),
        request("/api/session"),
    ];
    connection
        .write_all(requests.concat().as_bytes())
        .await
        .unwrap();

    let mut answers = Vec::new();
    let read = async {
        while !String::from_utf8_lossy(&answers).contains("event: status") {
            assert_ne!(connection.read_buf(&mut answers).await.unwrap(), 0);
        }
        visitor.call(Method::DELETE, "/api/login").await;
        connection.read_to_end(&mut answers).await.unwrap();
    };
    timeout(PATIENCE, read).await.expect("the stream ends");
    let answers = String::from_utf8(answers).unwrap();
    let alone = visitor.send(Method::GET, page).await.text().await.unwrap();
    let (_, after_page) = answers.split_once(&alone).expect("the page is whole");
    let (status, stream) = after_page.split_once("text/event-stream").unwrap();
    assert!(status.contains("{\"status\":\"pending\""), "{status}");
    let events: Vec<&str> = stream.split("event: status\n").skip(1).collect();
    assert!(events[0].contains("pending"), "{stream}");
    assert!(events[1].contains("expired"), "{stream}");
    assert_eq!(events.len(), 2);
    assert!(stream.ends_with("\r\n0\r\n\r\n"), "{stream}");
}

#[tokio::test]
async fn a_stream_is_no_upgrade() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    visitor.set_header("upgrade", "websocket");
    let answer = visitor.call(Method::GET, "/api/login/events").await;
    assert_problem(&answer, 400, "invalid_request");
}

#[tokio::test]
async fn an_expiry_is_told_when_it_happens() {
    let plan = Plan::default().site("SITE__LOGIN__TTL_SECONDS", "2");
    let stack = plan.start().await;
    let mut visitor = stack.visitor();
    let started = visitor.call(Method::POST, "/api/login").await;
    let expires_at: Timestamp = started.json["expires_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let mut stream = visitor.send(Method::GET, "/api/login/events").await;
    assert!(piece(&mut stream).await.contains("pending"));
    let last = piece(&mut stream).await;
    let data: Value = last
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .unwrap();
    let expected = serde_json::json!({ "status": "expired", "expires_at": null });
    assert_eq!(data, expected);
    assert!(Timestamp::now() >= expires_at, "not before its time");
    assert_eq!(piece(&mut stream).await, "");
}

#[tokio::test]
async fn a_stream_opened_late_begins_where_the_attempt_stands() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    let key = attempt_record::only(&stack).await;
    attempt_record::set(&stack, &key, "status", "confirmed").await;
    let mut waiting = visitor.events().await;
    assert_next(&mut waiting, "confirmed").await;
    for status in ["denied", "consumed"] {
        attempt_record::set(&stack, &key, "status", status).await;
        let mut events = visitor.events().await;
        assert_next(&mut events, status).await;
        assert_eq!(events.next_status().await, None);
    }
    attempt_record::expire(&stack, &key).await;
    let mut events = visitor.events().await;
    assert_next(&mut events, "expired").await;
    assert_eq!(events.next_status().await, None);
}

#[tokio::test]
async fn a_browser_that_waits_at_another_replica_is_told_too() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut at_first = visitor.events().await;
    visitor.move_to(&stack.sites[1].public);
    let mut at_second = visitor.events().await;
    for events in [&mut at_first, &mut at_second] {
        assert_next(events, "pending").await;
    }
    stack.wechat.scan(&person, &content).await;
    for events in [&mut at_first, &mut at_second] {
        assert_next(events, "confirmed").await;
    }
    visitor.complete().await;
    for events in [&mut at_first, &mut at_second] {
        assert_next(events, "consumed").await;
        assert_eq!(events.next_status().await, None);
    }
}

#[tokio::test]
async fn everyone_who_waits_for_an_attempt_hears_of_it_and_nobody_else() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let [mut visitor, mut other] = [stack.visitor(), stack.visitor()];
    let content = visitor.start_login().await;
    let others_content = other.start_login().await;
    let [mut one, mut two] = [visitor.events().await, visitor.events().await];
    let mut others = other.events().await;
    for events in [&mut one, &mut two, &mut others] {
        assert_next(events, "pending").await;
    }
    // A stream that closes takes the news from nobody.
    drop(one);
    let mut three = visitor.events().await;
    assert_next(&mut three, "pending").await;
    stack.wechat.scan(&person, &content).await;
    for events in [&mut two, &mut three] {
        assert_next(events, "confirmed").await;
    }
    // Had the other stream been told, `confirmed` would come before this.
    other.call(Method::DELETE, "/api/login").await;
    assert_next(&mut others, "expired").await;
    assert_ne!(content, others_content);
}

#[tokio::test]
async fn a_waiting_browser_costs_redis_nothing() {
    let stack = Plan::default().start().await;
    let commands = async || {
        let statistics: String = stack.redis.command(&["INFO", "commandstats"]).await;
        let calls = statistics
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_hmget:calls="))
            .and_then(|line| line.split(',').next());
        calls.map_or(0, |calls| calls.parse::<u64>().unwrap())
    };
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    let before = commands().await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut events = visitor.events().await;
        assert_next(&mut events, "pending").await;
        streams.push(events);
    }
    assert_eq!(
        commands().await - before,
        10,
        "one read for each, at its start"
    );
    let subscribers: Vec<String> = stack
        .redis
        .command(&["PUBSUB", "NUMSUB", "wechat-login:attempts"])
        .await;
    assert_eq!(subscribers[1], "1", "one subscription for all");
}

#[tokio::test]
async fn browsers_whose_attempts_are_lost_hear_of_it() {
    let stack = Plan::default().start().await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut visitor = stack.visitor();
        visitor.start_login().await;
        let mut events = visitor.events().await;
        assert_next(&mut events, "pending").await;
        streams.push(events);
    }
    // Nobody publishes it, and the subscription stays.
    stack.redis.command::<String>(&["FLUSHALL"]).await;
    for mut events in streams {
        assert_next(&mut events, "expired").await;
        assert_eq!(events.next_status().await, None);
    }
}

/// Ends the site's subscription as a network would.
async fn cut_subscription(stack: &Stack) {
    let killed: i64 = stack
        .redis
        .command(&["CLIENT", "KILL", "TYPE", "pubsub"])
        .await;
    assert_eq!(killed, 1, "one subscription for the process");
}

#[tokio::test]
async fn a_scan_while_the_subscription_is_cut_is_not_missed() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_next(&mut events, "pending").await;
    cut_subscription(&stack).await;
    stack.wechat.scan(&person, &content).await;
    assert_next(&mut events, "confirmed").await;
    visitor.complete().await;
    assert_next(&mut events, "consumed").await;
    assert_eq!(events.next_status().await, None);
}

#[tokio::test]
async fn the_site_subscribes_again_after_a_cut() {
    let stack = Plan::default().start().await;
    cut_subscription(&stack).await;
    eventually("the site is subscribed again", async || {
        let subscribers: Vec<String> = stack
            .redis
            .command(&["PUBSUB", "NUMSUB", "wechat-login:attempts"])
            .await;
        (subscribers[1] == "1").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_waits_through_a_restart_of_redis_still_logs_in() {
    let mut stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_next(&mut events, "pending").await;
    stack.redis.kill();
    let answer = visitor.call(Method::GET, "/api/login").await;
    assert_eq!(answer.status, 503);
    stack.redis.restart().await;
    stack.wechat.scan(&person, &content).await;
    assert_next(&mut events, "confirmed").await;
    assert_eq!(visitor.complete().await["nickname"], "小林");
}

#[tokio::test]
async fn foreign_messages_on_the_channel_are_ignored() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_next(&mut events, "pending").await;
    let key = attempt_record::only(&stack).await;
    let scene = attempt_record::scene(&key);
    let unknown_status = format!("{scene} approved");
    let old_news = format!("{scene} pending");
    for message in ["", "x", "\u{fffd}", &unknown_status, &old_news] {
        let publish = ["PUBLISH", "wechat-login:attempts", message];
        let heard: i64 = stack.redis.command(&publish).await;
        assert_eq!(heard, 1);
    }
    stack.wechat.scan(&person, &content).await;
    assert_next(&mut events, "confirmed").await;
}
