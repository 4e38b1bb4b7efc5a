//! The encryption of pushes and replies in safe and compatible mode (`WXBizMsgCrypt`).
//!
//! AES-256-CBC over `random(16) ‖ length(u32, big-endian) ‖ message ‖ AppID`, padded to a multiple
//! of 32 bytes; the initialisation vector is the first half of the key. The scheme doesn't
//! authenticate: check `msg_signature` before decrypting, and don't reveal which step failed.

use std::fmt;

use aes::{Aes256Dec, Aes256Enc};
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use cbc::{Decryptor, Encryptor};

/// Padding is counted to this size, not to the 16 bytes of an AES block.
const PADDING_BLOCK: usize = 32;
const RANDOM_LENGTH: usize = 16;
const HEADER_LENGTH: usize = RANDOM_LENGTH + 4;
const ENCODED_KEY_LENGTH: usize = 43;

/// 43 characters carry 258 bits for a key of 256. Tencent's console draws the last character
/// freely, so its two spare bits may be set, which a strict decoder would refuse.
const KEY_ENGINE: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

/// The `EncodingAESKey` of WeChat's console, decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodingAesKey([u8; 32]);

/// Why a text is no [`EncodingAesKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEncodingAesKey {
    /// The console shows exactly 43 characters.
    #[error("an EncodingAESKey has 43 characters, this one has {0}")]
    Length(usize),
    /// A character outside `A-Z a-z 0-9 + /`.
    #[error("an EncodingAESKey consists of letters and digits")]
    Alphabet,
}

impl EncodingAesKey {
    /// Decodes the 43 characters that the console shows; the two bits beyond 256 are ignored.
    ///
    /// # Errors
    ///
    /// A wrong length or a foreign character; the message doesn't quote the key.
    pub fn parse(encoded: &str) -> Result<Self, InvalidEncodingAesKey> {
        let length = encoded.chars().count();
        if length != ENCODED_KEY_LENGTH {
            return Err(InvalidEncodingAesKey::Length(length));
        }
        let decoded = KEY_ENGINE
            .decode(encoded)
            .map_err(|_| InvalidEncodingAesKey::Alphabet)?;
        let key = decoded
            .try_into()
            .map_err(|_| InvalidEncodingAesKey::Alphabet)?;
        Ok(Self(key))
    }
}

impl fmt::Debug for EncodingAesKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EncodingAesKey([REDACTED])")
    }
}

/// Encrypts and decrypts for one account: its key and its `AppID`, with the key schedules prepared.
#[derive(Clone)]
pub struct MessageCrypto {
    encryption: Aes256Enc,
    decryption: Aes256Dec,
    initialisation_vector: [u8; 16],
    app_id: String,
}

/// Why a ciphertext was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// The text isn't canonical, padded base64.
    #[error("the ciphertext is not base64")]
    Base64,
    /// The ciphertext is empty or not a multiple of 32 bytes.
    #[error("the ciphertext is not a multiple of 32 bytes")]
    Length,
    /// The padding isn't 1 to 32 times its own length: a wrong key, or a changed ciphertext.
    #[error("the padding is wrong: another EncodingAESKey, or a changed ciphertext")]
    Padding,
    /// The plaintext is shorter than the length that it states.
    #[error("the plaintext is shorter than its length field")]
    Truncated,
    /// The message was made for another account with the same key.
    #[error("the message is for another AppID")]
    AppIdMismatch,
}

impl DecryptError {
    /// Whether no key at all could have decrypted the text, so that the account's own isn't the
    /// reason.
    pub const fn is_damage(self) -> bool {
        matches!(self, Self::Base64 | Self::Length)
    }
}

impl MessageCrypto {
    /// Prepares for the account `app_id`, whose key is `key`.
    pub fn new(key: &EncodingAesKey, app_id: &str) -> Self {
        let mut initialisation_vector = [0; 16];
        initialisation_vector.copy_from_slice(&key.0[..16]);
        Self {
            encryption: Aes256Enc::new(&key.0.into()),
            decryption: Aes256Dec::new(&key.0.into()),
            initialisation_vector,
            app_id: app_id.to_owned(),
        }
    }

