//! Pushes as they are posted, in each mode.

use wechat_wire::envelope::{EncryptedPush, compatible_xml};
use wechat_wire::message_crypto::{EncodingAesKey, MessageCrypto};
use wechat_wire::push::Push;
use wechat_wire::signature::CallbackToken;
use wechat_wire::signed_push::{Delivery, PushMode, SignedPush};

use crate::known_answers::KAT_9;

const OPENID: &str = "oJqxQwYRyZMXFTc8sipB5TSe6Vw4";

/// The known answer is a scan as WeChat writes it.
fn push() -> Push {
    Push::parse(KAT_9.message.as_bytes()).unwrap()
}

fn signed(mode: fn(&MessageCrypto) -> PushMode<'_>) -> SignedPush {
    let key = EncodingAesKey::parse(KAT_9.encoding_aes_key).unwrap();
    let crypto = MessageCrypto::new(&key, KAT_9.app_id);
    let token = CallbackToken::parse(KAT_9.token).unwrap();
    let delivery = Delivery {
        timestamp: KAT_9.timestamp.to_owned(),
        nonce: KAT_9.nonce.to_owned(),
        random: *KAT_9.random,
    };
    SignedPush::new(&push(), mode(&crypto), &token, &delivery)
}

#[test]
fn a_plain_push_is_signed_without_its_body() {
    let signed = signed(|_| PushMode::Plain);
    let signature = KAT_9.signature.unwrap();
    let query =
        format!("signature={signature}&timestamp=1700000001&nonce=1234567890&openid={OPENID}");
    assert_eq!(signed.query(), query);
    assert_eq!(signed.body, KAT_9.message.as_bytes());
    assert_eq!(signed.parameter("msg_signature"), "");
}

#[test]
fn a_safe_push_is_the_known_answer() {
    let signed = signed(|crypto| PushMode::Safe(crypto));
    let names: Vec<_> = signed.parameters.iter().map(|(name, _)| *name).collect();
    let recorded = [
        "signature",
        "timestamp",
        "nonce",
        "openid",
        "encrypt_type",
        "msg_signature",
    ];
    assert_eq!(names, recorded);
    assert_eq!(signed.parameter("signature"), KAT_9.signature.unwrap());
    assert_eq!(signed.parameter("encrypt_type"), "aes");
    let sealed = KAT_9.msg_signature.unwrap();
    assert_eq!(signed.parameter("msg_signature"), sealed);
    let envelope = EncryptedPush {
        to_user_name: push().to_user_name,
        encrypt: KAT_9.encrypt.to_owned(),
    };
    assert_eq!(signed.body, envelope.to_safe_xml().as_bytes());
}

#[test]
fn a_compatible_push_has_its_fields_in_clear_as_well() {
    let signed = signed(|crypto| PushMode::Compatible(crypto));
    assert_eq!(
        signed.body,
        compatible_xml(&push(), KAT_9.encrypt).as_bytes()
    );
    let sealed = KAT_9.msg_signature.unwrap();
    assert_eq!(signed.parameter("msg_signature"), sealed);
}
