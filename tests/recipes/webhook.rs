//! The receiver of docs/events.md, with the public package `standardwebhooks` from `PyPI`.

use std::{collections::BTreeSet, path::Path};

use harness::process::Recipe;
use serde_json::Value;
use system_tests::{
    deadline::eventually,
    log_folder,
    nginx::free_port,
    process::Process,
    stack::{Plan, Stack},
    webhook_receiver::SECRET,
};

use crate::bed::Bed;

const OTHER_SECRET: &str = "whsec_YW5vdGhlciBzZWNyZXQsIHdoaWNoIGlzIHdyb25n";

/// The file that the page names.
fn documented() -> String {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let file = "examples/webhook/receiver.py";
    for page in ["docs/events.md", "docs/events.zh-CN.md"] {
        let text = std::fs::read_to_string(root.join(page)).expect("the page can be read");
        assert!(text.contains(&format!("](../{file})")), "{page} names it");
    }
    root.join(file).display().to_string()
}

fn start(log: &Path, port: u16) -> Process {
    let mut recipe = Recipe::new("receiver", Bed::program("python/bin/python"), log);
    recipe.arguments = vec![documented()];
    recipe.environment = [("PORT", port.to_string()), ("SECRET", SECRET.to_owned())]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect();
    Process::spawn(recipe).unwrap_or_else(|failure| panic!("{failure}"))
}

async fn webhook(stack: &Stack, name: &str) -> Value {
    let told = stack.internal("/v1/webhooks").await;
    let webhooks = told["webhooks"].as_array().expect("a list");
    let mut named = webhooks.iter().filter(|webhook| webhook["name"] == name);
    named.next().expect("it is one").clone()
}

#[tokio::test]
async fn python_with_standardwebhooks() {
    let port = free_port();
    let receiver = start(&log_folder::create(), port);
    eventually("the receiver listens", async || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    })
    .await;
    let url = format!("http://127.0.0.1:{port}");
    let plan = Plan::default()
        .gateway("GATEWAY__WEBHOOK__CRM__URL", &url)
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET)
        .gateway("GATEWAY__WEBHOOK__WRONG__URL", &url)
        .gateway("GATEWAY__WEBHOOK__WRONG__SECRET", OTHER_SECRET);
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", false).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    stack.wechat.follow(&person).await;
    visitor.status_becomes("confirmed").await;
    visitor.complete().await;
    let events = eventually("all are told", async || {
        let read = stack.internal("/v1/events?limit=1000").await;
        let events = read["events"].as_array().expect("a list").clone();
        let is_login = |event: &Value| event["type"] == "login.completed";
        events.iter().any(is_login).then_some(events)
    })
    .await;
    let told: BTreeSet<String> = events
        .iter()
        .map(|event| format!("{} {}", word(&event["id"]), word(&event["type"])))
        .collect();
    assert!(told.len() >= 2, "{told:?}");
    eventually("each was verified", async || {
        let lines = receiver.lines();
        let verified = lines.into_iter().filter(|line| line.starts_with("evt_"));
        (verified.collect::<BTreeSet<_>>() == told).then_some(())
    })
    .await;
    let crm = webhook(&stack, "crm").await;
    assert_eq!(crm["failures"], 0, "{crm}");
    // What another secret signed is refused, and comes again.
    let wrong = eventually("it is refused", async || {
        let wrong = webhook(&stack, "wrong").await;
        (wrong["failures"] != 0).then_some(wrong)
    })
    .await;
    assert_eq!(wrong["lag_events"], told.len(), "{wrong}");
}

fn word(value: &Value) -> &str {
    value.as_str().expect("a text")
}
