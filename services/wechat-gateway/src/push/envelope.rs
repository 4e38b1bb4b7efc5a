//! Opening a push in the mode it came in, and closing the answer the same way.

use jiff::Timestamp;
use service_kit::random::{self, NoRandomness};
use wechat_wire::{
    envelope::EncryptedPush,
    message_crypto::{DecryptError, MessageCrypto},
    reply::{EncryptedReply, TextReply},
    signature::CallbackToken,
};

use super::usable::{Unusable, UsablePush, near};
use crate::settings::Credentials;

/// The query parameters of WeChat's requests. `openid` may be there too; no signature covers it, so
/// it is ignored.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
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

/// Why a push was turned away: it doesn't come from WeChat, or not in a mode that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was signed at another time, or its timestamp isn't written as WeChat writes one.
    #[error("its timestamp is more than five minutes from this server's clock")]
    Stale,
    /// Nobody who knows the token signed it.
    #[error("the signature is wrong")]
    Signature,
    /// The same, of the signature that covers the ciphertext.
    #[error("the msg_signature is wrong")]
    MessageSignature,
    /// No signature covers its body.
    #[error("the push is in plain mode, but an EncodingAESKey is set")]
    Plaintext,
    /// It can't be decrypted.
    #[error("the push is encrypted, but no EncodingAESKey is set")]
    Encrypted,
    /// It claims to be encrypted but contains no ciphertext, so nothing in it is signed.
    #[error("the push holds no signed ciphertext")]
    NoCiphertext,
    /// The operator's mistake, or a push for another account.
    #[error("the push can't be decrypted with this EncodingAESKey and AppID")]
    Undecryptable,
}

impl Refusal {
    /// The `outcome` in the metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Signature | Self::MessageSignature => "signature",
            Self::Plaintext => "plaintext",
            Self::Encrypted => "encrypted",
            Self::NoCiphertext => "no_ciphertext",
            Self::Undecryptable => "undecryptable",
        }
    }
}

/// A push that WeChat sent.
pub enum Opened {
    /// It can be acted on.
    Push(OpenedPush),
    /// It can't, and concerns the account's owner alone.
    Unusable(Unusable),
}

/// A push that can be acted on.
pub struct OpenedPush {
    /// What WeChat says.
    pub push: UsablePush,
    mode: Mode,
}

enum Mode {
    Plain,
    Encrypted {
        nonce: String,
        /// What WeChat signs and encrypts with at present, and therefore expects of an answer.
        token: Generation,
        key: Generation,
    },
}

/// Which of two keys: while one is being replaced, WeChat may use either.
#[derive(Debug, Clone, Copy)]
enum Generation {
    Current,
    Previous,
}

/// A key, and while it is being replaced the one before.
struct Generations<T> {
    current: T,
    previous: Option<T>,
}

impl<T> Generations<T> {
    /// The first that fits, the current one preferred.
    fn find(&self, fits: impl Fn(&T) -> bool) -> Option<Generation> {
        if fits(&self.current) {
            return Some(Generation::Current);
        }
        let previous = self.previous.as_ref();
        previous
            .filter(|key| fits(key))
            .map(|_| Generation::Previous)
    }

    fn get(&self, generation: Generation) -> &T {
        match (generation, &self.previous) {
            (Generation::Previous, Some(previous)) => previous,
            _ => &self.current,
        }
    }
}

/// The account's keys, and which modes are accepted.
pub struct PushSecurity {
    tokens: Generations<CallbackToken>,
    cryptos: Option<Generations<MessageCrypto>>,
    accept_plaintext: bool,
}

impl PushSecurity {
    /// With the account's keys.
    pub fn new(credentials: &Credentials) -> Self {
        let crypto = |key| MessageCrypto::new(key, credentials.app_id.as_str());
        let key = credentials.encoding_aes_key.as_ref();
        let key_before = credentials.encoding_aes_key_previous.as_ref();
        Self {
            tokens: Generations {
                current: credentials.token.clone(),
                previous: credentials.token_previous.clone(),
            },
            accept_plaintext: credentials.accept_plaintext,
            cryptos: key.map(|key| Generations {
                current: crypto(key),
                previous: key_before.map(crypto),
            }),
        }
    }

    /// Whether the request's plain signature is right. A verification has no other, also in safe
    /// mode.
    pub fn is_signed(&self, query: &PushQuery) -> bool {
        let is_by = |token: &CallbackToken| {
            token
                .sign(&query.timestamp, &query.nonce)
                .matches(&query.signature)
        };
        self.tokens.find(is_by).is_some()
    }

