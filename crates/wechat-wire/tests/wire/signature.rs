//! Signatures against the official documentation, recorded traffic and SDK tests.

use proptest::prelude::*;
use wechat_wire::signature::{CallbackToken, InvalidCallbackToken, sorted_sha1};

/// Source, token, timestamp, nonce, signature. "Recorded" is traffic of November and December
/// 2022, whose nonces sort before, after and (the short one) numerically against the timestamp.
#[rustfmt::skip]
const KNOWN_ANSWERS: [(&str, &str, &str, &str, &str); 15] = [
    ("documentation, GET", "AAAAA", "1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
    ("documentation, plain POST", "AAAAA", "1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
    ("documentation, safe POST", "AAAAA", "1714112445", "415670741", "6c5c811b55cc85e0e1b54100749188c20beb3f5d"),
    ("recorded GET", "GreedIsGood", "1668869433", "977789310", "37cc4891f809493628677ae2b592e63c938c0b03"),
    ("recorded subscribe", "GreedIsGood", "1668926536", "794508645", "26abcc1499ae64fa330536e83b559e1c99844e2c"),
    ("recorded subscribe with code", "GreedIsGood", "1670592443", "1078156260", "eef9a7798349ab9473dc8ea661ccabc3ed47778d"),
    ("recorded SCAN", "GreedIsGood", "1670591703", "366928050", "7e160ffc904ecbfcdc2d00070e74f6ea85c62793"),
    ("recorded unsubscribe", "GreedIsGood", "1668927673", "417761816", "e3de61cbaaecd89a0b26f22df754a3d6331ebe69"),
    ("recorded LOCATION", "GreedIsGood", "1670159648", "545741743", "a351f6202d29bc890ad53615c0e6d3f2b5fd71e2"),
    ("recorded CLICK", "GreedIsGood", "1670337905", "1498394205", "39a7f0a21a39531789bdfdc78e37cf2ea347b769"),
    ("recorded VIEW", "GreedIsGood", "1670332263", "1314998574", "1093f79841b7385ed202febc6e27263101a5cea9"),
    ("recorded location message, short nonce", "GreedIsGood", "1668931050", "27055319", "028af8cc0a7309d5253b4878deb244e32b5a223d"),
    ("own, token sorts first", "0tok", "1700000000", "99", "f5d01f43312a692c0c06cdd130a218445c882402"),
    ("own, token sorts first", "1", "1700000000", "99", "69895ad2400fd1453780c6c2a0a371ce589686c1"),
    ("own, upper-case token", "Zed", "1700000000", "99", "eb33dc1aacb283f72ef8683523ccac9980255d4e"),
];

#[test]
fn signatures_are_the_known_ones() {
    for (source, token, timestamp, nonce, expected) in KNOWN_ANSWERS {
        let signature = CallbackToken::parse(token).unwrap().sign(timestamp, nonce);
        assert_eq!(signature.as_str(), expected, "{source}");
        assert!(signature.matches(expected), "{source}");
    }
}

#[test]
fn sorted_sha1_agrees_with_sdk_tests() {
    // silenceper/wechat
    assert_eq!(
        sorted_sha1(["c", "a", "b"]).as_str(),
        "a9993e364706816aba3e25717850c26c9cd0d89d"
    );
    // `SHA1Test` of binarywang/WxJava
    assert_eq!(
        sorted_sha1(["345", "123"]).as_str(),
        "9f537aeb751ec72605f57f94a2f6dc3e3958e1dd"
    );
}

#[test]
fn only_the_exact_signature_matches() {
    let signature = CallbackToken::parse("AAAAA")
        .unwrap()
        .sign("1714036504", "1514711492");
    let right = signature.to_string();
    for wrong in [
        String::new(),
        right.to_uppercase(),
        right[..39].to_owned(),
        format!("{right}0"),
        format!(" {right}"),
        right.replacen('f', "e", 1),
        "签".repeat(40),
    ] {
        assert!(!signature.matches(&wrong), "{wrong:?}");
    }
}

#[test]
fn a_token_is_neither_empty_nor_shown() {
    assert_eq!(CallbackToken::parse("").unwrap_err(), InvalidCallbackToken);
    let token = CallbackToken::parse("GreedIsGood").unwrap();
    assert!(!format!("{token:?}").contains("Greed"));
}

proptest! {
    #[test]
    fn the_order_of_the_parts_is_irrelevant(parts in any::<[String; 4]>()) {
        let [a, b, c, d] = &parts;
        let expected = sorted_sha1([a, b, c, d]);
        prop_assert!(expected.matches(sorted_sha1([d, b, a, c]).as_str()));
        prop_assert!(expected.matches(sorted_sha1([c, d, b, a]).as_str()));
    }

    #[test]
    fn changing_any_part_changes_the_signature(
        timestamp in "[0-9]{10}",
        nonce in "[0-9]{4,10}",
        encrypt in "[A-Za-z0-9+/]{32,64}",
        position in any::<prop::sample::Index>(),
    ) {
        let token = CallbackToken::parse("GreedIsGood").unwrap();
        let signature = token.sign_encrypted(&timestamp, &nonce, &encrypt);
        let mut changed = encrypt.into_bytes();
        let position = position.index(changed.len());
        changed[position] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        let other = token.sign_encrypted(&timestamp, &nonce, &changed);
        prop_assert!(!signature.matches(other.as_str()));
    }
}
