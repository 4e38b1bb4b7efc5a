//! A Redis Cluster as the store: keys of one login lie on different nodes.

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    account::AccountName,
    event::{EventKind, Happening, LetIn, Occasion},
    steps::{AppendEvent, Appended, OpenEvents, ReadEventsClock},
};
use reqwest::Method;
use service_kit::redis::Store;
use system_tests::{
    attempts::{member, new_openid, own_realm},
    deadline::eventually,
    log_folder,
    redis_cluster::RedisCluster,
    stack::{API_KEY, Plan, Stack},
    visitor::Visitor,
};

async fn start() -> (RedisCluster, Stack) {
    let redis = RedisCluster::start(&log_folder::create()).await;
    let plan = Plan::default()
        .redis(&redis.url())
        .simulator("SIMULATOR__PUSH__DELIVERIES", "50")
        .simulator("SIMULATOR__PUSH__INTERVAL_MS", "200");
    let stack = plan.start().await;
    (redis, stack)
}

#[tokio::test]
async fn logins_work_wherever_their_keys_lie() {
    let (redis, stack) = start().await;
    for number in 0..20 {
        let person = stack.wechat.person("小林", number % 2 == 0).await;
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        let mut events = visitor.events().await;
        assert_eq!(events.next_status().await.as_deref(), Some("pending"));
        stack.wechat.scan(&person, &content).await;
        if number % 2 == 1 {
            stack.wechat.follow(&person).await;
        }
        assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
        assert_eq!(visitor.complete().await["openid"], person.openid);
        assert!(visitor.session().await.is_some());
        let out = visitor.call(Method::DELETE, "/api/session").await;
        assert_eq!(out.status, 204);
        assert_eq!(visitor.session().await, None);
    }
    for node in &redis.nodes {
        let keys: u64 = node.ask(&["DBSIZE"]).await.expect("it runs");
        assert!(keys > 0, "twenty logins leave keys on every node");
    }
}

#[tokio::test]
async fn every_node_may_restart_in_mid_login() {
    let (mut redis, stack) = start().await;
    for number in 0..redis.nodes.len() {
        let person = stack.wechat.person("小林", true).await;
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        let mut events = visitor.events().await;
        assert_eq!(events.next_status().await.as_deref(), Some("pending"));
        redis.nodes[number].kill();
        redis.nodes[number].restart().await;
        redis.is_whole().await;
        stack.wechat.scan(&person, &content).await;
        assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
        let user = eventually("the login completes", async || {
            let answer = visitor.call(Method::POST, "/api/login/complete").await;
            (answer.status == 200).then(|| answer.json["user"]["openid"].clone())
        })
        .await;
        assert_eq!(user, person.openid);
    }
}

/// Each node has a clock of its own.
#[tokio::test]
async fn how_old_an_event_is_says_the_node_that_has_the_events() {
    let redis = RedisCluster::start(&log_folder::create()).await;
    let store = Store::new(&redis.url().into()).expect("a URL");
    store.run(&OpenEvents).await.expect("it runs");
    for _ in 0..20 {
        store.run(&ReadEventsClock).await.expect("it runs");
    }
    let mut asked = 0;
    for node in &redis.nodes {
        let keys: u64 = node.ask(&["DBSIZE"]).await.expect("it runs");
        let statistics: String = node.ask(&["INFO", "commandstats"]).await.expect("it runs");
        assert_eq!(statistics.contains("cmdstat_eval"), keys > 0);
        asked += keys;
    }
    assert_eq!(asked, 1);
}

/// Completing a login is a round trip for each step: whoever finds out that it is none takes longer
/// to take it back.
#[tokio::test]
async fn a_login_in_doubt_waits_longer() {
    let (redis, stack) = start().await;
    let mut owner = Visitor::new(&stack.gateways[0].internal);
    owner.set_header("authorization", &format!("Bearer {API_KEY}"));
    let openid = new_openid();
    let ban = format!("/v1/members/{openid}/ban");
    assert_eq!(owner.call(Method::PUT, &ban).await.status, 204);
    let read = owner.call(Method::GET, "/v1/events").await;
    let after = read.json["events"][0]["id"].as_str().expect("the ban");
    let kind = EventKind::LoginCompleted;
    let person = member(&openid);
    let let_in = LetIn {
        site: own_realm().site,
        confirmed_at_ms: 0,
        following: false,
        ends_on_unfollow: false,
    };
    let completed = AppendEvent {
        occasion: Occasion::of(kind, &person, &[]),
        happening: Happening {
            if_let_in: Some(let_in),
            ..Happening::new(kind, AccountName::default(), &person)
        },
        opens: false,
    };
    let store = Store::new(&redis.url().into()).expect("a URL");
    let told = store.run(&completed).await.expect("it runs");
    let Appended::Now(place) = told else {
        panic!("it is new: {told:?}");
    };
    let path = format!("/v1/events?wait_seconds=30&after={after}");
    let read = owner.call(Method::GET, &path).await;
    let waited = Timestamp::now().duration_since(place.time());
    assert_eq!(read.json["events"][0]["type"], "login.completed");
    assert!(waited >= SignedDuration::from_secs(3), "{waited}");
}
