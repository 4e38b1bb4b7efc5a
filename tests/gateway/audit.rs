//! What the owner does is an event: what, by which door, and from where.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    attempts::new_openid,
    stack::{API_KEY, Plan, Service},
    webhook_receiver::{Receiver, SECRET},
};
use url::form_urlencoded;
use wechat_wire::push::PushBody;

use crate::{
    http::{self, client},
    push_request::{PushRequest, ago},
};

async fn acts(gateway: &Service) -> Vec<Value> {
    let answer = http::get(gateway, "/v1/events?limit=1000").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let events = answer.json["events"].as_array().expect("events");
    let acts = events.iter().filter(|event| event["type"] == "owner.acted");
    acts.map(|event| event["data"].clone()).collect()
}

async fn follow(gateway: &Service, openid: &str) {
    PushRequest::safe(&ago(2, openid, PushBody::subscribe_without_code()))
        .send(gateway)
        .await;
}

#[tokio::test]
async fn what_is_done_by_the_api_is_told_with_the_address_it_came_from() {
    let receiver = Receiver::start().await;
    let plan = Plan::default()
        .gateway("GATEWAY__WEBHOOK__CRM__URL", &receiver.url())
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET);
    let stack = http::start(plan).await;
    let gateway = &stack.gateways[0];
    let (kept, erased) = (new_openid(), new_openid());
    follow(gateway, kept.as_str()).await;
    follow(gateway, erased.as_str()).await;
    let read = http::get(gateway, "/v1/events?limit=1").await;
    let id = read.json["events"][0]["id"].clone();
    let of = |openid: &str, rest: &str| format!("/v1/members/{openid}{rest}");
    for (method, path, status) in [
        (Method::PUT, of(kept.as_str(), "/ban"), 204),
        (Method::DELETE, of(kept.as_str(), "/ban"), 204),
        (Method::DELETE, of(kept.as_str(), "/sessions"), 204),
        // Nothing was done.
        (Method::DELETE, of(kept.as_str(), "/sessions/none"), 404),
        (Method::DELETE, of("nobody-has-this-openid", ""), 404),
        (Method::GET, "/v1/members/export".to_owned(), 200),
        (Method::DELETE, of(erased.as_str(), ""), 204),
    ] {
        let answer = http::send(http::internal(gateway, method, &path)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    let path = "/v1/webhooks/crm/redeliver";
    let answer = http::post(gateway, path, &json!({ "id": id })).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let acts = acts(gateway).await;
    let told: Vec<[&Value; 3]> = acts
        .iter()
        .map(|data| [&data["action"], &data["account"], &data["openid"]])
        .collect();
    let (account, openid) = (json!("default"), json!(kept.as_str()));
    let nobody = Value::Null;
    let words = [
        "ban",
        "lift_ban",
        "end_sessions",
        "export",
        "erase",
        "redeliver",
    ];
    let words = words.map(Value::from);
    let [ban, lift_ban, end_sessions, export, erase, redeliver] = &words;
    let expected = [
        [ban, &account, &openid],
        [lift_ban, &account, &openid],
        [end_sessions, &account, &openid],
        [export, &account, &nobody],
        [erase, &account, &nobody],
        [redeliver, &nobody, &nobody],
    ];
    assert_eq!(told, expected);
    for data in &acts {
        assert_eq!(data["by"], "api_key");
        assert_eq!(data["address"], "127.0.0.1");
    }
    assert_eq!(acts[5]["webhook"], "crm");
    assert_eq!(acts[0]["member"]["subscribed"], true);
}

#[tokio::test]
async fn what_is_done_in_the_console_is_told_signing_in_and_wrong_keys_too() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    let url = format!("{}/console/sign-in", gateway.internal);
    for key in ["a wrong key", API_KEY] {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("key", key)
            .finish();
        let sent = client()
            .post(&url)
            .header("Origin", &gateway.internal)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form);
        http::read(sent.send().await.expect("the gateway answers")).await;
    }
    let acts = acts(gateway).await;
    let told: Vec<&str> = acts
        .iter()
        .map(|data| data["action"].as_str().expect("an action"))
        .collect();
    assert_eq!(told, ["sign_in_refused", "sign_in"]);
    for data in &acts {
        assert_eq!(data["by"], "console");
        assert_eq!(data["address"], "127.0.0.1");
    }
}

#[tokio::test]
async fn without_events_nothing_is_kept_of_it() {
    let plan = Plan::default().gateway("GATEWAY__EVENTS__KEEP_DAYS", "0");
    let stack = http::start(plan).await;
    let path = format!("/v1/members/{}/ban", new_openid().as_str());
    let answer = http::send(http::internal(&stack.gateways[0], Method::PUT, &path)).await;
    assert_eq!(answer.status, 204);
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*events*"]).await;
    assert_eq!(keys, [""; 0]);
}
