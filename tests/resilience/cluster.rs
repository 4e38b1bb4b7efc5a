//! A Redis Cluster as the store: keys of one login lie on different nodes.

use reqwest::Method;
use system_tests::{
    deadline::eventually,
    log_folder,
    redis_cluster::RedisCluster,
    stack::{Plan, Stack},
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
