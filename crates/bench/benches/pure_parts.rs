//! What each pure part of a push and of a code costs, alone: `cargo bench --package bench`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use wechat_wire::{
    envelope::EncryptedPush,
    message_crypto::{EncodingAesKey, MessageCrypto},
    push::{Push, PushBody},
    reply::{EncryptedReply, TextReply},
    signature::CallbackToken,
};

const APP_ID: &str = "wx0123456789abcdef";
const TIMESTAMP: &str = "1790000000";
const NONCE: &str = "1320562132";
const SCENE: &str = "login_Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU";
const REPLY: &str = "您好，小林。您已登录花店。";

/// As long as what WeChat's codes hold.
const CODE: &str = "http://weixin.qq.com/q/02BnGYkhJ4f0110000007U";

fn account() -> (CallbackToken, MessageCrypto) {
    let token = CallbackToken::parse("aToken").expect("a token as the console takes it");
    let key = EncodingAesKey::parse("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
        .expect("43 characters");
    (token, MessageCrypto::new(&key, APP_ID))
}

fn scan() -> String {
    let push = Push {
        to_user_name: "gh_0123456789ab".to_owned(),
        from_user_name: "o6_bmjrPTlm6_2sgVt7hMZOPfL2M".to_owned(),
        create_time: 1_790_000_000,
        body: PushBody::Scan {
            event_key: Some(SCENE.to_owned()),
            ticket: Some("gQH47joAAAAAAAAAASxodHRwOi8vd2VpeGluLnFxLmNvbS9xL2taZ2Z3TVRtNzJXV1Brb3ZhYmJJAAIEZ23sUwMEmm3sUw==".to_owned()),
        },
    };
    push.to_xml()
}

fn signature(criterion: &mut Criterion) {
    let (token, crypto) = account();
    let encrypt = crypto.encrypt([7; 16], scan().as_bytes());
    let signature = token.sign(TIMESTAMP, NONCE);
    criterion.bench_function("signature of a plain push", |bencher| {
        bencher.iter(|| {
            token
                .sign(black_box(TIMESTAMP), NONCE)
                .matches(signature.as_str())
        });
    });
    criterion.bench_function("signature of an encrypted push", |bencher| {
        bencher.iter(|| token.sign_encrypted(black_box(TIMESTAMP), NONCE, &encrypt));
    });
}

fn reading(criterion: &mut Criterion) {
    let (_, crypto) = account();
    let document = scan();
    let encrypt = crypto.encrypt([7; 16], document.as_bytes());
    let envelope = EncryptedPush {
        to_user_name: "gh_0123456789ab".to_owned(),
        encrypt: encrypt.clone(),
    };
    let envelope = envelope.to_safe_xml();
    criterion.bench_function("parsing an envelope", |bencher| {
        bencher.iter(|| EncryptedPush::parse(black_box(envelope.as_bytes())));
    });
    criterion.bench_function("decrypting a push", |bencher| {
        bencher.iter(|| crypto.decrypt(black_box(&encrypt)));
    });
    criterion.bench_function("parsing a push", |bencher| {
        bencher.iter(|| Push::parse(black_box(document.as_bytes())));
    });
}

fn replying(criterion: &mut Criterion) {
    let (token, crypto) = account();
    let reply = TextReply {
        to_user_name: "o6_bmjrPTlm6_2sgVt7hMZOPfL2M",
        from_user_name: "gh_0123456789ab",
        create_time: 1_790_000_000,
        content: REPLY,
    };
    criterion.bench_function("a plain reply", |bencher| {
        bencher.iter(|| black_box(&reply).to_xml());
    });
    criterion.bench_function("an encrypted reply", |bencher| {
        bencher.iter(|| {
            let clear = black_box(&reply).to_xml();
            EncryptedReply::seal(&crypto, &token, [7; 16], 1_790_000_000, NONCE, &clear).to_xml()
        });
    });
}

fn drawing(criterion: &mut Criterion) {
    criterion.bench_function("drawing a code", |bencher| {
        let mut json = Vec::new();
        bencher.iter(|| {
            json.clear();
            site::qr_drawing::draw_in_json(&mut json, black_box(CODE))
        });
    });
}

criterion_group!(pure_parts, signature, reading, replying, drawing);
criterion_main!(pure_parts);
