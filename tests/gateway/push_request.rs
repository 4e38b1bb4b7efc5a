//! Requests as WeChat makes them, and as forgers do: every part can be bent before it is sent.

use std::sync::LazyLock;

use harness::phone::{Mode, Phone};
use jiff::Timestamp;
use login_protocol::scene::Scene;
use reqwest::RequestBuilder;
use system_tests::{
    stack::{APP_ID, ENCODING_AES_KEY, Service, TOKEN},
    visitor::Answer,
};
use wechat_wire::{
    envelope::{EncryptedPush, compatible_xml},
    message_crypto::{EncodingAesKey, MessageCrypto},
    push::{Push, PushBody},
    reply::{EncryptedReply, Reply},
    signature::CallbackToken,
    signed_push::{Delivery, SignedPush},
};

use crate::http;

/// The account's original id, as pushes name it.
pub(crate) const ACCOUNT: &str = harness::account::ORIGINAL_ID;

/// Signs for the account; no two deliveries have the same nonce.
static PHONE: LazyLock<Phone> = LazyLock::new(Phone::default);

/// The account's callback token.
pub(crate) fn token() -> CallbackToken {
    CallbackToken::parse(TOKEN).expect("it is a token")
}

/// The account's cryptography.
pub(crate) fn crypto() -> MessageCrypto {
    crypto_for(APP_ID)
}

/// The cryptography of an account that has the same key.
pub(crate) fn crypto_for(app_id: &str) -> MessageCrypto {
    let key = EncodingAesKey::parse(ENCODING_AES_KEY).expect("it is a key");
    MessageCrypto::new(&key, app_id)
}

fn push(openid: &str, create_time: i64, body: PushBody) -> Push {
    Push {
        to_user_name: ACCOUNT.to_owned(),
        from_user_name: openid.to_owned(),
        create_time,
        body,
    }
}

/// A push that happened just now.
pub(crate) fn now(openid: &str, body: PushBody) -> Push {
    push(openid, Timestamp::now().as_second(), body)
}

/// A push that happened this many seconds ago.
pub(crate) fn ago(seconds: i64, openid: &str, body: PushBody) -> Push {
    push(openid, Timestamp::now().as_second() - seconds, body)
}

/// A follower's scan.
pub(crate) fn scan(openid: &str, scene: &Scene) -> Push {
    now(openid, PushBody::scan(scene.as_str(), "a ticket"))
}

/// Somebody who follows after a scan.
pub(crate) fn subscribe(openid: &str, scene: &Scene) -> Push {
    now(
        openid,
        PushBody::subscribe_with_code(scene.as_str(), "a ticket"),
    )
}

/// A request to the callback URL.
#[derive(Debug, Clone)]
pub(crate) struct PushRequest {
    path: String,
    query: Vec<(String, String)>,
    body: Vec<u8>,
}

impl PushRequest {
    /// Any body with a right plain signature, from nobody in particular.
    pub(crate) fn signed(body: impl Into<Vec<u8>>) -> Self {
        let signed = SignedPush::plain(body, "", PHONE.token(), &PHONE.delivery());
        Self::of(signed).without("openid")
    }

    /// A push in plain mode.
    pub(crate) fn plain(push: &Push) -> Self {
        Self::of(PHONE.sign(push, Mode::Plain))
    }

    /// A push in safe mode.
    pub(crate) fn safe(push: &Push) -> Self {
        Self::of(PHONE.sign(push, Mode::Safe))
    }

    /// Any document in safe mode, encrypted like this and signed for it.
    pub(crate) fn encrypted(crypto: &MessageCrypto, document: &[u8]) -> Self {
        Self::with_ciphertext(&crypto.encrypt(PHONE.delivery().random, document))
    }

    /// Any text in place of the ciphertext of safe mode, signed for it.
    pub(crate) fn with_ciphertext(encrypt: &str) -> Self {
        let envelope = EncryptedPush {
            to_user_name: ACCOUNT.to_owned(),
            encrypt: encrypt.to_owned(),
        };
        Self::signed_for(encrypt, envelope.to_safe_xml())
    }

    /// A push in compatible mode with other clear fields than those that are encrypted.
    pub(crate) fn compatible(push: &Push, clear: &Push) -> Self {
        let encrypt = PHONE
            .crypto()
            .encrypt(PHONE.delivery().random, push.to_xml().as_bytes());
        Self::signed_for(&encrypt, compatible_xml(clear, &encrypt))
    }

    /// A document in compatible mode: the clear fields as they are, and beside them the ciphertext.
    pub(crate) fn compatible_document(document: &[u8], clear: &[u8]) -> Self {
        let encrypt = PHONE.crypto().encrypt(PHONE.delivery().random, document);
        let clear = clear.strip_suffix(b"</xml>").unwrap_or(clear);
        let envelope = format!("<Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>\n");
        Self::signed_for(&encrypt, [clear, envelope.as_bytes()].concat())
    }

