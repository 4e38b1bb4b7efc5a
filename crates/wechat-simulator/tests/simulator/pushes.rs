//! What is pushed, how often, and what the chat shows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wechat_wire::envelope::EncryptedPush;
use wechat_wire::message_crypto::{EncodingAesKey, MessageCrypto};
use wechat_wire::push::Push;
use wechat_wire::reply::{EncryptedReply, TextReply};
use wechat_wire::signature::CallbackToken;

use crate::process::{AES_KEY, APP_ID, Simulator, TOKEN};
use crate::receiver::{CallbackReceiver, Received};

const SERVICE_FAULT: &str = "该公众号提供的服务出现故障，请稍后再试";

fn token() -> CallbackToken {
    CallbackToken::parse(TOKEN).unwrap()
}

fn crypto() -> MessageCrypto {
    MessageCrypto::new(&EncodingAesKey::parse(AES_KEY).unwrap(), APP_ID)
}

fn opened(received: &Received) -> String {
    let envelope = EncryptedPush::parse(received.body.as_bytes()).unwrap();
    let parameters = &received.parameters;
    let signature = token().sign_encrypted(
        &parameters["timestamp"],
        &parameters["nonce"],
        &envelope.encrypt,
    );
    assert_eq!(signature.as_str(), parameters["msg_signature"]);
    String::from_utf8(crypto().decrypt(&envelope.encrypt).unwrap()).unwrap()
}

fn reply_to(push: &str, content: &str) -> String {
    let push = Push::parse(push.as_bytes()).unwrap();
    let reply = TextReply {
        to_user_name: &push.from_user_name,
        from_user_name: &push.to_user_name,
        create_time: push.create_time,
        content,
    };
    reply.to_xml()
}

