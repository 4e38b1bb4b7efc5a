//! What a reader of Redis or of the logs could take: nothing.

use std::fmt::Write as _;

use system_tests::stack::{Plan, Stack};

/// Every key and value in Redis.
async fn everything(stack: &Stack) -> String {
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*"]).await;
    let mut text = String::new();
    for key in keys {
        let kind: String = stack.redis.command(&["TYPE", &key]).await;
        let value = match kind.as_str() {
            "string" => vec![stack.redis.command(&["GET", &key]).await],
            "hash" => stack.redis.command::<Vec<String>>(&["HGETALL", &key]).await,
            "set" => {
                stack
                    .redis
                    .command::<Vec<String>>(&["SMEMBERS", &key])
                    .await
            }
            "zset" => {
                let range = ["ZRANGE", &key, "0", "-1"];
                stack.redis.command::<Vec<String>>(&range).await
            }
            other => panic!("{key} is a {other}, which this test can't read"),
        };
        writeln!(text, "{key} {}", value.join(" ")).expect("a text grows");
    }
    text
}

#[tokio::test]
async fn no_cookies_value_is_in_redis_or_in_the_logs() {
    let plan = Plan::default()
        .site("SITE__LOG__LEVEL", "debug")
        .gateway("GATEWAY__LOG__LEVEL", "debug");
    let mut stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut waiting = stack.visitor();
    waiting.start_login().await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;

    let redis = everything(&stack).await;
    assert!(redis.contains(&person.openid), "the dump is whole");
    assert_eq!(redis.matches("wechat-login:session:").count(), 1);
    assert_eq!(redis.matches("wechat-login:attempt:").count(), 2);
    let logs = stack.logs_to_the_end().await;
    assert!(logs.contains("request answered"), "debug lines are there");
    let mut secrets = Vec::new();
    for browser in [&mut waiting, &mut visitor] {
        secrets.extend(browser.cookies().values().cloned());
    }
    assert_eq!(secrets.len(), 3);
    for secret in secrets {
        assert!(!redis.contains(&secret), "in Redis");
        assert!(!logs.contains(&secret), "in a log");
    }
    assert!(!logs.contains(&person.openid));
    assert!(!logs.contains("login_"), "no scene is logged");
}
