//! WeChat's side of a scan: a signed and encrypted push, delivered up to three times.
//!
//! The soak pushes itself. Through the simulator every scan would cost two requests more and a record of
//! it, and the simulator's speed would be what is measured.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use jiff::Timestamp;
use login_protocol::scene::Scene;
use reqwest::{Client, header::CONTENT_TYPE};
use tokio::time::{Instant, sleep_until};
use wechat_wire::{
    envelope::EncryptedPush,
    message_crypto::{EncodingAesKey, MessageCrypto},
    push::{Push, PushBody},
    signature::CallbackToken,
};

use crate::account;

/// How long WeChat waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often WeChat delivers a push that isn't answered.
const DELIVERIES: usize = 3;

/// All phones of the account.
#[derive(Debug)]
pub(crate) struct Phone {
    http: Client,
    gateways: Vec<String>,
    interval: Duration,
    token: CallbackToken,
    crypto: MessageCrypto,
    turn: AtomicUsize,
    nonces: AtomicU64,
}

/// What the phone shows after a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// The account answered.
    Answered,
    /// 该公众号提供的服务出现故障: no delivery was answered.
    Fault,
}

impl Phone {
    /// Phones whose scans are pushed to these gateways in turn.
    pub(crate) fn new(gateways: Vec<String>, interval: Duration) -> Result<Self, String> {
        let http = service_kit::http_client::builder()
            .timeout(PATIENCE)
            // WeChat makes a connection for each push.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| error.to_string())?;
        let token = CallbackToken::parse(account::TOKEN).map_err(|error| error.to_string())?;
        let key =
            EncodingAesKey::parse(account::ENCODING_AES_KEY).map_err(|error| error.to_string())?;
        Ok(Self {
            http,
            gateways,
            interval,
            token,
            crypto: MessageCrypto::new(&key, account::APP_ID),
            turn: AtomicUsize::new(0),
            nonces: AtomicU64::new(1),
        })
    }

    /// A follower scans. Returns what came of it and how many deliveries it took.
    pub(crate) async fn scan(&self, openid: &str, scene: &Scene) -> (Scanned, usize) {
        let push = Push {
            to_user_name: account::ORIGINAL_ID.to_owned(),
            from_user_name: openid.to_owned(),
            create_time: Timestamp::now().as_second(),
            body: PushBody::scan(scene.as_str(), "a ticket"),
        };
        let document = push.to_xml();
        for delivery in 1..=DELIVERIES {
            let next = Instant::now() + self.interval;
            if self.deliver(&push, &document).await {
                return (Scanned::Answered, delivery);
            }
            sleep_until(next).await;
        }
        (Scanned::Fault, DELIVERIES)
    }

    /// Delivers once, to the next gateway that takes the connection.
    async fn deliver(&self, push: &Push, document: &str) -> bool {
        let number = self.nonces.fetch_add(1, Ordering::Relaxed);
        let random = u128::from(number).to_be_bytes();
        let encrypt = self.crypto.encrypt(random, document.as_bytes());
        let (timestamp, nonce) = (Timestamp::now().as_second().to_string(), number.to_string());
        let signature = self.token.sign(&timestamp, &nonce);
        let sealed = self.token.sign_encrypted(&timestamp, &nonce, &encrypt);
        let query = format!(
            "signature={}&timestamp={timestamp}&nonce={nonce}&openid={}&encrypt_type=aes&msg_signature={}",
            signature.as_str(),
            push.from_user_name,
            sealed.as_str()
        );
        let envelope = EncryptedPush {
            to_user_name: push.to_user_name.clone(),
            encrypt,
        };
        let body = envelope.to_safe_xml();
        for _ in &self.gateways {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let gateway = &self.gateways[turn % self.gateways.len()];
            let request = self
                .http
                .post(format!("{gateway}/wechat/callback?{query}"))
                .header(CONTENT_TYPE, "text/xml")
                .body(body.clone());
            match request.send().await {
                // The answer counts once all of it has arrived.
                Ok(answer) => return answer.status() == 200 && answer.bytes().await.is_ok(),
                Err(error) if error.is_connect() => {}
                Err(_) => return false,
            }
        }
        false
    }
}
