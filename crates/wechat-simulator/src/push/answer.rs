//! What WeChat makes of the answer to a push.

use wechat_wire::message_crypto::MessageCrypto;
use wechat_wire::push::Push;
use wechat_wire::reply::{EncryptedReply, Reply};
use wechat_wire::signature::CallbackToken;

use crate::account::Credentials;
use crate::setup::PushMode;

/// The meaning of an answer that arrived in time with status 200.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Empty or `success`: the chat shows nothing.
    Silent,
    /// The chat shows this text.
    Reply(String),
    /// The chat shows the fault notice; the text says why, for the developer.
    Fault(String),
}

/// Judges the answer's body as WeChat would in this mode.
pub(super) fn judge(
    credentials: &Credentials,
    mode: PushMode,
    push: &Push,
    body: &[u8],
) -> Verdict {
    if body.is_empty() || body == b"success" {
        return Verdict::Silent;
    }
    match readable_reply(credentials, mode, body).and_then(|reply| text_of(&reply, push)) {
        Ok(text) => Verdict::Reply(text),
        Err(reason) => Verdict::Fault(reason),
    }
}

fn readable_reply(credentials: &Credentials, mode: PushMode, body: &[u8]) -> Result<Reply, String> {
    let sealed = EncryptedReply::parse(body);
    match (mode, &credentials.crypto, sealed) {
        (PushMode::Safe | PushMode::Compatible, Some(crypto), Ok(sealed)) => {
            opened(&credentials.token, crypto, &sealed)
        }
        (PushMode::Safe, _, Err(error)) => Err(format!(
            "safe mode needs an encrypted reply, and this is none: {error}"
        )),
        _ => Reply::parse(body).map_err(|error| format!("not a reply: {error}")),
    }
}

fn opened(
    token: &CallbackToken,
    crypto: &MessageCrypto,
    sealed: &EncryptedReply,
) -> Result<Reply, String> {
    let clear = sealed
        .open(crypto, token)
        .map_err(|error| error.to_string())?;
    Reply::parse(&clear).map_err(|error| format!("not a reply inside the encryption: {error}"))
}

fn text_of(reply: &Reply, push: &Push) -> Result<String, String> {
    if reply.to_user_name != push.from_user_name {
        return Err("ToUserName is not the person's openid".to_owned());
    }
    if reply.from_user_name != push.to_user_name {
        return Err("FromUserName is not the account's original id".to_owned());
    }
    match (reply.msg_type.as_str(), reply.content.as_deref()) {
        ("text", None | Some("")) => Err("a text reply without Content".to_owned()),
        ("text", Some(content)) => Ok(content.to_owned()),
        ("image", _) => Ok("[图片]".to_owned()),
        ("voice", _) => Ok("[语音]".to_owned()),
        ("video", _) => Ok("[视频]".to_owned()),
        ("music", _) => Ok("[音乐]".to_owned()),
        ("news", _) => Ok("[图文消息]".to_owned()),
        ("transfer_customer_service", _) => Ok("[转接人工客服]".to_owned()),
        (other, _) => Err(format!("unknown MsgType {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use wechat_wire::message_crypto::EncodingAesKey;
    use wechat_wire::push::PushBody;
    use wechat_wire::reply::TextReply;

    use super::*;

    const REPLY: TextReply<'_> = TextReply {
        to_user_name: "oSim",
        from_user_name: "gh_1",
        create_time: 1,
        content: "你好",
    };

    fn credentials() -> Credentials {
        let key = "h7ZycbpEh2vNdfkYulfw9pG95HjLYwmrKBFeqIktff6";
        let parsed = EncodingAesKey::parse(key).unwrap();
        Credentials {
            app_id: "wxabb8e5e80f591861".to_owned(),
            app_secret: SecretString::from("secret"),
            token_text: SecretString::from("GreedIsGood"),
            token: CallbackToken::parse("GreedIsGood").unwrap(),
            encoding_aes_key: Some(SecretString::from(key)),
            crypto: Some(MessageCrypto::new(&parsed, "wxabb8e5e80f591861")),
        }
    }

    fn verdict(mode: PushMode, body: &str) -> Verdict {
        let push = Push {
            to_user_name: "gh_1".to_owned(),
            from_user_name: "oSim".to_owned(),
            create_time: 1,
            body: PushBody::Unsubscribe,
        };
        judge(&credentials(), mode, &push, body.as_bytes())
    }

    fn sealed(token: &str) -> String {
        let credentials = credentials();
        let token = CallbackToken::parse(token).unwrap();
        let crypto = credentials.crypto.as_ref().unwrap();
        EncryptedReply::seal(crypto, &token, [7; 16], 1, "2", &REPLY.to_xml()).to_xml()
    }

    #[test]
    fn nothing_and_success_are_silent_and_almost_success_is_not() {
        assert_eq!(verdict(PushMode::Safe, ""), Verdict::Silent);
        assert_eq!(verdict(PushMode::Plain, "success"), Verdict::Silent);
        assert!(matches!(
            verdict(PushMode::Plain, "\"success\""),
            Verdict::Fault(_)
        ));
    }

    #[test]
    fn safe_mode_takes_encrypted_replies_only() {
        let expected = Verdict::Reply("你好".to_owned());
        assert_eq!(verdict(PushMode::Safe, &sealed("GreedIsGood")), expected);
        assert!(matches!(
            verdict(PushMode::Safe, &REPLY.to_xml()),
            Verdict::Fault(_)
        ));
        assert!(matches!(
            verdict(PushMode::Safe, &sealed("other")),
            Verdict::Fault(_)
        ));
        assert_eq!(verdict(PushMode::Compatible, &REPLY.to_xml()), expected);
        assert_eq!(
            verdict(PushMode::Compatible, &sealed("GreedIsGood")),
            expected
        );
        assert!(matches!(
            verdict(PushMode::Plain, &sealed("GreedIsGood")),
            Verdict::Fault(_)
        ));
    }

    #[test]
    fn a_reply_from_the_wrong_sender_is_a_fault() {
        let wrong = TextReply {
            from_user_name: "wxabb8e5e80f591861",
            ..REPLY
        };
        assert!(matches!(
            verdict(PushMode::Plain, &wrong.to_xml()),
            Verdict::Fault(_)
        ));
        let empty = TextReply {
            content: "",
            ..REPLY
        };
        assert!(matches!(
            verdict(PushMode::Plain, &empty.to_xml()),
            Verdict::Fault(_)
        ));
    }
}