    /// The same, signed anew as if WeChat had sent it at this second with this nonce.
    pub(crate) fn signed_at(self, timestamp: &str, nonce: &str) -> Self {
        let delivery = Delivery {
            timestamp: timestamp.to_owned(),
            nonce: nonce.to_owned(),
            random: [0; 16],
        };
        let body = self.body.clone();
        let signed = match EncryptedPush::parse(&body) {
            Ok(envelope) => {
                SignedPush::encrypted(&envelope.encrypt, body, "", PHONE.token(), &delivery)
            }
            Err(_) => SignedPush::plain(body, "", PHONE.token(), &delivery),
        };
        let parameters = signed.parameters.iter();
        let parameters = parameters.filter(|(name, _)| *name != "openid");
        parameters.fold(self, |request, (name, value)| request.with(name, value))
    }

    fn signed_for(encrypt: &str, body: impl Into<Vec<u8>>) -> Self {
        let delivery = PHONE.delivery();
        let signed = SignedPush::encrypted(encrypt, body, "", PHONE.token(), &delivery);
        Self::of(signed).without("openid")
    }

    /// A push as it was signed.
    pub(crate) fn of(signed: SignedPush) -> Self {
        let query = signed.parameters.into_iter();
        Self {
            path: "/wechat/callback".to_owned(),
            query: query
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: signed.body,
        }
    }

    /// A parameter's value.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The same with this parameter.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let mut changed = self.without(name);
        changed.query.push((name.to_owned(), value.to_owned()));
        changed
    }

    /// The same to another path.
    pub(crate) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// The same without this parameter.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.query.retain(|(known, _)| known != name);
        self
    }

    /// The same with another body, as somebody has it who can't sign.
    pub(crate) fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The body as text.
    pub(crate) fn body(&self) -> &str {
        std::str::from_utf8(&self.body).expect("it is text")
    }

    /// Posts it.
    pub(crate) async fn send(&self, gateway: &Service) -> Answer {
        self.send_to(&gateway.public).await
    }

    /// Posts it to the gateway at this public address.
    pub(crate) async fn send_to(&self, public: &str) -> Answer {
        http::send(self.request(public)).await
    }

    /// Posts it as a reverse proxy does that got it from this address.
    pub(crate) async fn send_forwarded(&self, gateway: &Service, sender: &str) -> Answer {
        http::send(
            self.request(&gateway.public)
                .header("x-forwarded-for", sender),
        )
        .await
    }

    /// Asks as WeChat's console does, with the same signature.
    pub(crate) async fn verify(&self, gateway: &Service) -> Answer {
        let address = format!("{}/wechat/callback", gateway.public);
        let request = http::client().get(address).query(&self.query);
        http::send(request.query(&[("echostr", "echo")])).await
    }

    fn request(&self, public: &str) -> RequestBuilder {
        http::client()
            .post(format!("{public}{}", self.path))
            .query(&self.query)
            .header("content-type", "text/xml")
            .body(self.body.clone())
    }

    /// Posts it and expects a refusal that tells a forger nothing.
    pub(crate) async fn is_refused(&self, gateway: &Service, status: u16, what: &str) {
        let answer = self.send(gateway).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_eq!(answer.text, "", "{what}");
    }
}

/// The text of a reply to a push in plain mode, whose names must be swapped.
#[track_caller]
pub(crate) fn plain_reply(answer: &Answer, openid: &str) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        http::header(answer, "content-type"),
        "text/xml; charset=utf-8"
    );
    text_of(answer.text.as_bytes(), openid)
}

/// The text of a reply to an encrypted push: rightly signed, encrypted, and with swapped names.
#[track_caller]
pub(crate) fn sealed_reply(answer: &Answer, openid: &str) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        http::header(answer, "content-type"),
        "text/xml; charset=utf-8"
    );
    let sealed = EncryptedReply::parse(answer.text.as_bytes()).expect("it is an encrypted reply");
    let clear = sealed
        .open(&crypto(), &token())
        .expect("its signature and ciphertext are right");
    text_of(&clear, openid)
}

#[track_caller]
fn text_of(document: &[u8], openid: &str) -> String {
    let reply = Reply::parse(document).expect("it is a reply");
    assert_eq!(reply.to_user_name, openid);
    assert_eq!(reply.from_user_name, ACCOUNT);
    assert_eq!(reply.msg_type, "text");
    let age = Timestamp::now().as_second() - reply.create_time;
    assert!((0..60).contains(&age), "made {age} s ago");
    reply.content.expect("a text reply has a text")
}

/// Checks that the push was understood and has no reply.
#[track_caller]
pub(crate) fn assert_acknowledged(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.text, "success");
    assert!(http::header(answer, "content-type").starts_with("text/plain"));
}
