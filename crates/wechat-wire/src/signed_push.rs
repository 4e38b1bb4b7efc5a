//! A push on its way to the callback URL: the parameters that sign it, and the body.
//!
//! Parameters come in the recorded order `signature, timestamp, nonce, openid, encrypt_type,
//! msg_signature`; plain pushes have the first four. `signature` covers time and nonce alone,
//! `msg_signature` the ciphertext as well.

use crate::envelope::{EncryptedPush, compatible_xml};
use crate::message_crypto::MessageCrypto;
use crate::push::Push;
use crate::signature::CallbackToken;

/// How an account receives its pushes (消息加解密方式).
#[derive(Clone, Copy, Debug)]
pub enum PushMode<'key> {
    /// 明文模式: in clear.
    Plain,
    /// 兼容模式: in clear, and encrypted beside it.
    Compatible(&'key MessageCrypto),
    /// 安全模式: encrypted.
    Safe(&'key MessageCrypto),
}

/// What differs from one delivery of a push to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Unix time in seconds, as decimal digits.
    pub timestamp: String,
    /// WeChat's are decimal numbers.
    pub nonce: String,
    /// The random bytes in front of the encrypted document; a plain push has none.
    pub random: [u8; 16],
}

/// A push, ready to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPush {
    /// The callback URL's parameters, not yet percent-encoded.
    pub parameters: Vec<(&'static str, String)>,
    /// The body of the POST, `text/xml`.
    pub body: Vec<u8>,
}

impl SignedPush {
    /// Signs a push, and encrypts it where the mode asks for it.
    pub fn new(
        push: &Push,
        mode: PushMode<'_>,
        token: &CallbackToken,
        delivery: &Delivery,
    ) -> Self {
        let clear = push.to_xml();
        let openid = &push.from_user_name;
        let encrypt = |crypto: &MessageCrypto| crypto.encrypt(delivery.random, clear.as_bytes());
        match mode {
            PushMode::Plain => Self::plain(clear, openid, token, delivery),
            PushMode::Compatible(crypto) => {
                let encrypt = encrypt(crypto);
                let body = compatible_xml(push, &encrypt);
                Self::encrypted(&encrypt, body, openid, token, delivery)
            }
            PushMode::Safe(crypto) => {
                let envelope = EncryptedPush {
                    to_user_name: push.to_user_name.clone(),
                    encrypt: encrypt(crypto),
                };
                let body = envelope.to_safe_xml();
                Self::encrypted(&envelope.encrypt, body, openid, token, delivery)
            }
        }
    }

    /// Signs a body as one in plain mode, whatever it holds.
    pub fn plain(
        body: impl Into<Vec<u8>>,
        openid: &str,
        token: &CallbackToken,
        delivery: &Delivery,
    ) -> Self {
        let Delivery {
            timestamp, nonce, ..
        } = delivery;
        let parameters = vec![
            ("signature", token.sign(timestamp, nonce).to_string()),
            ("timestamp", timestamp.clone()),
            ("nonce", nonce.clone()),
            ("openid", openid.to_owned()),
        ];
        Self {
            parameters,
            body: body.into(),
        }
    }

    /// Signs a body that holds this ciphertext as one in safe or compatible mode, whatever both
    /// hold.
    pub fn encrypted(
        encrypt: &str,
        body: impl Into<Vec<u8>>,
        openid: &str,
        token: &CallbackToken,
        delivery: &Delivery,
    ) -> Self {
        let mut signed = Self::plain(body, openid, token, delivery);
        let signature = token.sign_encrypted(&delivery.timestamp, &delivery.nonce, encrypt);
        signed.parameters.extend([
            ("encrypt_type", "aes".to_owned()),
            ("msg_signature", signature.to_string()),
        ]);
        signed
    }

    /// A parameter's value; empty where the push has none of this name.
    pub fn parameter(&self, name: &str) -> &str {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The callback URL's query. Values stand as they are: WeChat's own, openids included, need no
    /// percent-encoding.
    pub fn query(&self) -> String {
        let pairs = self.parameters.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    }
}
