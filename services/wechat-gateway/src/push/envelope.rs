//! Opening a push in the mode it came in, and closing the answer the same way.

use jiff::{SignedDuration, Timestamp};
use service_kit::settings::{InvalidSettings, Settings};
use wechat_wire::{
    envelope::EncryptedPush,
    message_crypto::MessageCrypto,
    push::Push,
    reply::{EncryptedReply, TextReply},
    signature::CallbackToken,
};

use crate::settings;

/// How far a push's timestamp may be from this server's clock. WeChat signs each delivery when it
/// sends it.
const FRESHNESS: SignedDuration = SignedDuration::from_mins(5);

/// The query parameters of WeChat's requests. `openid` may be there too; no signature covers it, so
/// it is ignored.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct PushQuery {
    /// SHA-1 over token, timestamp and nonce.
    pub signature: String,
    /// Unix seconds, as text.
    pub timestamp: String,
    /// Random digits.
    pub nonce: String,
    /// What a verification wants to read back.
    pub echostr: String,
    /// `aes` for an encrypted push.
    pub encrypt_type: String,
    /// SHA-1 over token, timestamp, nonce and ciphertext.
    pub msg_signature: String,
}

/// Why a push was turned away.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It doesn't come from WeChat, or not in a mode that is accepted.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It can't be read.
    #[error("{0}")]
    Malformed(String),
}

/// An opened push.
pub struct Opened {
    /// What WeChat says.
    pub push: Push,
    mode: Mode,
}

enum Mode {
    Plain,
    Encrypted { nonce: String },
}

/// The account's keys, and which modes are accepted.
pub struct PushSecurity {
    token: CallbackToken,
    crypto: Option<MessageCrypto>,
    accept_plaintext: bool,
}

impl PushSecurity {
    /// Reads the account's keys. Without an `EncodingAESKey` there is only plain mode.
    pub fn new(values: &Settings) -> Result<Self, InvalidSettings> {
        let app_id = values.get(&settings::APP_ID)?;
        let key = values.optional(&settings::ENCODING_AES_KEY)?;
        let accept_plaintext = values.optional(&settings::ACCEPT_PLAINTEXT)?;
        if key.is_none() && accept_plaintext == Some(false) {
            let wrong = "is false although no EncodingAESKey is set: no push could be accepted";
            return Err(values.invalid(&settings::ACCEPT_PLAINTEXT, wrong));
        }
        Ok(Self {
            token: values.get(&settings::TOKEN)?,
            accept_plaintext: accept_plaintext.unwrap_or(key.is_none()),
            crypto: key.map(|key| MessageCrypto::new(&key, app_id.as_str())),
        })
    }

    /// Whether the request's plain signature is right. A verification has no other, also in safe mode.
    pub fn is_signed(&self, query: &PushQuery) -> bool {
        self.token
            .sign(&query.timestamp, &query.nonce)
            .matches(&query.signature)
    }

    /// Checks and reads a push that arrives at `now`. In compatible mode only the encrypted part counts: no signature
    /// covers the clear one.
    pub fn open(&self, query: &PushQuery, body: &[u8], now: Timestamp) -> Result<Opened, Refusal> {
        if !is_fresh(&query.timestamp, now) {
            return Err(Refusal::Forbidden(
                "its timestamp is more than five minutes from this server's clock",
            ));
        }
        if query.encrypt_type.eq_ignore_ascii_case("aes") {
            return self.open_encrypted(query, body);
        }
        if !self.is_signed(query) {
            return Err(Refusal::Forbidden("the signature is wrong"));
        }
        if !self.accept_plaintext {
            return Err(Refusal::Forbidden(
                "the push is in plain mode, but an EncodingAESKey is set",
            ));
        }
        Ok(Opened {
            push: parse(body)?,
            mode: Mode::Plain,
        })
    }

    fn open_encrypted(&self, query: &PushQuery, body: &[u8]) -> Result<Opened, Refusal> {
        let Some(crypto) = &self.crypto else {
            return Err(Refusal::Forbidden(
                "the push is encrypted, but no EncodingAESKey is set",
            ));
        };
        let envelope =
            EncryptedPush::parse(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let signature =
            self.token
                .sign_encrypted(&query.timestamp, &query.nonce, &envelope.encrypt);
        if !signature.matches(&query.msg_signature) {
            return Err(Refusal::Forbidden("the msg_signature is wrong"));
        }
        let clear = crypto.decrypt(&envelope.encrypt);
        let clear = clear.map_err(|_| {
            Refusal::Forbidden("the push can't be decrypted with this EncodingAESKey and AppID")
        })?;
        Ok(Opened {
            push: parse(&clear)?,
            mode: Mode::Encrypted {
                nonce: query.nonce.clone(),
            },
        })
    }

    /// The answer's body: XML in the push's own mode.
    pub fn seal(&self, opened: &Opened, text: &str, now: i64, random: [u8; 16]) -> String {
        let reply = TextReply {
            to_user_name: &opened.push.from_user_name,
            from_user_name: &opened.push.to_user_name,
            create_time: now,
            content: text,
        };
        match (&opened.mode, &self.crypto) {
            (Mode::Encrypted { nonce }, Some(crypto)) => {
                EncryptedReply::seal(crypto, &self.token, random, now, nonce, &reply.to_xml())
                    .to_xml()
            }
            _ => reply.to_xml(),
        }
    }
}

/// Whether the push was signed within five minutes of now. A replay of a recorded push ends here at
/// the latest; before that, repeating it has no second effect.
fn is_fresh(timestamp: &str, now: Timestamp) -> bool {
    let signed_at = timestamp
        .parse()
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok());
    signed_at.is_some_and(|at| now.duration_since(at).abs() <= FRESHNESS)
}

fn parse(body: &[u8]) -> Result<Push, Refusal> {
    Push::parse(body).map_err(|error| Refusal::Malformed(error.to_string()))
}
