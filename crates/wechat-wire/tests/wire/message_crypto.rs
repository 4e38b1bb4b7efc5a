//! Encryption against the known answers, and everything that must be refused.

use crate::known_answers::{ALL, KAT_6, KAT_8, KAT_9, KnownAnswer};
use aes::Aes256Enc;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use cbc::Encryptor;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use proptest::prelude::*;
use wechat_wire::message_crypto::{
    DecryptError, EncodingAesKey, InvalidEncodingAesKey, MessageCrypto,
};
use wechat_wire::signature::CallbackToken;

fn crypto(known: &KnownAnswer) -> MessageCrypto {
    let key = EncodingAesKey::parse(known.encoding_aes_key).unwrap();
    MessageCrypto::new(&key, known.app_id)
}

/// Encrypts `plain` as it is, without the scheme's own header and padding.
fn encrypt_raw(plain: &[u8]) -> String {
    let mut buffer = plain.to_vec();
    Encryptor::<Aes256Enc>::new(&[0; 32].into(), &[0; 16].into())
        .encrypt_padded::<NoPadding>(&mut buffer, plain.len())
        .unwrap();
    STANDARD.encode(buffer)
}

/// Decrypts with the key of `encrypt_raw`, 43 times `A`, for the account `wx1`.
fn decrypt_raw(encrypt: &str) -> Result<Vec<u8>, DecryptError> {
    let key = EncodingAesKey::parse(&"A".repeat(43)).unwrap();
    MessageCrypto::new(&key, "wx1").decrypt(encrypt)
}

/// `random ‖ length ‖ rest`, without padding.
fn plain(length: u32, rest: &[u8]) -> Vec<u8> {
    [&[7; 16][..], &length.to_be_bytes(), rest].concat()
}

fn padded_with(mut plain: Vec<u8>, count: usize, byte: u8) -> Vec<u8> {
    plain.resize(plain.len() + count, byte);
    plain
}

#[test]
fn every_known_answer_decrypts() {
    for known in ALL {
        let message = crypto(known).decrypt(known.encrypt).unwrap();
        assert_eq!(message, known.message.as_bytes(), "{}", known.name);
    }
}

#[test]
fn every_known_answer_encrypts_to_the_same_text() {
    for known in ALL {
        let encrypt = crypto(known).encrypt(*known.random, known.message.as_bytes());
        assert_eq!(encrypt, known.encrypt, "{}", known.name);
    }
}

#[test]
fn every_known_answer_has_its_signatures() {
    for known in ALL {
        let token = CallbackToken::parse(known.token).unwrap();
        if let Some(expected) = known.signature {
            let signature = token.sign(known.timestamp, known.nonce);
            assert!(signature.matches(expected), "{}", known.name);
        }
        if let Some(expected) = known.msg_signature {
            let signature = token.sign_encrypted(known.timestamp, known.nonce, known.encrypt);
            assert!(signature.matches(expected), "{}", known.name);
        }
    }
}

#[test]
fn the_known_answers_cover_padding_from_1_to_32() {
    let mut counts = Vec::new();
    for known in ALL {
        let unpadded = 20 + known.message.len() + known.app_id.len();
        let encrypted = STANDARD.decode(known.encrypt).unwrap().len();
        assert_eq!(encrypted - unpadded, known.padding, "{}", known.name);
        counts.push(known.padding);
    }
    assert!(counts.contains(&1) && counts.contains(&32));
    assert!(counts.iter().filter(|count| **count > 16).count() >= 5);
}

#[test]
fn a_wrong_signature_does_not_match() {
    let token = CallbackToken::parse(KAT_6.token).unwrap();
    let signature = token.sign_encrypted(KAT_6.timestamp, KAT_6.nonce, KAT_6.encrypt);
    assert!(!signature.matches("4f3ad57b6989f09f4eb392acce4f9e93942ed891"));
    assert!(!signature.matches(token.sign(KAT_6.timestamp, KAT_6.nonce).as_str()));
}

#[test]
fn another_app_id_is_refused() {
    for known in ALL {
        let key = EncodingAesKey::parse(known.encoding_aes_key).unwrap();
        for other in ["wx0000000000000000", "", &known.app_id[1..]] {
            let refused = MessageCrypto::new(&key, other).decrypt(known.encrypt);
            assert_eq!(refused, Err(DecryptError::AppIdMismatch), "{}", known.name);
        }
    }
}

#[test]
fn another_key_is_refused() {
    let key = EncodingAesKey::parse(KAT_8.encoding_aes_key).unwrap();
    for known in ALL
        .iter()
        .filter(|known| known.encoding_aes_key != KAT_8.encoding_aes_key)
    {
        let refused = MessageCrypto::new(&key, known.app_id).decrypt(known.encrypt);
        assert!(refused.is_err(), "{}", known.name);
    }
}

/// CBC alone doesn't notice a change in the middle of a message; the signature does.
#[test]
fn a_changed_ciphertext_neither_matches_nor_decrypts_to_the_same() {
    let crypto = crypto(&KAT_9);
    let token = CallbackToken::parse(KAT_9.token).unwrap();
    let genuine = STANDARD.decode(KAT_9.encrypt).unwrap();
    for position in 0..genuine.len() {
        let mut changed = genuine.clone();
        changed[position] ^= 0x20;
        let encrypt = STANDARD.encode(&changed);
        let signature = token.sign_encrypted(KAT_9.timestamp, KAT_9.nonce, &encrypt);
        assert!(!signature.matches(KAT_9.msg_signature.unwrap()));
        let decrypted = crypto.decrypt(&encrypt);
        assert_ne!(decrypted, Ok(KAT_9.message.as_bytes().to_vec()));
        if position >= genuine.len() - 32 {
            assert!(decrypted.is_err(), "the end holds padding and AppID");
        }
    }
}

