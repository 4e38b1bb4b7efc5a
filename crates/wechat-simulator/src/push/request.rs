//! What a push looks like on its way: the address with its parameters, and the body.
//!
//! Each delivery has a timestamp and a nonce of its own, except where `rapid_retries` repeats one
//! as it was; the event does not change.

use jiff::Timestamp;
use url::Url;
use wechat_wire::envelope::{EncryptedPush, compatible_xml};
use wechat_wire::push::Push;
use wechat_wire::signed_push::{Delivery, SignedPush};

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
    pub(super) body: Vec<u8>,
}

/// What differs from one delivery of a push to the next.
#[derive(Debug)]
pub(super) struct Freshness(Delivery);

impl Freshness {
    /// That of a delivery that is made now.
    pub(super) fn now() -> Self {
        Self(Delivery {
            timestamp: Timestamp::now().as_second().to_string(),
            nonce: random::nonce(),
            random: random::bytes(),
        })
    }
}

/// Signs and, where the mode asks for it, encrypts a push. Without a key the mode is plain.
pub(super) fn prepare(
    credentials: &Credentials,
    setup: &Setup,
    push: &Push,
    Freshness(delivery): &Freshness,
) -> PushRequest {
    let (token, openid) = (&credentials.token, &push.from_user_name);
    let push = &odd(push, setup);
    let clear = recased(push.to_xml(), setup);
    let crypto = credentials
        .crypto
        .as_ref()
        .filter(|_| setup.mode != PushMode::Plain);
    let signed = if let Some(crypto) = crypto {
        let encrypt = crypto.encrypt(delivery.random, clear.as_bytes());
        let body = if setup.mode == PushMode::Compatible {
            recased(compatible_xml(push, &encrypt), setup)
        } else {
            let envelope = EncryptedPush {
                to_user_name: push.to_user_name.clone(),
                encrypt: encrypt.clone(),
            };
            envelope.to_safe_xml()
        };
        SignedPush::encrypted(&encrypt, body, openid, token, delivery)
    } else {
        SignedPush::plain(clear, openid, token, delivery)
    };
    let mut url = setup.callback_url.clone();
    url.query_pairs_mut().extend_pairs(signed.parameters);
    PushRequest {
        url,
        body: signed.body,
    }
}
