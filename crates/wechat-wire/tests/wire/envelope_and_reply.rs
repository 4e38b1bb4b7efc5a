//! Envelopes and replies: layouts, byte for byte, and both directions.

use wechat_wire::envelope::{EncryptedPush, compatible_xml};
use wechat_wire::message_crypto::{DecryptError, EncodingAesKey, MessageCrypto};
use wechat_wire::push::{Push, PushBody};
use wechat_wire::reply::{EncryptedReply, OpenReplyError, Reply, TextReply};
use wechat_wire::signature::CallbackToken;
use wechat_wire::xml::XmlError;

use crate::known_answers::{KAT_8, KAT_9, KAT_11};

fn keys() -> (MessageCrypto, CallbackToken) {
    let key = EncodingAesKey::parse(KAT_11.encoding_aes_key).unwrap();
    let crypto = MessageCrypto::new(&key, KAT_11.app_id);
    (crypto, CallbackToken::parse(KAT_11.token).unwrap())
}

fn sealed() -> EncryptedReply {
    let (crypto, token) = keys();
    EncryptedReply::seal(
        &crypto,
        &token,
        *KAT_11.random,
        KAT_11.timestamp.parse().unwrap(),
        KAT_11.nonce,
        KAT_11.message,
    )
}

#[test]
fn a_recorded_safe_envelope_is_578_bytes() {
    let envelope = EncryptedPush {
        to_user_name: "gh_b4f0e22ae50e".to_owned(),
        encrypt: KAT_8.encrypt.to_owned(),
    };
    let document = envelope.to_safe_xml();
    assert_eq!(document.len(), 578);
    let expected = format!(
        "<xml>\n    <ToUserName><![CDATA[gh_b4f0e22ae50e]]></ToUserName>\n    \
         <Encrypt><![CDATA[{}]]></Encrypt>\n</xml>\n",
        KAT_8.encrypt
    );
    assert_eq!(document, expected);
    assert_eq!(EncryptedPush::parse(document.as_bytes()), Ok(envelope));
}

#[test]
fn a_compatible_body_has_all_clear_fields_before_the_ciphertext() {
    let push = Push {
        to_user_name: "gh_1".to_owned(),
        from_user_name: "o1".to_owned(),
        create_time: 1_700_000_000,
        body: PushBody::scan("login_7f3a", "gQ1"),
    };
    let document = compatible_xml(&push, "AAAA");
    let expected = "<xml>\n    \
        <ToUserName><![CDATA[gh_1]]></ToUserName>\n    \
        <FromUserName><![CDATA[o1]]></FromUserName>\n    \
        <CreateTime>1700000000</CreateTime>\n    \
        <MsgType><![CDATA[event]]></MsgType>\n    \
        <Event><![CDATA[SCAN]]></Event>\n    \
        <EventKey><![CDATA[login_7f3a]]></EventKey>\n    \
        <Ticket><![CDATA[gQ1]]></Ticket>\n    \
        <Encrypt><![CDATA[AAAA]]></Encrypt>\n</xml>\n";
    assert_eq!(document, expected);
    assert_eq!(
        EncryptedPush::parse(document.as_bytes()).unwrap().encrypt,
        "AAAA"
    );
    assert_eq!(Push::parse(document.as_bytes()), Ok(push));
}

#[test]
fn a_clear_push_is_no_envelope() {
    let missing = Err(XmlError::Missing { element: "Encrypt" });
    assert_eq!(EncryptedPush::parse(KAT_9.message.as_bytes()), missing);
    assert_eq!(EncryptedPush::parse(b"<xml><Encrypt/></xml>"), missing);
    assert_eq!(
        EncryptedPush::parse(b"<xml><a><Encrypt>AAAA</Encrypt></a></xml>"),
        missing
    );
}

#[test]
fn a_text_reply_has_the_known_layout() {
    let reply = TextReply {
        to_user_name: "oJqxQwYRyZMXFTc8sipB5TSe6Vw4",
        from_user_name: "gh_b4f0e22ae50e",
        create_time: 1_700_000_002,
        content: "登录成功",
    };
    assert_eq!(reply.to_xml(), KAT_11.message);
    assert_eq!(KAT_11.message.len(), 245);
    assert_eq!(
        Reply::parse(KAT_11.message.as_bytes()),
        Ok(Reply {
            to_user_name: reply.to_user_name.to_owned(),
            from_user_name: reply.from_user_name.to_owned(),
            create_time: reply.create_time,
            msg_type: "text".to_owned(),
            content: Some(reply.content.to_owned()),
        })
    );
}

#[test]
fn an_end_of_cdata_inside_a_reply_stays_content() {
    for content in [
        "a]]>b",
        "]]>",
        "]]>]]>",
        "]]",
        "]]]>",
        "<a href=\"x\">y</a>&amp;\n]",
    ] {
        let document = TextReply {
            to_user_name: "o1",
            from_user_name: "gh_1",
            create_time: 1,
            content,
        }
        .to_xml();
        let reply = Reply::parse(document.as_bytes()).unwrap();
        assert_eq!(reply.content.as_deref(), Some(content));
    }
    let document = TextReply {
        to_user_name: "o1",
        from_user_name: "gh_1",
        create_time: 1,
        content: "a]]>b",
    }
    .to_xml();
    assert!(document.contains("<Content><![CDATA[a]]]]><![CDATA[>b]]></Content>"));
}

