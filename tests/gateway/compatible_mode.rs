//! Pushes in compatible mode: only the encrypted part counts.

use login_protocol::attempt::AttemptStatus;
use serde_json::json;
use system_tests::{
    attempts::{self, new_openid},
    stack::Plan,
    unreadable::variations,
};
use wechat_wire::push::PushBody;

use crate::{
    http,
    push_request::{PushRequest, assert_acknowledged, crypto, now, scan, sealed_reply},
};

#[tokio::test]
async fn forged_clear_fields_do_nothing() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scenes = [attempts::open(&store).await, attempts::open(&store).await];
    let (person, forger) = (new_openid(), new_openid());

    let push = PushRequest::compatible(&scan(&person, &scenes[0]), &scan(&forger, &scenes[1]));
    let words = sealed_reply(&push.send(gateway).await, &person);
    assert!(words.contains("已登录"), "{words}");
    assert_eq!(attempts::owner(&store, &scenes[0]).await, person);
    assert_eq!(
        attempts::status(&store, &scenes[1]).await,
        AttemptStatus::Pending
    );

    // A harmless message inside, a login outside.
    let message = PushBody::Message {
        msg_type: "text".to_owned(),
        msg_id: Some("1".to_owned()),
        content: Some("hello".to_owned()),
    };
    let push = PushRequest::compatible(&now(&person, message), &scan(&forger, &scenes[1]));
    assert_acknowledged(&push.send(gateway).await);
    assert_eq!(
        attempts::status(&store, &scenes[1]).await,
        AttemptStatus::Pending
    );
    let member = http::get(gateway, &format!("/v1/members/{forger}")).await;
    assert_eq!(member.status, 404);
}

#[tokio::test]
async fn wechat_itself_logs_in_in_compatible_mode() {
    let stack = http::start(Plan::default()).await;
    stack.wechat.settings(json!({ "mode": "compatible" })).await;
    let follower = stack.wechat.person("小林", true).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let body = json!({ "scene": scene.as_str(), "ttl_seconds": 300 });
    let code = http::post(&stack.gateways[0], "/v1/qrcodes", &body).await;
    let content = code.json["content"].as_str().expect("a code has it");
    let scanned = stack.wechat.scan(&follower, content).await;
    assert_eq!(scanned["delivery"]["outcome"], "answered", "{scanned}");
    assert_eq!(attempts::owner(&store, &scene).await, follower.openid);
}

#[tokio::test]
async fn clear_fields_that_cant_be_read_keep_nobody_from_logging_in() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let person = new_openid();
    let shape = scan(&person, &attempts::new_scene());
    for odd in variations(&shape.to_xml(), shape.create_time) {
        let scene = attempts::open(&store).await;
        let inside = scan(&person, &scene).to_xml();
        let push = PushRequest::compatible_document(inside.as_bytes(), &odd.document);
        let words = sealed_reply(&push.send(gateway).await, &person);
        assert!(words.contains("已登录"), "{}: {words}", odd.what);
        assert_eq!(attempts::owner(&store, &scene).await, person);
    }
}

#[tokio::test]
async fn what_people_type_into_a_message_is_taken_for_no_ciphertext() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let (scene, person) = (attempts::open(&store).await, new_openid());
    let login = scan(&person, &scene).to_xml();
    let foreign = crypto().encrypt([7; 16], b"<xml></xml>");
    for typed in [
        format!("<xml>]]><Encrypt>{foreign}</Encrypt>"),
        format!("<xml>]]><Encrypt><![CDATA[{foreign}]]></Encrypt>"),
        "<xml><Content><Encrypt>".to_owned(),
        "<xml></Encrypt>".to_owned(),
        format!("<xml>{}", "<Encrypt></Encrypt>".repeat(2_000)),
    ] {
        let push = PushRequest::compatible_document(login.as_bytes(), typed.as_bytes());
        sealed_reply(&push.send(gateway).await, &person);
        // Without WeChat's own ciphertext there is nothing that its signature covers.
        let forged = push.clone().with_body(typed.as_bytes());
        forged.is_refused(gateway, 403, &typed).await;
    }
    assert_eq!(attempts::owner(&store, &scene).await, person);
}
