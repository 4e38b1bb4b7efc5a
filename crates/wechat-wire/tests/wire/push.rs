//! Pushes as recorded traffic and the documentation have them, and the scenes they carry.

use wechat_wire::push::{Push, PushBody};

use crate::known_answers::{KAT_3, KAT_6, KAT_7, KAT_8, KAT_9, KAT_10};

/// Traffic of 2022: 278 bytes, as its Content-Length said.
const RECORDED_SUBSCRIBE: &str = "<xml><ToUserName><![CDATA[gh_de0f036ce08f]]></ToUserName>\n\
    <FromUserName><![CDATA[ooUo26seZPcU3qKfcMiXLneG3fO4]]></FromUserName>\n\
    <CreateTime>1668926536</CreateTime>\n\
    <MsgType><![CDATA[event]]></MsgType>\n\
    <Event><![CDATA[subscribe]]></Event>\n\
    <EventKey><![CDATA[]]></EventKey>\n\
    </xml>";

const TICKET: &str = "gQGP8DwAAAAAAAAAAS5odHRwOi8vd2VpeGluLnFxLmNvbS9xLzAybUdKYm9weGFjU0cxeFJVajF6MU0AAgSFN5NjAwTwAAAA";

fn from_recorded_person(body: PushBody) -> Push {
    Push {
        to_user_name: "gh_de0f036ce08f".to_owned(),
        from_user_name: "ooUo26seZPcU3qKfcMiXLneG3fO4".to_owned(),
        create_time: 1_668_926_536,
        body,
    }
}

/// An event of the given name with further elements, in one line.
fn event(name: &str, further: &str) -> Push {
    let document = format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName>\
         <CreateTime>1</CreateTime><MsgType>event</MsgType><Event>{name}</Event>{further}</xml>"
    );
    Push::parse(document.as_bytes()).unwrap()
}

fn parsed(document: &str) -> Push {
    Push::parse(document.as_bytes()).unwrap()
}

#[test]
fn a_recorded_subscription_is_278_bytes() {
    let push = from_recorded_person(PushBody::subscribe_without_code());
    assert_eq!(push.to_xml(), RECORDED_SUBSCRIBE);
    assert_eq!(RECORDED_SUBSCRIBE.len(), 278);
    assert_eq!(parsed(RECORDED_SUBSCRIBE), push);
    assert_eq!(push.scene(), None);
}

#[test]
fn an_unsubscription_of_the_recorded_form_is_280_bytes() {
    let push = from_recorded_person(PushBody::Unsubscribe);
    let expected = RECORDED_SUBSCRIBE.replace("subscribe", "unsubscribe");
    assert_eq!(push.to_xml(), expected);
    assert_eq!(expected.len(), 280);
    assert_eq!(parsed(&expected), push);
}

/// The recording's length and layout; its names and its 17 digits of `MsgId` are stand-ins.
#[test]
fn a_text_message_of_the_recorded_form_is_283_bytes() {
    let push = from_recorded_person(PushBody::Message {
        msg_type: "text".to_owned(),
        msg_id: Some("23891863338186416".to_owned()),
        content: Some("文本消息".to_owned()),
    });
    let expected = "<xml><ToUserName><![CDATA[gh_de0f036ce08f]]></ToUserName>\n\
        <FromUserName><![CDATA[ooUo26seZPcU3qKfcMiXLneG3fO4]]></FromUserName>\n\
        <CreateTime>1668926536</CreateTime>\n\
        <MsgType><![CDATA[text]]></MsgType>\n\
        <Content><![CDATA[文本消息]]></Content>\n\
        <MsgId>23891863338186416</MsgId>\n\
        </xml>";
    assert_eq!(push.to_xml(), expected);
    assert_eq!(expected.len(), 283);
    assert_eq!(parsed(expected), push);
}

#[test]
fn decrypted_pushes_are_written_as_they_were_read() {
    for known in [&KAT_7, &KAT_8, &KAT_9, &KAT_10] {
        assert_eq!(
            parsed(known.message).to_xml(),
            known.message,
            "{}",
            known.name
        );
    }
}

