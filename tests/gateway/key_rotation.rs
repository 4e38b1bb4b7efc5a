//! Keys are replaced without a stop: while the one before is set as well, either is accepted.

use harness::phone::Phone;
use reqwest::Method;
use system_tests::{
    attempts::{self, new_openid},
    stack::{API_KEY, APP_ID, Credentials, ENCODING_AES_KEY, Plan, TOKEN},
};
use wechat_wire::{
    message_crypto::{EncodingAesKey, MessageCrypto},
    push::Push,
    reply::EncryptedReply,
    signature::CallbackToken,
    signed_push::{PushMode, SignedPush},
};

use crate::{
    http::{self, assert_problem},
    push_request::{PushRequest, scan, sealed_reply},
};

const NEW_TOKEN: &str = "thenewtokenofthisaccount";
const NEW_AES_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq";
const NEW_API_KEY: &str = "the-new-api-key-0123456789-0123456789";

/// What WeChat signs and encrypts with.
struct Keys {
    token: CallbackToken,
    crypto: MessageCrypto,
}

impl Keys {
    fn new(app_id: &str, token: &str, key: &str) -> Self {
        let key = EncodingAesKey::parse(key).expect("it is a key");
        Self {
            token: CallbackToken::parse(token).expect("it is a token"),
            crypto: MessageCrypto::new(&key, app_id),
        }
    }

    fn push(&self, push: &Push) -> PushRequest {
        let delivery = Phone::default().delivery();
        let mode = PushMode::Safe(&self.crypto);
        PushRequest::of(SignedPush::new(push, mode, &self.token, &delivery))
    }

    fn opens(&self, reply: &str) -> bool {
        let sealed = EncryptedReply::parse(reply.as_bytes()).expect("an encrypted reply");
        sealed.open(&self.crypto, &self.token).is_ok()
    }
}

/// The made-up account's own keys are those before.
fn in_rotation() -> Plan {
    Plan::default()
        .gateway("GATEWAY__WECHAT__TOKEN", NEW_TOKEN)
        .gateway("GATEWAY__WECHAT__TOKEN_PREVIOUS", TOKEN)
        .gateway("GATEWAY__WECHAT__ENCODING_AES_KEY", NEW_AES_KEY)
        .gateway(
            "GATEWAY__WECHAT__ENCODING_AES_KEY_PREVIOUS",
            ENCODING_AES_KEY,
        )
}

#[tokio::test]
async fn each_combination_of_new_and_previous_keys_logs_in_and_is_answered_in_kind() {
    let stack = http::start(in_rotation()).await;
    let (gateway, store) = (&stack.gateways[0], stack.redis.store());
    for token in [TOKEN, NEW_TOKEN] {
        for key in [ENCODING_AES_KEY, NEW_AES_KEY] {
            let keys = Keys::new(APP_ID, token, key);
            let scene = attempts::open(&store).await;
            let person = new_openid();
            let push = keys.push(&scan(&person, &scene));
            assert_eq!(push.verify(gateway).await.text, "echo");
            let answer = push.send(gateway).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert!(keys.opens(&answer.text), "sealed with what it came in");
            assert_eq!(attempts::owner(&store, &scene).await, person);
        }
    }
    let forged = Keys::new(APP_ID, "somebodyelsestoken", NEW_AES_KEY);
    let scene = attempts::open(&store).await;
    let forged = forged.push(&scan(&new_openid(), &scene));
    forged.is_refused(gateway, 403, "another token").await;
    assert_eq!(forged.verify(gateway).await.status, 403);
}

#[tokio::test]
async fn without_the_setting_the_previous_keys_are_refused() {
    let stack = http::start(
        Plan::default()
            .gateway("GATEWAY__WECHAT__TOKEN", NEW_TOKEN)
            .gateway("GATEWAY__WECHAT__ENCODING_AES_KEY", NEW_AES_KEY)
            .gateway("GATEWAY__INTERNAL__API_KEY", NEW_API_KEY),
    )
    .await;
    let gateway = &stack.gateways[0];
    let scene = attempts::open(&stack.redis.store()).await;
    let push = scan(&new_openid(), &scene);
    for (token, key) in [(TOKEN, NEW_AES_KEY), (NEW_TOKEN, ENCODING_AES_KEY)] {
        let push = Keys::new(APP_ID, token, key).push(&push);
        push.is_refused(gateway, 403, token).await;
    }
    let answer = http::get(gateway, "/v1/access-token").await;
    assert_problem(&answer, 401, "invalid_api_key");
}

#[tokio::test]
async fn an_account_with_a_name_has_previous_keys_of_its_own() {
    let before = Credentials::of("shop");
    let stack = http::start(
        Plan::default()
            .account("shop")
            .gateway("GATEWAY__ACCOUNT__SHOP__TOKEN", NEW_TOKEN)
            .gateway("GATEWAY__ACCOUNT__SHOP__TOKEN_PREVIOUS", &before.token)
            .gateway("GATEWAY__ACCOUNT__SHOP__ENCODING_AES_KEY", NEW_AES_KEY)
            .gateway(
                "GATEWAY__ACCOUNT__SHOP__ENCODING_AES_KEY_PREVIOUS",
                &before.encoding_aes_key,
            ),
    )
    .await;
    let gateway = &stack.gateways[0];
    let scene = attempts::open(&stack.redis.store()).await;
    let push = scan(&new_openid(), &scene);
    for (token, key) in [
        (&before.token[..], &before.encoding_aes_key[..]),
        (NEW_TOKEN, NEW_AES_KEY),
    ] {
        let push = Keys::new(&before.app_id, token, key).push(&push);
        let answer = push.clone().at("/wechat/shop/callback").send(gateway).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        push.is_refused(gateway, 403, "the other account").await;
    }
    let own = PushRequest::safe(&push).send(gateway).await;
    sealed_reply(&own, &push.from_user_name);
}

#[tokio::test]
async fn the_previous_api_key_opens_the_internal_api_and_no_third_one_does() {
    let stack = http::start(
        Plan::default()
            .gateway("GATEWAY__INTERNAL__API_KEY", NEW_API_KEY)
            .gateway("GATEWAY__INTERNAL__API_KEY_PREVIOUS", API_KEY),
    )
    .await;
    let ask = async |key: &str| {
        let request = http::client().request(
            Method::GET,
            format!("{}/v1/access-token", stack.gateways[0].internal),
        );
        http::send(request.bearer_auth(key)).await
    };
    for key in [API_KEY, NEW_API_KEY] {
        assert_eq!(ask(key).await.status, 200);
    }
    for key in ["", &API_KEY[1..], &NEW_API_KEY[1..]] {
        assert_problem(&ask(key).await, 401, "invalid_api_key");
    }
}
