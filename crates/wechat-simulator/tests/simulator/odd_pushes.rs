//! Pushes that come late, out of order, or look unlike the recorded ones.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::Simulator;
use crate::receiver::CallbackReceiver;

async fn silent() -> CallbackReceiver {
    CallbackReceiver::start(|_, _| Some((200, "success".to_owned()))).await
}

async fn act(simulator: &Simulator, person: &Value, action: &str, body: Value) -> Value {
    let id = person["id"].as_str().unwrap();
    simulator
        .post(&format!("/simulator/people/{id}/{action}"), body)
        .await
}

#[tokio::test]
async fn held_pushes_are_released_newest_first() {
    let mut callback = silent().await;
    let simulator = Simulator::start(&callback.url, &[]);
    let person = simulator.person(false).await;
    let settings = json!({ "hold_pushes": true });
    simulator.put("/simulator/settings", settings).await;
    act(&simulator, &person, "follow", json!({})).await;
    act(&simulator, &person, "message", json!({ "text": "你好" })).await;
    act(&simulator, &person, "unfollow", json!({})).await;
    assert!(callback.is_empty());
    let path = "/simulator/deliveries/release?order=newest_first";
    let released = simulator.post(path, json!({})).await;
    assert_eq!(released, json!({ "released": 3 }));
    for expected in ["[unsubscribe]", "[text]", "[subscribe]"] {
        let body = callback.next().await.body;
        assert!(body.contains(expected), "{expected}: {body}");
    }
    let deliveries = simulator.get("/simulator/deliveries").await;
    let deliveries = deliveries.as_array().unwrap();
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery["outcome"] == "answered")
    );
}

#[tokio::test]
async fn a_push_is_delayed() {
    let callback = silent().await;
    let simulator = Simulator::start(&callback.url, &[]);
    let person = simulator.person(true).await;
    let settings = json!({ "push_delay_ms": 300 });
    simulator.put("/simulator/settings", settings).await;
    let started = Instant::now();
    let text = json!({ "text": "你好" });
    act(&simulator, &person, "message?wait=answered", text).await;
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn names_and_keys_of_events_vary() {
    let mut callback = silent().await;
    let simulator = Simulator::start(&callback.url, &[]);
    let person = simulator.person(true).await;
    let code = simulator.code("login_9").await;
    let settings = json!({ "event_case": "lower", "event_key": "absent" });
    simulator.put("/simulator/settings", settings).await;
    let scanned = json!({ "code": code["url"] });
    act(&simulator, &person, "scan?wait=answered", scanned).await;
    let scan = callback.next().await.body;
    assert!(scan.contains("<Event><![CDATA[scan]]></Event>"), "{scan}");
    assert!(!scan.contains("EventKey"), "{scan}");
    let settings = json!({ "event_case": "recorded", "event_key": "last_trade_no" });
    simulator.put("/simulator/settings", settings).await;
    act(&simulator, &person, "unfollow?wait=answered", json!({})).await;
    let unsubscribe = callback.next().await.body;
    assert!(
        unsubscribe.contains("<EventKey><![CDATA[last_trade_no_"),
        "{unsubscribe}"
    );
}
