//! A push of which one byte is not WeChat's: it changes nothing, or it is the same push.

use login_protocol::attempt::AttemptStatus;
use system_tests::{
    attempts::{self, new_openid},
    news::News,
    stack::Plan,
};
use wechat_wire::envelope::EncryptedPush;

use crate::{
    http,
    push_request::{PushRequest, scan},
};

/// The text with another character at this place.
fn altered(text: &str, place: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[place] ^= 1;
    String::from_utf8(bytes).expect("the text is ASCII, and so is every neighbour")
}

#[tokio::test]
async fn a_push_with_one_signed_byte_altered_changes_nothing() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let mut news = News::listen(&store).await;
    let person = new_openid();
    let genuine = PushRequest::safe(&scan(&person, &scene));
    for name in ["timestamp", "nonce", "encrypt_type", "msg_signature"] {
        let value = genuine.parameter(name);
        for place in 0..value.len() {
            let forged = genuine.clone().with(name, &altered(value, place));
            let what = format!("{name}, character {place}");
            forged.is_refused(gateway, 403, &what).await;
        }
    }
    let envelope = EncryptedPush::parse(genuine.body().as_bytes()).expect("it is an envelope");
    let begins = genuine.body().find(&envelope.encrypt);
    let begins = begins.expect("the ciphertext stands there as it is");
    for place in begins..begins + envelope.encrypt.len() {
        let forged = genuine.clone().with_body(altered(genuine.body(), place));
        let what = format!("the body's byte {place}");
        forged.is_refused(gateway, 403, &what).await;
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    assert!(news.so_far(&stack.redis).await.is_empty());
    let member = http::get(gateway, &format!("/v1/members/{person}")).await;
    assert_eq!(member.status, 404);

    assert_eq!(genuine.send(gateway).await.status, 200);
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn a_push_with_one_unsigned_byte_altered_is_the_same_push_or_none() {
    let stack = http::start(Plan::default()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let genuine = PushRequest::safe(&scan(&person, &scene)).with("openid", "oSomebodyElse");
    let body = genuine.body();
    let envelope = EncryptedPush::parse(body.as_bytes()).expect("it is an envelope");
    let begins = body.find(&envelope.encrypt).expect("it stands there");
    let signed = begins..begins + envelope.encrypt.len();
    let mut taken = 0;
    for place in (0..body.len()).filter(|place| !signed.contains(place)) {
        let forged = genuine.clone().with_body(altered(body, place));
        let answer = forged.send(gateway).await;
        match answer.status.as_u16() {
            200 => taken += 1,
            400 | 403 => assert_eq!(answer.text, "", "byte {place}"),
            other => panic!("byte {place}: {other}"),
        }
    }
    // The account's name in clear is nobody's word; everything else holds the ciphertext.
    assert!(taken >= envelope.to_user_name.len());
    assert_eq!(attempts::owner(&store, &scene).await, person);
}
