//! A request to the callback address, as far as the gateway's door: time, signature, decryption.

use std::sync::LazyLock;

use jiff::Timestamp;
use service_kit::settings::Settings;
use wechat_gateway::{
    push::envelope::{PushQuery, PushSecurity, Refusal},
    settings,
};
use wechat_wire::{
    envelope::EncryptedPush,
    message_crypto::{EncodingAesKey, MessageCrypto},
    push::Push,
    reply::{EncryptedReply, Reply},
    signature::CallbackToken,
};

const APP_ID: &str = "wx0123456789abcdef";
const TOKEN: &str = "a1B2c3D4e5F6g7H8";
const ENCODING_AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const NOW: &str = "1700000000";
const NONCE: &str = "1234567890";

/// The account's keys, as the gateway reads them from its settings.
struct Account {
    plain: PushSecurity,
    safe: PushSecurity,
    token: CallbackToken,
    crypto: MessageCrypto,
    now: Timestamp,
}

static ACCOUNT: LazyLock<Account> = LazyLock::new(|| {
    let security = |more: &[(&str, &str)]| {
        let least = [
            ("wechat.app_id", APP_ID),
            ("wechat.app_secret", "0123456789abcdef0123456789abcdef"),
            ("wechat.token", TOKEN),
            ("internal.api_key", "0123456789abcdef0123456789abcdef"),
        ];
        let values = least.iter().chain(more);
        let values = values.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let values = Settings::check("GATEWAY", &settings::KEYS, values.collect());
        PushSecurity::new(&values.expect("the settings are good")).expect("so are these")
    };
    let key = EncodingAesKey::parse(ENCODING_AES_KEY).expect("it is a key");
    let second = NOW.parse().expect("a number");
    Account {
        plain: security(&[]),
        safe: security(&[("wechat.encoding_aes_key", ENCODING_AES_KEY)]),
        token: CallbackToken::parse(TOKEN).expect("it is a token"),
        crypto: MessageCrypto::new(&key, APP_ID),
        now: Timestamp::from_second(second).expect("a time"),
    }
});

/// The body as WeChat would have sent it, in both modes, is opened exactly if it is a push; the same
/// without WeChat's signature never is.
pub fn check(body: &[u8]) {
    let account = &*ACCOUNT;
    check_forged(account, body);

    let expected = Push::parse(body).ok();
    let query = PushQuery {
        signature: account.token.sign(NOW, NONCE).to_string(),
        timestamp: NOW.to_owned(),
        nonce: NONCE.to_owned(),
        ..PushQuery::default()
    };
    check_opened(account, &account.plain, &query, body, expected.as_ref());
    assert!(is_forbidden(&account.safe, &query, body, account.now));

    let encrypt = account.crypto.encrypt([7; 16], body);
    let query = PushQuery {
        msg_signature: account
            .token
            .sign_encrypted(NOW, NONCE, &encrypt)
            .to_string(),
        encrypt_type: "aes".to_owned(),
        ..query
    };
    let envelope = EncryptedPush {
        to_user_name: String::new(),
        encrypt,
    };
    let body = envelope.to_safe_xml();
    check_opened(
        account,
        &account.safe,
        &query,
        body.as_bytes(),
        expected.as_ref(),
    );
}

fn check_opened(
    account: &Account,
    security: &PushSecurity,
    query: &PushQuery,
    body: &[u8],
    expected: Option<&Push>,
) {
    match security.open(query, body, account.now) {
        Ok(opened) => {
            assert_eq!(Some(&opened.push), expected);
            let sealed = security.seal(&opened, "已登录", 1_700_000_000, [7; 16]);
            let clear = match EncryptedReply::parse(sealed.as_bytes()) {
                Ok(reply) => reply.open(&account.crypto, &account.token),
                Err(_) => Ok(sealed.into_bytes()),
            };
            let reply = Reply::parse(&clear.expect("our own reply opens")).expect("it is a reply");
            assert_eq!(reply.to_user_name, opened.push.from_user_name);
            assert_eq!(reply.from_user_name, opened.push.to_user_name);
        }
        Err(Refusal::Malformed(_)) => assert_eq!(None, expected),
        Err(Refusal::Forbidden(reason)) => panic!("{reason}"),
    }
}

/// The lines before an empty one are a query; what follows is the body. Nobody can sign without the
/// token, so whatever they are, nothing is opened.
fn check_forged(account: &Account, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (query, body) = text.split_once("\n\n").unwrap_or(("", &text));
    let mut lines = query.lines().map(str::to_owned);
    let mut next = || lines.next().unwrap_or_default();
    let mut query = PushQuery {
        signature: next(),
        timestamp: next(),
        nonce: next(),
        echostr: next(),
        encrypt_type: next(),
        msg_signature: next(),
    };
    for timestamp in [None, Some(NOW)] {
        if let Some(timestamp) = timestamp {
            timestamp.clone_into(&mut query.timestamp);
        }
        for security in [&account.plain, &account.safe] {
            let opened = security.open(&query, body.as_bytes(), account.now);
            assert!(opened.is_err(), "a forged push was opened");
        }
    }
}

fn is_forbidden(security: &PushSecurity, query: &PushQuery, body: &[u8], now: Timestamp) -> bool {
    matches!(security.open(query, body, now), Err(Refusal::Forbidden(_)))
}
