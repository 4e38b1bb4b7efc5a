//! Safe mode: what somebody who doesn't know the key sends, and what would come out if they did.

use aes::Aes256Enc;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::Encryptor;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::NoPadding};
use wechat_wire::message_crypto::{EncodingAesKey, MessageCrypto};

use crate::push;

/// 43 times `A` is a key of zeros.
const ENCODED_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const APP_ID: &str = "wx1";
const HEADER: usize = 20;
const PADDING_BLOCK: usize = 32;

/// What the first byte of a structured plaintext asks for.
const STATE_LENGTH: u8 = 1;
const APPEND_APP_ID: u8 = 2;
const PAD: u8 = 4;

fn crypto() -> MessageCrypto {
    let key = EncodingAesKey::parse(ENCODED_KEY).expect("it is a key");
    MessageCrypto::new(&key, APP_ID)
}

/// Takes the bytes for the text of an `<Encrypt>` element.
///
/// What comes out is shorter than what went in, and encrypting it leads back to it.
pub fn check_ciphertext(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let crypto = crypto();
    if let Ok(message) = crypto.decrypt(text) {
        assert!(message.len() + HEADER < text.len(), "a message has grown");
        let again = crypto.encrypt([7; 16], &message);
        assert_eq!(crypto.decrypt(&again).as_ref(), Ok(&message));
        push::check(&message);
    }
}

/// Takes the bytes for what the decryption finds, so that everything behind the cipher is reached.
///
/// The first byte says which parts of the scheme are put right: the stated length, the `AppID`, the
/// padding. What comes out is what a second reading of the scheme, written for this, says.
pub fn check_plaintext(bytes: &[u8]) {
    let Some((&shape, content)) = bytes.split_first() else {
        return;
    };
    let plain = shaped(shape, content);
    let expected = message_in(&plain);
    let mut buffer = plain.clone();
    Encryptor::<Aes256Enc>::new(&[0; 32].into(), &[0; 16].into())
        .encrypt_padded::<NoPadding>(&mut buffer, plain.len())
        .expect("the plaintext is a whole number of blocks");
    let encrypt = STANDARD.encode(buffer);
    let decrypted = crypto().decrypt(&encrypt);
    assert_eq!(decrypted.as_deref().ok(), expected);
    if let Ok(message) = decrypted {
        push::check(&message);
    }
}

/// A plaintext of whole blocks.
fn shaped(shape: u8, content: &[u8]) -> Vec<u8> {
    let mut plain = content.to_vec();
    if shape & STATE_LENGTH != 0 {
        let length = u32::try_from(content.len()).expect("a fuzzer's input is short");
        plain = [&[7; 16][..], &length.to_be_bytes(), content].concat();
    }
    if shape & APPEND_APP_ID != 0 {
        plain.extend_from_slice(APP_ID.as_bytes());
    }
    if shape & PAD != 0 {
        let padding = PADDING_BLOCK - plain.len() % PADDING_BLOCK;
        let byte = u8::try_from(padding).expect("padding is 1 to 32");
        plain.resize(plain.len() + padding, byte);
    }
    plain.truncate(plain.len() / PADDING_BLOCK * PADDING_BLOCK);
    plain
}

/// The message in a padded plaintext, found from its end, where the product looks from its start.
fn message_in(padded: &[u8]) -> Option<&[u8]> {
    let padding = usize::from(*padded.last()?);
    let is_padding = (1..=PADDING_BLOCK).contains(&padding)
        && padded
            .iter()
            .rev()
            .take(padding)
            .all(|byte| usize::from(*byte) == padding);
    if !is_padding {
        return None;
    }
    let body = padded[..padded.len() - padding].strip_suffix(APP_ID.as_bytes())?;
    let message = body.get(HEADER..)?;
    let stated: [u8; 4] = body[16..HEADER].try_into().ok()?;
    (usize::try_from(u32::from_be_bytes(stated)) == Ok(message.len())).then_some(message)
}