    /// Encrypts `message` and returns the base64 text of an `<Encrypt>` element.
    ///
    /// `random` must be fresh and unpredictable for every message: the initialisation vector is
    /// fixed, so these bytes alone keep equal messages from looking equal.
    ///
    /// # Panics
    ///
    /// When `message` is longer than 4 GiB, which its length field can't say.
    pub fn encrypt(&self, random: [u8; 16], message: &[u8]) -> String {
        let length = u32::try_from(message.len()).expect("a message is shorter than 4 GiB");
        let plain_length = HEADER_LENGTH + message.len() + self.app_id.len();
        let padding = PADDING_BLOCK - plain_length % PADDING_BLOCK;
        let padded_length = plain_length + padding;

        let mut buffer = Vec::with_capacity(padded_length);
        buffer.extend_from_slice(&random);
        buffer.extend_from_slice(&length.to_be_bytes());
        buffer.extend_from_slice(message);
        buffer.extend_from_slice(self.app_id.as_bytes());
        let padding_byte = u8::try_from(padding).expect("padding is 1 to 32");
        buffer.resize(padded_length, padding_byte);

        Encryptor::inner_iv_init(&self.encryption, &self.initialisation_vector.into())
            .encrypt_padded::<NoPadding>(&mut buffer, padded_length)
            .expect("the buffer is a whole number of blocks");
        STANDARD.encode(buffer)
    }

    /// Decrypts the base64 text of an `<Encrypt>` element and returns the message.
    ///
    /// # Errors
    ///
    /// Any deviation from the scheme, and a message for another `AppID`: official text requires
    /// that check because different accounts may share a key.
    pub fn decrypt(&self, encrypt: &str) -> Result<Vec<u8>, DecryptError> {
        let mut buffer = STANDARD.decode(encrypt).map_err(|_| DecryptError::Base64)?;
        if buffer.is_empty() || buffer.len() % PADDING_BLOCK != 0 {
            return Err(DecryptError::Length);
        }
        Decryptor::inner_iv_init(&self.decryption, &self.initialisation_vector.into())
            .decrypt_padded::<NoPadding>(&mut buffer)
            .map_err(|_| DecryptError::Length)?;
        let message_end = HEADER_LENGTH + self.message_length(&buffer)?;
        buffer.truncate(message_end);
        buffer.drain(..HEADER_LENGTH);
        Ok(buffer)
    }

    /// Checks everything around the message in a decrypted buffer and returns its length.
    fn message_length(&self, padded: &[u8]) -> Result<usize, DecryptError> {
        let plain = without_padding(padded)?;
        let (header, body) = plain
            .split_at_checked(HEADER_LENGTH)
            .ok_or(DecryptError::Truncated)?;
        let (_, length) = header
            .split_last_chunk::<4>()
            .ok_or(DecryptError::Truncated)?;
        let length =
            usize::try_from(u32::from_be_bytes(*length)).map_err(|_| DecryptError::Truncated)?;
        let app_id = body.get(length..).ok_or(DecryptError::Truncated)?;
        if app_id != self.app_id.as_bytes() {
            return Err(DecryptError::AppIdMismatch);
        }
        Ok(length)
    }
}

impl fmt::Debug for MessageCrypto {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MessageCrypto")
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

fn without_padding(padded: &[u8]) -> Result<&[u8], DecryptError> {
    let padding_byte = *padded.last().ok_or(DecryptError::Padding)?;
    let padding = usize::from(padding_byte);
    if !(1..=PADDING_BLOCK).contains(&padding) {
        return Err(DecryptError::Padding);
    }
    let (plain, tail) = padded
        .split_at_checked(padded.len().wrapping_sub(padding))
        .ok_or(DecryptError::Padding)?;
    if tail.iter().any(|byte| *byte != padding_byte) {
        return Err(DecryptError::Padding);
    }
    Ok(plain)
}