#[test]
fn a_shortened_ciphertext_is_refused() {
    let crypto = crypto(&KAT_9);
    let genuine = STANDARD.decode(KAT_9.encrypt).unwrap();
    for length in 0..genuine.len() {
        let refused = crypto.decrypt(&STANDARD.encode(&genuine[..length]));
        if length == 0 || length % 32 != 0 {
            assert_eq!(refused, Err(DecryptError::Length), "{length} bytes");
        } else {
            assert!(refused.is_err(), "{length} bytes");
        }
    }
}

#[test]
fn text_that_is_not_canonical_base64_is_refused() {
    let crypto = crypto(&KAT_9);
    for text in [
        "*",
        "AAAA=",
        "AAA",
        "AAB=",
        "AAAA AAAA",
        "AAAA\nAAAA",
        "_-__",
        "密文",
        KAT_9.encrypt.trim_end_matches('='),
    ] {
        assert_eq!(crypto.decrypt(text), Err(DecryptError::Base64), "{text}");
    }
    assert_eq!(crypto.decrypt(""), Err(DecryptError::Length));
}

#[test]
fn padding_is_1_to_32_bytes_that_all_state_it() {
    let complete = plain(2, b"hiwx1"); // 25 bytes, so 7 of padding
    let genuine = padded_with(complete.clone(), 7, 7);
    assert_eq!(decrypt_raw(&encrypt_raw(&genuine)), Ok(b"hi".to_vec()));

    let full_block = padded_with(plain(9, b"123456789wx1"), 32, 32);
    assert_eq!(
        decrypt_raw(&encrypt_raw(&full_block)),
        Ok(b"123456789".to_vec())
    );

    for byte in [0, 33, 64, 255] {
        let refused = decrypt_raw(&encrypt_raw(&padded_with(complete.clone(), 7, byte)));
        assert_eq!(refused, Err(DecryptError::Padding), "{byte}");
    }
    let mut uneven = genuine;
    uneven[25] = 6;
    assert_eq!(
        decrypt_raw(&encrypt_raw(&uneven)),
        Err(DecryptError::Padding)
    );
}

#[test]
fn a_plaintext_shorter_than_it_says_is_refused() {
    let truncated = Err(DecryptError::Truncated);
    for padded in [
        vec![32; 32],
        padded_with(vec![7; 19], 13, 13),
        padded_with(plain(6, b"hiwx1"), 7, 7),
        padded_with(plain(u32::MAX, b"hiwx1"), 7, 7),
    ] {
        assert_eq!(decrypt_raw(&encrypt_raw(&padded)), truncated);
    }
    // Here the length reaches into the AppID, which is then no longer there in full.
    let reaching = padded_with(plain(3, b"hiwx1"), 7, 7);
    assert_eq!(
        decrypt_raw(&encrypt_raw(&reaching)),
        Err(DecryptError::AppIdMismatch)
    );
}

#[test]
fn the_spare_bits_of_a_key_do_not_matter() {
    for known in ALL {
        let (start, last) = known.encoding_aes_key.split_at(42);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let value = alphabet.find(last).unwrap();
        for spare in 0..4 {
            let twin = &alphabet[(value & !3) + spare..][..1];
            let key = EncodingAesKey::parse(&format!("{start}{twin}")).unwrap();
            let message = MessageCrypto::new(&key, known.app_id).decrypt(known.encrypt);
            assert_eq!(message, Ok(known.message.as_bytes().to_vec()));
        }
    }
    assert!(
        STANDARD_NO_PAD.decode(KAT_8.encoding_aes_key).is_err(),
        "this real key sets its spare bits, which strict decoders refuse"
    );
}

#[test]
fn keys_of_another_form_are_refused() {
    for length in [0, 1, 42, 44, 64] {
        assert_eq!(
            EncodingAesKey::parse(&"A".repeat(length)).unwrap_err(),
            InvalidEncodingAesKey::Length(length)
        );
    }
    for foreign in ["=", "-", "_", " ", "\n", "密"] {
        let key = format!("{}{foreign}", "A".repeat(42));
        assert_eq!(
            EncodingAesKey::parse(&key).unwrap_err(),
            InvalidEncodingAesKey::Alphabet
        );
    }
}

#[test]
fn secrets_are_not_shown() {
    let key = EncodingAesKey::parse(KAT_8.encoding_aes_key).unwrap();
    let shown = format!("{key:?} {:?}", MessageCrypto::new(&key, "wx1"));
    assert_eq!(
        shown,
        r#"EncodingAesKey([REDACTED]) MessageCrypto { app_id: "wx1", .. }"#
    );
}

proptest! {
    #[test]
    fn what_was_encrypted_decrypts(
        key in "[A-Za-z0-9]{43}",
        app_id in "wx[0-9a-f]{16}",
        random in any::<[u8; 16]>(),
        message in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let key = EncodingAesKey::parse(&key).unwrap();
        let crypto = MessageCrypto::new(&key, &app_id);
        let encrypt = crypto.encrypt(random, &message);
        prop_assert_eq!(encrypt.len() % 4, 0);
        prop_assert_eq!(crypto.decrypt(&encrypt), Ok(message));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
        let _ = decrypt_raw(&STANDARD.encode(&bytes));
        let whole_blocks = &bytes[..bytes.len() / 32 * 32];
        let _ = decrypt_raw(&encrypt_raw(whole_blocks));
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = decrypt_raw(&text);
        let _ = EncodingAesKey::parse(&text);
    }
}