fn texts(chat: &Value) -> Vec<(&str, &str)> {
    let lines = chat.as_array().unwrap().iter();
    lines
        .map(|line| {
            (
                line["from"].as_str().unwrap(),
                line["text"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_follower_scans_in_plain_mode() {
    let mut callback =
        CallbackReceiver::start(|_, received| Some((200, reply_to(&received.body, "登录成功"))))
            .await;
    let simulator = Simulator::start(&callback.url, &[]);
    let person = simulator.person(true).await;
    let code = simulator.code("login_1").await;
    let path = format!(
        "/simulator/people/{}/scan?wait=answered",
        person["id"].as_str().unwrap()
    );
    let outcome = simulator.post(&path, json!({ "code": code["url"] })).await;
    assert_eq!(outcome["outcome"], "chat_opened");
    assert_eq!(outcome["delivery"]["outcome"], "answered");
    assert_eq!(outcome["delivery"]["attempts"][0]["reply"], "登录成功");

    let received = callback.next().await;
    let head: Vec<_> = received.head.lines().collect();
    assert!(
        head[0].starts_with("POST /wechat/callback?signature="),
        "{}",
        head[0]
    );
    let headers = [
        "User-Agent: Mozilla/4.0",
        "Content-Type: text/xml",
        "Connection: close",
        "Accept: */*",
    ];
    for header in headers {
        assert!(head.contains(&header), "{header} is missing in {head:#?}");
    }
    let parameters = &received.parameters;
    let signature = token().sign(&parameters["timestamp"], &parameters["nonce"]);
    assert_eq!(signature.as_str(), parameters["signature"]);
    assert_eq!(parameters["openid"], person["openid"].as_str().unwrap());
    let push = Push::parse(received.body.as_bytes()).unwrap();
    let expected = format!(
        "<xml><ToUserName><![CDATA[{}]]></ToUserName>\n\
         <FromUserName><![CDATA[{}]]></FromUserName>\n\
         <CreateTime>{}</CreateTime>\n\
         <MsgType><![CDATA[event]]></MsgType>\n\
         <Event><![CDATA[SCAN]]></Event>\n\
         <EventKey><![CDATA[login_1]]></EventKey>\n\
         <Ticket><![CDATA[{}]]></Ticket>\n\
         </xml>",
        push.to_user_name,
        person["openid"].as_str().unwrap(),
        push.create_time,
        code["ticket"].as_str().unwrap()
    );
    assert_eq!(received.body, expected);
    let path = format!("/simulator/people/{}/chat", person["id"].as_str().unwrap());
    assert_eq!(
        texts(&simulator.get(&path).await),
        [("account", "登录成功")]
    );
}

#[tokio::test]
async fn a_stranger_scans_and_nothing_is_pushed_until_they_follow() {
    let mut callback = CallbackReceiver::start(|_, received| {
        let reply = reply_to(&opened(received), "欢迎");
        let parameters = &received.parameters;
        let nonce = &parameters["nonce"];
        Some((
            200,
            EncryptedReply::seal(&crypto(), &token(), [1; 16], 5, nonce, &reply).to_xml(),
        ))
    })
    .await;
    let simulator = Simulator::start(
        &callback.url,
        &[("SIMULATOR__WECHAT__ENCODING_AES_KEY", AES_KEY)],
    );
    let person = simulator.person(false).await;
    let id = person["id"].as_str().unwrap();
    let code = simulator.code("login_2").await;
    let scan = format!("/simulator/people/{id}/scan?wait=answered");
    let outcome = simulator
        .post(&scan, json!({ "code": code["ticket"] }))
        .await;
    assert_eq!(outcome, json!({ "outcome": "follow_page" }));
    assert!(callback.is_empty());

    simulator
        .post(
            &format!("/simulator/people/{id}/follow?wait=answered"),
            json!({}),
        )
        .await;
    let subscribe = opened(&callback.next().await);
    assert!(
        subscribe.contains("<EventKey><![CDATA[qrscene_login_2]]></EventKey>"),
        "{subscribe}"
    );
    let path = format!("/simulator/people/{id}/unfollow?wait=answered");
    simulator.post(&path, json!({})).await;
    let unsubscribe = opened(&callback.next().await);
    assert!(
        unsubscribe.contains("<Event><![CDATA[unsubscribe]]></Event>"),
        "{unsubscribe}"
    );
    let chat = simulator.get(&format!("/simulator/people/{id}/chat")).await;
    assert_eq!(texts(&chat), [("account", "欢迎")]);
}

#[tokio::test]
async fn a_push_is_delivered_three_times_before_the_chat_shows_the_fault() {
    let mut callback = CallbackReceiver::start(|number, _| match number {
        1 => None,
        _ => Some((503, String::new())),
    })
    .await;
    let simulator = Simulator::start(&callback.url, &[]);
    let person = simulator.person(true).await;
    let id = person["id"].as_str().unwrap();
    let path = format!("/simulator/people/{id}/message?wait=answered");
    let outcome = simulator.post(&path, json!({ "text": "你好" })).await;
    assert_eq!(outcome["delivery"]["outcome"], "service_fault");
    let received = [
        callback.next().await,
        callback.next().await,
        callback.next().await,
    ];
    assert!(callback.is_empty());
    assert!(received.iter().all(|one| one.body == received[0].body));
    assert_ne!(
        received[0].parameters["nonce"],
        received[1].parameters["nonce"]
    );
    let chat = simulator.get(&format!("/simulator/people/{id}/chat")).await;
    assert_eq!(
        texts(&chat),
        [("person", "你好"), ("notice", SERVICE_FAULT)]
    );
}

#[tokio::test]
async fn the_second_delivery_is_enough_when_it_is_answered() {
    let callback = CallbackReceiver::start(|number, _| match number {
        1 => Some((503, String::new())),
        _ => Some((200, "success".to_owned())),
    })
    .await;
    let simulator = Simulator::start(&callback.url, &[]);
    let person = simulator.person(true).await;
    let path = format!(
        "/simulator/people/{}/message?wait=answered",
        person["id"].as_str().unwrap()
    );
    let outcome = simulator.post(&path, json!({ "text": "你好" })).await;
    assert_eq!(outcome["delivery"]["outcome"], "answered");
    let attempts = outcome["delivery"]["attempts"].as_array().unwrap();
    let statuses: Vec<_> = attempts.iter().map(|attempt| &attempt["status"]).collect();
    assert_eq!(statuses, [503, 200]);
    let delivery = outcome["delivery_id"].as_str().unwrap();
    let path = format!("/simulator/deliveries/{delivery}/repeat?times=5");
    let again = simulator.post(&path, json!({})).await;
    assert_eq!(again.as_array().unwrap().len(), 5);
    assert!(
        again
            .as_array()
            .unwrap()
            .iter()
            .all(|attempt| attempt["status"] == 200)
    );
}

/// Delivers a message in safe mode by a WeChat that repeats at once what isn't answered 200, and
/// after this many milliseconds what isn't answered at all.
async fn message_with_rapid_retries(
    callback: &CallbackReceiver,
    interval_ms: &str,
) -> (Simulator, Value) {
    let simulator = Simulator::start(
        &callback.url,
        &[
            ("SIMULATOR__WECHAT__ENCODING_AES_KEY", AES_KEY),
            ("SIMULATOR__PUSH__INTERVAL_MS", interval_ms),
        ],
    );
    let settings = json!({ "rapid_retries": true });
    simulator.put("/simulator/settings", settings).await;
    let person = simulator.person(true).await;
    let path = format!(
        "/simulator/people/{}/message?wait=answered",
        person["id"].as_str().unwrap()
    );
    let outcome = simulator.post(&path, json!({ "text": "你好" })).await;
    (simulator, outcome)
}

#[tokio::test]
async fn a_status_that_isnt_200_brings_the_same_request_four_times_within_seconds() {
    let mut callback = CallbackReceiver::start(|_, _| Some((201, "success".to_owned()))).await;
    let began = Instant::now();
    let (_simulator, outcome) = message_with_rapid_retries(&callback, "60000").await;
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(outcome["delivery"]["outcome"], "service_fault");
    let first = callback.next().await;
    for _ in 0..3 {
        let repeat = callback.next().await;
        assert_eq!(repeat.head, first.head);
        assert_eq!(repeat.parameters, first.parameters);
        assert_eq!(repeat.body, first.body);
    }
    assert!(callback.is_empty());
}

#[tokio::test]
async fn the_repeat_that_is_answered_200_is_the_last() {
    let mut callback = CallbackReceiver::start(|number, _| match number {
        1 | 2 => Some((503, String::new())),
        _ => Some((200, "success".to_owned())),
    })
    .await;
    let (_simulator, outcome) = message_with_rapid_retries(&callback, "60000").await;
    assert_eq!(outcome["delivery"]["outcome"], "answered");
    let attempts = outcome["delivery"]["attempts"].as_array().unwrap();
    let statuses: Vec<_> = attempts.iter().map(|attempt| &attempt["status"]).collect();
    assert_eq!(statuses, [503, 503, 200]);
    for _ in 0..3 {
        callback.next().await;
    }
    assert!(callback.is_empty());
}

#[tokio::test]
async fn a_delivery_without_any_answer_is_repeated_later_and_signed_anew() {
    let mut callback = CallbackReceiver::start(|number, _| match number {
        1 => None,
        _ => Some((200, "success".to_owned())),
    })
    .await;
    let began = Instant::now();
    let (_simulator, outcome) = message_with_rapid_retries(&callback, "200").await;
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_eq!(outcome["delivery"]["outcome"], "answered");
    let (first, second) = (callback.next().await, callback.next().await);
    assert_ne!(first.parameters["nonce"], second.parameters["nonce"]);
    assert_ne!(first.body, second.body);
}

#[tokio::test]
async fn the_console_verifies_the_callback_address() {
    let callback = CallbackReceiver::start(|_, received| {
        Some((
            200,
            received
                .parameters
                .get("echostr")
                .cloned()
                .unwrap_or_default(),
        ))
    })
    .await;
    let simulator = Simulator::start(&callback.url, &[]);
    let outcome = simulator.post("/simulator/verify", json!({})).await;
    assert_eq!(
        outcome,
        json!({ "passed": true, "status": 200, "reason": null })
    );
    assert_eq!(simulator.stop(), Some(0));
}
