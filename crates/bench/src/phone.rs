//! WeChat's side of a scan: pushes as WeChat signs, encrypts and sends them.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use login_protocol::scene::Scene;
use wechat_wire::{
    envelope::EncryptedPush,
    message_crypto::{EncodingAesKey, MessageCrypto},
    push::{Push, PushBody},
    signature::CallbackToken,
};

use crate::account;

/// The ticket of a code, as the event repeats it.
const TICKET: &str = "gQH47joAAAAAAAAAASxodHRwOi8vd2VpeGluLnFxLmNvbS9xL2taZ2Z3TVRtNzJXV1Brb3ZhYmJJAAIEZ23sUwMEmm3sUw==";

/// In which of WeChat's modes a push comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// 明文模式.
    Plain,
    /// 安全模式.
    Safe,
}

/// All phones of the account.
#[derive(Debug)]
pub(crate) struct Phone {
    token: CallbackToken,
    crypto: MessageCrypto,
    nonces: AtomicU64,
}

impl Phone {
    /// Of the made-up account.
    pub(crate) fn new() -> Result<Self, String> {
        let token = CallbackToken::parse(account::TOKEN).map_err(|error| error.to_string())?;
        let key =
            EncodingAesKey::parse(account::ENCODING_AES_KEY).map_err(|error| error.to_string())?;
        Ok(Self {
            token,
            crypto: MessageCrypto::new(&key, account::APP_ID),
            nonces: AtomicU64::new(1_000_000_000),
        })
    }

    /// The request that tells the gateway of a follower's scan.
    pub(crate) fn scan(&self, mode: Mode, openid: &str, scene: &Scene) -> Vec<u8> {
        let now = Timestamp::now().as_second();
        let push = Push {
            to_user_name: account::ORIGINAL_ID.to_owned(),
            from_user_name: openid.to_owned(),
            create_time: now,
            body: PushBody::scan(scene.as_str(), TICKET),
        };
        let number = self.nonces.fetch_add(1, Ordering::Relaxed);
        let (timestamp, nonce) = (now.to_string(), number.to_string());
        let signature = self.token.sign(&timestamp, &nonce);
        let mut query = format!(
            "signature={}&timestamp={timestamp}&nonce={nonce}&openid={openid}",
            signature.as_str()
        );
        let mut body = push.to_xml();
        if mode == Mode::Safe {
            let random = u128::from(number).to_be_bytes();
            let encrypt = self.crypto.encrypt(random, body.as_bytes());
            let sealed = self.token.sign_encrypted(&timestamp, &nonce, &encrypt);
            query += "&encrypt_type=aes&msg_signature=";
            query += sealed.as_str();
            let envelope = EncryptedPush {
                to_user_name: push.to_user_name,
                encrypt,
            };
            body = envelope.to_safe_xml();
        }
        format!(
            "POST /wechat/callback?{query} HTTP/1.1\r\nuser-agent: Mozilla/4.0\r\naccept: */*\r\n\
             host: localhost\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}
