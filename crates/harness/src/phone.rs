//! The phones of the made-up account's followers, as far as the account hears of them: signed
//! pushes.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use login_protocol::scene::Scene;
use wechat_wire::{
    message_crypto::{EncodingAesKey, MessageCrypto},
    push::{Push, PushBody},
    signature::CallbackToken,
    signed_push::{Delivery, PushMode, SignedPush},
};

use crate::account;

/// The ticket of a code, as the event repeats it.
const TICKET: &str = "gQH47joAAAAAAAAAASxodHRwOi8vd2VpeGluLnFxLmNvbS9xL2taZ2Z3TVRtNzJXV1Brb3ZhYmJJAAIEZ23sUwMEmm3sUw==";

/// In which of WeChat's modes a push comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 明文模式.
    Plain,
    /// 安全模式.
    Safe,
}

/// All phones of the account.
#[derive(Debug)]
pub struct Phone {
    token: CallbackToken,
    crypto: MessageCrypto,
    nonces: AtomicU64,
}

impl Default for Phone {
    /// Of the made-up account.
    fn default() -> Self {
        let token = CallbackToken::parse(account::TOKEN).expect("it is a token");
        let key = EncodingAesKey::parse(account::ENCODING_AES_KEY).expect("it is a key");
        Self {
            token,
            crypto: MessageCrypto::new(&key, account::APP_ID),
            nonces: AtomicU64::new(1_000_000_000),
        }
    }
}

impl Phone {
    /// The callback token.
    pub fn token(&self) -> &CallbackToken {
        &self.token
    }

    /// The account's cryptography.
    pub fn crypto(&self) -> &MessageCrypto {
        &self.crypto
    }

    /// The push of a follower's scan, which happened just now.
    pub fn scan(&self, openid: &str, scene: &Scene) -> Push {
        Push {
            to_user_name: account::ORIGINAL_ID.to_owned(),
            from_user_name: openid.to_owned(),
            create_time: Timestamp::now().as_second(),
            body: PushBody::scan(scene.as_str(), TICKET),
        }
    }

    /// A push as it is delivered now.
    pub fn sign(&self, push: &Push, mode: Mode) -> SignedPush {
        let mode = match mode {
            Mode::Plain => PushMode::Plain,
            Mode::Safe => PushMode::Safe(&self.crypto),
        };
        SignedPush::new(push, mode, &self.token, &self.delivery())
    }

    /// Time, nonce and random bytes of a delivery; no other one has these bytes and this nonce.
    pub fn delivery(&self) -> Delivery {
        let number = self.nonces.fetch_add(1, Ordering::Relaxed);
        Delivery {
            timestamp: Timestamp::now().as_second().to_string(),
            nonce: number.to_string(),
            random: u128::from(number).to_be_bytes(),
        }
    }
}