    /// Checks and reads a push that arrives at `now`. In compatible mode only the encrypted part
    /// counts: no signature covers the clear one.
    ///
    /// # Errors
    ///
    /// When it isn't WeChat's, or in no mode that is accepted.
    pub fn open(&self, query: &PushQuery, body: &[u8], now: Timestamp) -> Result<Opened, Refusal> {
        if !is_fresh(&query.timestamp, now) {
            return Err(Refusal::Stale);
        }
        if query.encrypt_type.eq_ignore_ascii_case("aes") {
            return self.open_encrypted(query, body, now);
        }
        if !self.is_signed(query) {
            return Err(Refusal::Signature);
        }
        if !self.accept_plaintext {
            return Err(Refusal::Plaintext);
        }
        Ok(Opened::new(UsablePush::read(body, now), Mode::Plain))
    }

    fn open_encrypted(
        &self,
        query: &PushQuery,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Opened, Refusal> {
        let cryptos = self.cryptos.as_ref().ok_or(Refusal::Encrypted)?;
        let (encrypt, token) = self.signed_ciphertext(query, body)?;
        let (clear, key) = cryptos.decrypt(&encrypt);
        let push = match clear {
            Ok(clear) => UsablePush::read(&clear, now),
            Err(error) if error.is_damage() => Err(Unusable::Ciphertext(error)),
            Err(_) => return Err(Refusal::Undecryptable),
        };
        let nonce = query.nonce.clone();
        Ok(Opened::new(push, Mode::Encrypted { nonce, token, key }))
    }

    /// The ciphertext, and the token that signed it.
    fn signed_ciphertext(
        &self,
        query: &PushQuery,
        body: &[u8],
    ) -> Result<(String, Generation), Refusal> {
        let signer = |encrypt: &str| {
            self.tokens.find(|token| {
                token
                    .sign_encrypted(&query.timestamp, &query.nonce, encrypt)
                    .matches(&query.msg_signature)
            })
        };
        let (encrypt, refusal) = if let Ok(envelope) = EncryptedPush::parse(body) {
            (Some(envelope.encrypt), Refusal::MessageSignature)
        } else {
            let is_signed = |encrypt: &str| signer(encrypt).is_some();
            let found = EncryptedPush::signed_ciphertext(body, is_signed);
            (found, Refusal::NoCiphertext)
        };
        let encrypt = encrypt.ok_or(refusal)?;
        let token = signer(&encrypt).ok_or(refusal)?;
        Ok((encrypt, token))
    }

    /// The answer's body: XML in the push's own mode.
    ///
    /// # Errors
    ///
    /// There are no random bytes, which only an encrypted answer asks the system for: a call less
    /// of the six that a scan makes of it in plain mode.
    pub fn seal(&self, opened: &OpenedPush, text: &str, now: i64) -> Result<String, NoRandomness> {
        let reply = TextReply {
            to_user_name: opened.push.openid.as_str(),
            from_user_name: &opened.push.push.to_user_name,
            create_time: now,
            content: text,
        };
        let clear = reply.to_xml();
        match (&opened.mode, &self.cryptos) {
            (Mode::Encrypted { nonce, token, key }, Some(cryptos)) => {
                let random = random::bytes()?;
                let (crypto, token) = (cryptos.get(*key), self.tokens.get(*token));
                let sealed = EncryptedReply::seal(crypto, token, random, now, nonce, &clear);
                Ok(sealed.to_xml())
            }
            _ => Ok(clear),
        }
    }
}

impl Generations<MessageCrypto> {
    /// The message, by the first key that fits; otherwise what is wrong by the current one.
    fn decrypt(&self, encrypt: &str) -> (Result<Vec<u8>, DecryptError>, Generation) {
        let current = self.current.decrypt(encrypt);
        if current.is_err()
            && let Some(previous) = &self.previous
            && let Ok(clear) = previous.decrypt(encrypt)
        {
            return (Ok(clear), Generation::Previous);
        }
        (current, Generation::Current)
    }
}

impl Opened {
    fn new(push: Result<UsablePush, Unusable>, mode: Mode) -> Self {
        match push {
            Ok(push) => Self::Push(OpenedPush { push, mode }),
            Err(unusable) => Self::Unusable(unusable),
        }
    }
}

/// Whether the push was signed within five minutes of now. A replay of a recorded push ends here at
/// the latest; before that, repeating it has no second effect.
///
/// Ten digits, as WeChat writes them and will until 2286: the signature covers timestamp and nonce
/// as one row of characters, so that leading zeros could come from the other.
fn is_fresh(timestamp: &str, now: Timestamp) -> bool {
    let is_plain = timestamp.len() == 10
        && !timestamp.starts_with('0')
        && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let second = timestamp.parse().ok().filter(|_| is_plain);
    second.is_some_and(|second| near(second, now).is_some())
}
