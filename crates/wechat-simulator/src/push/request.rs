//! What a push looks like on its way: the address with its parameters, and the body.
//!
//! Parameters come in the recorded order `signature, timestamp, nonce, openid, encrypt_type,
//! msg_signature`. Each delivery has a timestamp and a nonce of its own, except where `rapid_retries` repeats
//! one as it was; the event does not change.

use jiff::Timestamp;
use url::Url;
use wechat_wire::envelope::{EncryptedPush, compatible_xml};
use wechat_wire::push::Push;

use super::peculiarities::{odd, recased};
use crate::account::Credentials;
use crate::random;
use crate::setup::{PushMode, Setup};

/// A push, ready to be sent.
#[derive(Debug)]
pub(super) struct PushRequest {
    /// The callback address with its parameters.
    pub(super) url: Url,
    /// The XML body.
    pub(super) body: String,
}

/// What differs from one delivery of a push to the next.
#[derive(Debug)]
pub(super) struct Freshness {
    /// Unix time in seconds.
    pub(super) timestamp: String,
    /// A decimal number.
    pub(super) nonce: String,
    /// The random bytes in front of the encrypted message.
    pub(super) random: [u8; 16],
}

impl Freshness {
    /// That of a delivery that is made now.
    pub(super) fn now() -> Self {
        Self {
            timestamp: Timestamp::now().as_second().to_string(),
            nonce: random::nonce(),
            random: random::bytes(),
        }
    }
}

/// Signs and, where the mode asks for it, encrypts a push. Without a key the mode is plain.
pub(super) fn prepare(
    credentials: &Credentials,
    setup: &Setup,
    push: &Push,
    freshness: &Freshness,
) -> PushRequest {
    let Freshness {
        timestamp,
        nonce,
        random,
    } = freshness;
    let mode = setup.mode;
    let mut url = setup.callback_url.clone();
    let signature = credentials.token.sign(timestamp, nonce);
    url.query_pairs_mut()
        .append_pair("signature", signature.as_str())
        .append_pair("timestamp", timestamp)
        .append_pair("nonce", nonce)
        .append_pair("openid", &push.from_user_name);
    let push = &odd(push, setup);
    let clear = recased(push.to_xml(), setup);
    let crypto = credentials
        .crypto
        .as_ref()
        .filter(|_| mode != PushMode::Plain);
    let Some(crypto) = crypto else {
        return PushRequest { url, body: clear };
    };
    let encrypt = crypto.encrypt(*random, clear.as_bytes());
    let signature = credentials.token.sign_encrypted(timestamp, nonce, &encrypt);
    url.query_pairs_mut()
        .append_pair("encrypt_type", "aes")
        .append_pair("msg_signature", signature.as_str());
    let body = if mode == PushMode::Compatible {
        recased(compatible_xml(push, &encrypt), setup)
    } else {
        EncryptedPush {
            to_user_name: push.to_user_name.clone(),
            encrypt,
        }
        .to_safe_xml()
    };
    PushRequest { url, body }
}
