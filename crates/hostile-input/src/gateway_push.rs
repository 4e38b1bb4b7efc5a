//! A request to the callback URL, as far as the gateway's door: time, signature, decryption.

use std::sync::LazyLock;

use jiff::Timestamp;
use login_protocol::identity::OpenId;
use service_kit::settings::parse;
use wechat_gateway::{
    push::{
        envelope::{Opened, PushQuery, PushSecurity},
        usable::Unusable,
    },
    settings::{GatewaySettings, PREFIX},
};
use wechat_wire::{
    envelope::EncryptedPush,
    message_crypto::{EncodingAesKey, MessageCrypto},
    push::Push,
    reply::{EncryptedReply, Reply},
    signature::CallbackToken,
    signed_push::{Delivery, SignedPush},
    xml::XmlError,
};

const APP_ID: &str = "wx0123456789abcdef";
const TOKEN: &str = "a1B2c3D4e5F6g7H8";
const ENCODING_AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const NOW: i64 = 1_700_000_000;
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
        let variables = least.iter().chain(more).map(|(key, value)| {
            let variable = format!("{PREFIX}__{}", key.replace('.', "__"));
            (variable.into(), (*value).into())
        });
        let settings = parse::<GatewaySettings>(PREFIX, "", variables).expect("they are good");
        let account = settings.accounts.default.expect("its credentials are set");
        PushSecurity::new(&account.credentials)
    };
    let key = EncodingAesKey::parse(ENCODING_AES_KEY).expect("it is a key");
    Account {
        plain: security(&[]),
        safe: security(&[("wechat.encoding_aes_key", ENCODING_AES_KEY)]),
        token: CallbackToken::parse(TOKEN).expect("it is a token"),
        crypto: MessageCrypto::new(&key, APP_ID),
        now: Timestamp::from_second(NOW).expect("a time"),
    }
});

/// The body as WeChat would have sent it, in every mode, is acted on exactly if it is a push of
/// somebody with an openid about something that happened just now, and whatever else it is, it is
/// taken for WeChat's; the same without WeChat's signature never is.
pub fn check(body: &[u8]) {
    let account = &*ACCOUNT;
    check_forged(account, body);

    let push = Push::parse(body);
    // The clock stands where the body says, if that is a time that a request can have.
    let now = push.as_ref().map_or(NOW, |push| push.create_time);
    let now = if (1_000_000_000..=9_999_999_999).contains(&now) {
        now
    } else {
        NOW
    };
    let expected = expected(push, now);
    for (offset, expected) in [
        (0, expected.as_ref().map_err(|unusable| *unusable)),
        (
            301,
            expected
                .as_ref()
                .map_err(|unusable| *unusable)
                .and(Err(Unusable::Stale)),
        ),
    ] {
        check_at(account, now + offset, body, expected);
    }
}

/// What is made of a push that arrives at this second.
fn expected(push: Result<Push, XmlError>, now: i64) -> Result<Push, Unusable> {
    let push = push?;
    if OpenId::parse(&push.from_user_name).is_err() {
        return Err(Unusable::Sender);
    }
    if push.create_time.abs_diff(now) > 300 {
        return Err(Unusable::Stale);
    }
    Ok(push)
}

fn check_at(account: &Account, now: i64, body: &[u8], expected: Result<&Push, Unusable>) {
    let Ok(at) = Timestamp::from_second(now) else {
        return;
    };
    let timestamp = now.to_string();
    if timestamp.len() != 10 {
        return;
    }
    let delivery = Delivery {
        timestamp,
        nonce: NONCE.to_owned(),
        random: [7; 16],
    };
    let token = &account.token;
    let plain = SignedPush::plain(body, "", token, &delivery);
    check_opened(account, &account.plain, &plain, at, expected);
    assert!(is_refused(&account.safe, &plain, at));

    let encrypt = account.crypto.encrypt(delivery.random, body);
    // In compatible mode the clear fields stand beside it, and can't spoil it.
    let clear = body.strip_suffix(b"</xml>").unwrap_or(body);
    let beside = format!("<Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>\n");
    let beside = [clear, beside.as_bytes()].concat();
    let envelope = EncryptedPush {
        to_user_name: String::new(),
        encrypt,
    };
    let encrypted = |body| SignedPush::encrypted(&envelope.encrypt, body, "", token, &delivery);
    let safe = encrypted(envelope.to_safe_xml().into_bytes());
    check_opened(account, &account.safe, &safe, at, expected);
    if EncryptedPush::parse(&beside).is_err() {
        let compatible = encrypted(beside);
        check_opened(account, &account.safe, &compatible, at, expected);
    }
}

/// The parameters as the gateway's route reads them.
fn query(signed: &SignedPush) -> PushQuery {
    let parameter = |name| signed.parameter(name).to_owned();
    PushQuery {
        signature: parameter("signature"),
        timestamp: parameter("timestamp"),
        nonce: parameter("nonce"),
        echostr: parameter("echostr"),
        encrypt_type: parameter("encrypt_type"),
        msg_signature: parameter("msg_signature"),
    }
}

fn check_opened(
    account: &Account,
    security: &PushSecurity,
    signed: &SignedPush,
    now: Timestamp,
    expected: Result<&Push, Unusable>,
) {
    match security.open(&query(signed), &signed.body, now) {
        Ok(Opened::Push(opened)) => {
            assert_eq!(Ok(&opened.push.push), expected);
            let sealed = security.seal(&opened, "已登录", 1_700_000_000);
            let sealed = sealed.expect("the system gives random bytes");
            let clear = match EncryptedReply::parse(sealed.as_bytes()) {
                Ok(reply) => reply.open(&account.crypto, &account.token),
                Err(_) => Ok(sealed.into_bytes()),
            };
            let reply = Reply::parse(&clear.expect("our own reply opens")).expect("it is a reply");
            assert_eq!(reply.to_user_name, opened.push.push.from_user_name);
            assert_eq!(reply.from_user_name, opened.push.push.to_user_name);
        }
        Ok(Opened::Unusable(reason)) => assert_eq!(expected, Err(reason)),
        Err(refusal) => panic!("{refusal}"),
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
            query.timestamp = timestamp.to_string();
        }
        for security in [&account.plain, &account.safe] {
            let opened = security.open(&query, body.as_bytes(), account.now);
            assert!(opened.is_err(), "a forged push was opened");
        }
    }
}

fn is_refused(security: &PushSecurity, signed: &SignedPush, now: Timestamp) -> bool {
    security.open(&query(signed), &signed.body, now).is_err()
}