#[test]
fn decrypted_pushes_with_unknown_elements_are_understood() {
    let debug = parsed(KAT_3.message);
    assert_eq!(
        debug.body,
        PushBody::OtherEvent {
            event: "debug_demo".to_owned(),
            event_key: None,
        }
    );
    // An unknown first element, everything in one line.
    let text = parsed(KAT_6.message);
    assert_eq!(text.from_user_name, "asdasdasdsadasd");
    assert_eq!(text.create_time, 1_234_567_898);
    assert_eq!(
        text.body,
        PushBody::Message {
            msg_type: "text".to_owned(),
            msg_id: Some("12345".to_owned()),
            content: Some("hello".to_owned()),
        }
    );
}

#[test]
fn a_bracket_before_the_end_of_cdata_is_content() {
    let PushBody::Message { content, .. } = parsed(KAT_8.message).body else {
        panic!("a text message");
    };
    assert_eq!(content.as_deref(), Some("文本tdsa[Lol]§"));
}

#[test]
fn a_scan_carries_its_scene_without_a_prefix() {
    let push = parsed(KAT_9.message);
    assert_eq!(push.scene(), Some("login_7f3a"));
    assert!(matches!(
        push.body,
        PushBody::Scan {
            ticket: Some(_),
            ..
        }
    ));

    let push = event("SCAN", "<EventKey>qrscene_x</EventKey>");
    assert_eq!(push.scene(), Some("qrscene_x"), "not a prefix in a scan");
}

#[test]
fn a_subscription_carries_its_scene_after_the_prefix() {
    assert_eq!(parsed(KAT_10.message).scene(), Some("login_7f3a"));

    let recorded = format!("<EventKey>qrscene_110</EventKey><Ticket>{TICKET}</Ticket>");
    let push = event("subscribe", &recorded);
    assert_eq!(push.body, PushBody::subscribe_with_code("110", TICKET));
    assert_eq!(push.scene(), Some("110"));

    for scene in ["a_b_c", "_", "qrscene_", "qrscene_qrscene_1", "4294967295"] {
        let push = event(
            "subscribe",
            &format!("<EventKey>qrscene_{scene}</EventKey>"),
        );
        assert_eq!(push.scene(), Some(scene));
    }
}

#[test]
fn only_the_prefix_makes_a_subscription_carry_a_scene() {
    for key in [
        "",
        "qrscene_",
        "110",
        "login_7f3a",
        "last_trade_no_4200000000202011220000000000",
        "scanbarcode|EAN_13,6901234567892",
        "scanimage|qrscene_1",
        "QRSCENE_110",
        "_qrscene_110",
    ] {
        let push = event(
            "subscribe",
            &format!("<EventKey><![CDATA[{key}]]></EventKey>"),
        );
        assert_eq!(push.scene(), None, "{key}");
    }
    assert_eq!(event("SCAN", "<EventKey></EventKey>").scene(), None);
    assert_eq!(event("SCAN", "<EventKey/>").scene(), None);
}

#[test]
fn an_absent_event_key_differs_from_an_empty_one() {
    let absent = event("subscribe", "");
    assert_eq!(
        absent.body,
        PushBody::Subscribe {
            event_key: None,
            ticket: None,
        }
    );
    assert_eq!(absent.scene(), None);
    assert!(!absent.to_xml().contains("EventKey"));

    let empty = event("subscribe", "<EventKey/>");
    assert_eq!(empty.body, PushBody::subscribe_without_code());
    assert!(empty.to_xml().contains("<EventKey><![CDATA[]]></EventKey>"));
    assert_eq!(event("SCAN", "").scene(), None);
}

#[test]
fn an_unsubscription_has_no_scene_whatever_its_key() {
    for key in ["", "last_trade_no_42", "qrscene_110"] {
        let push = event("unsubscribe", &format!("<EventKey>{key}</EventKey>"));
        assert_eq!(push.body, PushBody::Unsubscribe);
        assert_eq!(push.scene(), None);
    }
}

