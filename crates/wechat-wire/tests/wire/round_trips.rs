//! What one side writes, the other reads; and no input makes a reader panic.

use proptest::prelude::*;
use wechat_wire::api::{UserInfo, decode};
use wechat_wire::envelope::{EncryptedPush, compatible_xml};
use wechat_wire::push::{Push, PushBody};
use wechat_wire::reply::{EncryptedReply, Reply, TextReply};

/// Any text but U+0000, which no XML can hold; ends of CDATA and markup are frequent.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<char>().prop_filter("NUL", |c| *c != '\0').prop_map(String::from),
        1 => Just("]]>".to_owned()),
        1 => Just("]]".to_owned()),
        1 => Just("<![CDATA[".to_owned()),
        1 => Just("</xml>".to_owned()),
        1 => Just("&lt;".to_owned()),
        1 => Just(" \r\n\t".to_owned()),
        1 => Just("qrscene_".to_owned()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn some_text() -> impl Strategy<Value = String> {
    text().prop_filter("empty", |text| !text.is_empty())
}

fn body() -> impl Strategy<Value = PushBody> {
    let key = || prop::option::of(text());
    let other_event = some_text().prop_filter("known event", |event| {
        !["subscribe", "unsubscribe", "scan"]
            .iter()
            .any(|known| event.eq_ignore_ascii_case(known))
    });
    let msg_type = some_text().prop_filter("event", |kind| !kind.eq_ignore_ascii_case("event"));
    let msg_id = prop_oneof!["[0-9]{1,19}", text()];
    prop_oneof![
        (key(), key()).prop_map(|(event_key, ticket)| PushBody::Subscribe { event_key, ticket }),
        (key(), key()).prop_map(|(event_key, ticket)| PushBody::Scan { event_key, ticket }),
        Just(PushBody::Unsubscribe),
        (other_event, key())
            .prop_map(|(event, event_key)| PushBody::OtherEvent { event, event_key }),
        (msg_type, prop::option::of(msg_id), key()).prop_map(|(msg_type, msg_id, content)| {
            PushBody::Message {
                msg_type,
                msg_id,
                content,
            }
        }),
    ]
}

fn push() -> impl Strategy<Value = Push> {
    (some_text(), some_text(), any::<i64>(), body()).prop_map(
        |(to_user_name, from_user_name, create_time, body)| Push {
            to_user_name,
            from_user_name,
            create_time,
            body,
        },
    )
}

/// Documents that resemble pushes more than random bytes do.
fn nearly_xml() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<xml>",
        "</xml>",
        "<Event>",
        "</Event>",
        "<Event/>",
        "<a b='",
        "'>",
        "<![CDATA[",
        "]]>",
        "&lt;",
        "&x;",
        "&#1;",
        "&",
        "<!--",
        "-->",
        "<?xml?>",
        "<?",
        "?>",
        "<!DOCTYPE x>",
        "<!",
        "MsgType",
        "event",
        "1",
        " ",
        "\n",
        "\0",
        "信",
        "<",
        ">",
        "</",
        "/>",
        "\u{feff}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_written_push_is_read_as_it_was(push in push()) {
        prop_assert_eq!(Push::parse(push.to_xml().as_bytes()), Ok(push));
    }

    #[test]
    fn a_compatible_body_holds_push_and_ciphertext(push in push(), encrypt in "[A-Za-z0-9+/=]{4,80}") {
        let document = compatible_xml(&push, &encrypt);
        let envelope = EncryptedPush::parse(document.as_bytes()).unwrap();
        prop_assert_eq!(envelope.encrypt, encrypt);
        prop_assert_eq!(envelope.to_user_name, push.to_user_name.as_str());
        prop_assert_eq!(Push::parse(document.as_bytes()), Ok(push));
    }

    #[test]
    fn a_safe_envelope_is_read_as_it_was(to_user_name in text(), encrypt in some_text()) {
        let envelope = EncryptedPush { to_user_name, encrypt };
        prop_assert_eq!(EncryptedPush::parse(envelope.to_safe_xml().as_bytes()), Ok(envelope));
    }

    #[test]
    fn a_text_reply_is_read_as_it_was(
        to in some_text(),
        from in some_text(),
        create_time in any::<i64>(),
        content in text(),
    ) {
        let reply = TextReply { to_user_name: &to, from_user_name: &from, create_time, content: &content };
        let read = Reply::parse(reply.to_xml().as_bytes()).unwrap();
        prop_assert_eq!(read.to_user_name, to);
        prop_assert_eq!(read.from_user_name, from);
        prop_assert_eq!(read.create_time, create_time);
        prop_assert_eq!(read.msg_type, "text");
        prop_assert_eq!(read.content, Some(content));
    }

    #[test]
    fn an_encrypted_reply_is_read_as_it_was(
        encrypt in some_text(),
        msg_signature in some_text(),
        timestamp in any::<i64>(),
        nonce in some_text(),
    ) {
        let reply = EncryptedReply { encrypt, msg_signature, timestamp, nonce };
        prop_assert_eq!(EncryptedReply::parse(reply.to_xml().as_bytes()), Ok(reply));
    }

    #[test]
    fn a_scene_survives_both_kinds_of_scan(scene in "[A-Za-z0-9_-]{1,64}", ticket in "gQ[A-Za-z0-9_-]{94}") {
        for body in [PushBody::scan(&scene, &ticket), PushBody::subscribe_with_code(&scene, &ticket)] {
            let push = Push {
                to_user_name: "gh_de0f036ce08f".to_owned(),
                from_user_name: "ooUo26seZPcU3qKfcMiXLneG3fO4".to_owned(),
                create_time: 1_668_926_536,
                body,
            };
            let read = Push::parse(push.to_xml().as_bytes()).unwrap();
            prop_assert_eq!(read.scene(), Some(scene.as_str()));
        }
    }

    #[test]
    fn nothing_makes_an_xml_reader_panic(document in nearly_xml()) {
        let _ = Push::parse(document.as_bytes());
        let wrapped = format!("<xml>{document}</xml>");
        let _ = Push::parse(wrapped.as_bytes());
        let _ = EncryptedPush::parse(wrapped.as_bytes());
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Push::parse(&bytes);
        let _ = decode::<UserInfo>(&bytes);
    }

    #[test]
    fn a_name_with_any_bytes_is_read(name in prop::collection::vec(any::<u8>(), 0..40)) {
        let harmless = |byte: &u8| !matches!(byte, b'"' | b'\\');
        let name: Vec<u8> = name.into_iter().filter(harmless).collect();
        let body = [br#"{"subscribe":1,"openid":"o1","nickname":""#, &name[..], br#""}"#].concat();
        let person = decode::<UserInfo>(&body);
        prop_assert!(person.is_ok_and(|person| person.is_subscribed() == Some(true)));
    }
}
