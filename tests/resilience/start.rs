//! A start while Redis is away.

use reqwest::Method;
use system_tests::{
    binaries,
    process::{self, Process},
    stack::Plan,
    visitor::Visitor,
};

/// Where a process listens inside, from the line that it logs before it is ready.
async fn internal_address(process: &mut Process) -> String {
    let line = process.line_with(" listening ").await;
    let word = line
        .split(' ')
        .find_map(|word| word.strip_prefix("internal="));
    format!("http://{}", word.expect("the line names it"))
}

#[tokio::test]
async fn without_redis_both_services_wait_say_so_and_are_ready_once_it_is_there() {
    let mut stack = Plan::default().gateways(0).sites(0).start().await;
    stack.redis.kill();
    let services = [
        ("wechat-gateway", stack.gateway_environment()),
        ("site", stack.site_environment()),
    ];
    let mut waiting = Vec::new();
    for (name, environment) in services {
        let program = binaries::path(name);
        let no_arguments: [&str; 0] = [];
        let mut process = process::start(name, program, no_arguments, &environment, &stack.log);
        let mut operator = Visitor::new(&internal_address(&mut process).await);
        let line = process.line_with("not ready yet").await;
        assert!(line.contains("Redis"), "{line}");
        let answer = operator.call(Method::GET, "/readyz").await;
        assert_eq!(answer.status, 503, "{name}: {}", answer.text);
        assert_eq!(answer.json["code"], "store_unavailable", "{name}");
        let alive = operator.call(Method::GET, "/healthz").await;
        assert_eq!(alive.status, 200, "{name}: a restart wouldn't help");
        waiting.push((format!("{name} ready "), process, operator));
    }
    for (ready, process, _) in &waiting {
        let lines = process.lines();
        assert!(!lines.iter().any(|line| line.starts_with(ready)), "{ready}");
    }
    stack.redis.restart().await;
    for (ready, process, operator) in &mut waiting {
        process.line_with(ready).await;
        assert_eq!(operator.call(Method::GET, "/readyz").await.status, 200);
    }
}