#[test]
fn other_events_and_messages_have_no_scene() {
    assert_eq!(
        event("CLICK", "<EventKey>qrscene_1</EventKey>").scene(),
        None
    );
    let message = parsed(
        &KAT_8
            .message
            .replace("<MsgId>", "<EventKey>1</EventKey>\n<MsgId>"),
    );
    assert_eq!(message.scene(), None);
}

#[test]
fn the_case_of_names_is_irrelevant() {
    let key = "<EventKey>qrscene_1</EventKey>";
    for name in ["subscribe", "SUBSCRIBE", "Subscribe"] {
        assert_eq!(event(name, key).scene(), Some("1"));
    }
    for name in ["SCAN", "scan", "Scan"] {
        assert_eq!(event(name, "<EventKey>1</EventKey>").scene(), Some("1"));
    }
    for name in ["unsubscribe", "UNSUBSCRIBE"] {
        assert_eq!(event(name, "").body, PushBody::Unsubscribe);
    }
    let upper = parsed(&KAT_9.message.replace("[event]", "[EVENT]"));
    assert_eq!(upper, parsed(KAT_9.message));
}

#[test]
fn layout_and_order_are_irrelevant() {
    let expected = parsed(KAT_9.message);
    let one_line = KAT_9.message.replace('\n', "");
    let windows = KAT_9.message.replace('\n', "\r\n\t ");
    let spaced = KAT_9
        .message
        .replace("<![CDATA[", "\n  <![CDATA[")
        .replace("]]>", "]]>\n  ")
        .replace("1700000000", " 1700000000\n");
    let bare = one_line.replace("<![CDATA[", "").replace("]]>", "");
    let declared = format!("\u{feff}<?xml version=\"1.0\"?>\n<!-- x -->{one_line}\n\n");
    let mut lines: Vec<&str> = KAT_9.message["<xml>".len()..].lines().collect();
    lines.pop();
    lines.reverse();
    let reversed = format!("<xml>{}</xml>", lines.concat());
    for document in [one_line, windows, spaced, bare, declared, reversed] {
        assert_eq!(parsed(&document), expected, "{document}");
    }
}

#[test]
fn white_space_inside_cdata_is_content() {
    let document = KAT_8.message.replace("文本tdsa[Lol]§", " \n文本 ");
    let PushBody::Message { content, .. } = parsed(&document).body else {
        panic!("a text message");
    };
    assert_eq!(content.as_deref(), Some(" \n文本 "));
}

#[test]
fn cdata_sections_references_and_text_join() {
    let document = KAT_8.message.replace(
        "<![CDATA[文本tdsa[Lol]§]]>",
        " a <![CDATA[<b>]]>&lt;&#x6587;&#26412;<!-- no --> c&amp; ",
    );
    let PushBody::Message { content, .. } = parsed(&document).body else {
        panic!("a text message");
    };
    assert_eq!(content.as_deref(), Some("a <b><文本 c&"));
}

#[test]
fn nested_elements_are_ignored_even_when_named_like_known_ones() {
    let push = event(
        "pic_weixin",
        "<EventKey>6</EventKey><SendPicsInfo><Count>1</Count><PicList><item>\
         <PicMd5Sum>5a75aaca</PicMd5Sum><EventKey>qrscene_9</EventKey><Event>SCAN</Event>\
         </item></PicList><Event>SCAN</Event></SendPicsInfo>",
    );
    assert_eq!(
        push.body,
        PushBody::OtherEvent {
            event: "pic_weixin".to_owned(),
            event_key: Some("6".to_owned()),
        }
    );
    let push = event("SCAN", "<EventKey>1<Event>x</Event></EventKey><a b='c'/>");
    assert_eq!(push.scene(), Some("1"));
}

#[test]
fn both_spellings_of_the_message_id_are_read() {
    for spelling in ["MsgId", "MsgID"] {
        let document = KAT_8.message.replace("MsgId", spelling);
        assert_eq!(parsed(&document), parsed(KAT_8.message));
    }
    let job = event(
        "TEMPLATESENDJOBFINISH",
        "<MsgID>200</MsgID><Status>success</Status>",
    );
    assert!(matches!(
        job.body,
        PushBody::OtherEvent {
            event_key: None,
            ..
        }
    ));
}