#[test]
fn replies_of_other_types_are_read_without_content() {
    let document = b"<xml><ToUserName>o1</ToUserName><FromUserName>gh_1</FromUserName>\
        <CreateTime>1</CreateTime><MsgType>news</MsgType><ArticleCount>1</ArticleCount>\
        <Articles><item><Title>t</Title><Content>x</Content></item></Articles></xml>";
    let reply = Reply::parse(document).unwrap();
    assert_eq!(reply.msg_type, "news");
    assert_eq!(reply.content, None);
}

#[test]
fn a_sealed_reply_is_the_known_one() {
    let reply = sealed();
    assert_eq!(reply.encrypt, KAT_11.encrypt);
    assert_eq!(Some(reply.msg_signature.as_str()), KAT_11.msg_signature);
    let document = reply.to_xml();
    assert_eq!(
        document,
        format!(
            "<xml><Encrypt><![CDATA[{}]]></Encrypt>\
             <MsgSignature><![CDATA[c3fd19709d98f70cbcf461e9e2d36b497403d378]]></MsgSignature>\
             <TimeStamp>1700000002</TimeStamp><Nonce><![CDATA[1234567890]]></Nonce></xml>",
            KAT_11.encrypt
        )
    );
    assert_eq!(EncryptedReply::parse(document.as_bytes()), Ok(reply));
}

#[test]
fn a_sealed_reply_opens_with_the_same_keys_only() {
    let (crypto, token) = keys();
    assert_eq!(
        sealed().open(&crypto, &token),
        Ok(KAT_11.message.as_bytes().to_vec())
    );
    let other_token = CallbackToken::parse("other").unwrap();
    assert_eq!(
        sealed().open(&crypto, &other_token),
        Err(OpenReplyError::Signature)
    );
    let key = EncodingAesKey::parse(KAT_11.encoding_aes_key).unwrap();
    let other_account = MessageCrypto::new(&key, "wx0000000000000000");
    assert_eq!(
        sealed().open(&other_account, &token),
        Err(OpenReplyError::Decrypt(DecryptError::AppIdMismatch))
    );
}

#[test]
fn changing_any_element_of_a_sealed_reply_breaks_its_signature() {
    let (crypto, token) = keys();
    let encrypt = KAT_9.encrypt.to_owned();
    let msg_signature = KAT_9.msg_signature.unwrap().to_owned();
    let nonce = "1234567891".to_owned();
    for changed in [
        EncryptedReply {
            encrypt,
            ..sealed()
        },
        EncryptedReply {
            msg_signature,
            ..sealed()
        },
        EncryptedReply { nonce, ..sealed() },
        EncryptedReply {
            timestamp: 1_700_000_003,
            ..sealed()
        },
    ] {
        assert_eq!(
            changed.open(&crypto, &token),
            Err(OpenReplyError::Signature)
        );
    }
}

#[test]
fn an_encrypted_reply_needs_all_four_elements() {
    let document = sealed().to_xml();
    for element in ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"] {
        let renamed = document
            .replace(&format!("<{element}>"), "<Other>")
            .replace(&format!("</{element}>"), "</Other>");
        assert_eq!(
            EncryptedReply::parse(renamed.as_bytes()),
            Err(XmlError::Missing { element })
        );
    }
}

#[test]
fn the_ciphertext_is_found_beside_clear_fields_that_are_no_xml() {
    let genuine = KAT_8.encrypt;
    let other = "A".repeat(genuine.len());
    let clear: [&[u8]; 9] = [
        b"<xml><Content><![CDATA[<![CDATA[x]]> above]]></Content>",
        b"<xml><Content><![CDATA[\xe4\xbd]]></Content>",
        b"<xml><Content>1</Content><Content>2</Content>",
        b"hello",
        b"",
        b"<xml>]]><Encrypt>",
        b"<xml>]]><Encrypt></Encrypt>",
        b"<xml>]]></Encrypt><Encrypt><![CDATA[",
        b"<Encrypt<Encrypt",
    ];
    for clear in clear {
        for wrapped in [
            format!("<Encrypt><![CDATA[{genuine}]]></Encrypt>\n</xml>\n"),
            format!("<Encrypt>\n{genuine} </Encrypt></xml>"),
            format!("<Encrypt>{other}</Encrypt><Encrypt>{genuine}</Encrypt>"),
        ] {
            let body = [clear, wrapped.as_bytes()].concat();
            let found = EncryptedPush::signed_ciphertext(&body, |text| text == genuine);
            assert_eq!(found.as_deref(), Some(genuine), "{wrapped}");
            assert_eq!(EncryptedPush::signed_ciphertext(&body, |_| false), None);
        }
    }
}

#[test]
fn what_can_be_no_ciphertext_is_asked_of_no_signature() {
    let long = "A".repeat(60);
    for body in [
        "",
        "<Encrypt></Encrypt>",
        "<Encrypt>AAAA</Encrypt>",
        &format!("<Encrypt>{long}"),
        &format!("<Encrypt>{long}</encrypt>"),
        &format!("<Encrypt>{long} {long}</Encrypt>"),
        &format!("<Encrypt><![CDATA[{long}</Encrypt>"),
        &format!("<Encrypt><x>{long}</x></Encrypt>"),
        &format!("<ToUserName>{long}</ToUserName>"),
    ] {
        let found =
            EncryptedPush::signed_ciphertext(body.as_bytes(), |text| panic!("{body}: {text}"));
        assert_eq!(found, None);
    }
}
