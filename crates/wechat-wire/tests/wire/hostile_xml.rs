//! Documents that must be refused, quickly and without a panic.

use std::fmt::Write as _;

use wechat_wire::envelope::EncryptedPush;
use wechat_wire::push::Push;
use wechat_wire::reply::{EncryptedReply, Reply};
use wechat_wire::xml::XmlError;

use crate::known_answers::KAT_9;

fn refusal(document: &str) -> XmlError {
    Push::parse(document.as_bytes()).unwrap_err()
}

/// A complete scan with `further` as its last elements.
fn scan_with(further: &str) -> String {
    KAT_9.message.replace("</xml>", &format!("{further}</xml>"))
}

fn malformed(error: XmlError) -> bool {
    matches!(error, XmlError::Malformed { .. })
}

#[test]
fn document_types_are_refused() {
    for declaration in [
        "<!DOCTYPE xml>",
        "<!DOCTYPE xml SYSTEM \"http://127.0.0.1/x.dtd\">",
        "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>",
        "<!doctype xml>",
    ] {
        let document = format!("{declaration}{}", KAT_9.message);
        assert_eq!(refusal(&document), XmlError::DocumentType, "{declaration}");
    }
    assert_eq!(
        refusal(&scan_with("<a><!DOCTYPE a></a>")),
        XmlError::DocumentType
    );
}

#[test]
fn entities_that_nobody_declared_are_refused() {
    for reference in ["&x;", "&nbsp;", "&lol9;", "&LT;"] {
        let document = scan_with(&format!("<Label>{reference}</Label>"));
        assert_eq!(refusal(&document), XmlError::UnknownEntity, "{reference}");
    }
    for reference in [
        "&#xD800;",
        "&#x110000;",
        "&#;",
        "&#x;",
        "&#-1;",
        "&#99999999999;",
    ] {
        let document = scan_with(&format!("<Label>{reference}</Label>"));
        assert!(Push::parse(document.as_bytes()).is_err(), "{reference}");
    }
    assert!(malformed(refusal(&scan_with("<Label>a & b</Label>"))));
}

#[test]
fn nul_is_refused() {
    assert_eq!(
        refusal(&KAT_9.message.replace("7f3a", "7f\0a")),
        XmlError::Nul
    );
    assert_eq!(refusal(&scan_with("<a>&#0;</a>")), XmlError::Nul);
    assert_eq!(refusal(&scan_with("<a>&#x0000;</a>")), XmlError::Nul);
    assert_eq!(refusal("\0"), XmlError::Nul);
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let mut document = KAT_9.message.as_bytes().to_vec();
    let position = KAT_9.message.find("7f3a").unwrap();
    for bytes in [[0xff, 0xfe], [0xc3, 0x28], [0xed, 0xa0], [0xd6, 0xd0]] {
        document[position..position + 2].copy_from_slice(&bytes);
        assert_eq!(Push::parse(&document), Err(XmlError::NotUtf8));
    }
    let utf16: Vec<u8> = KAT_9
        .message
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(Push::parse(&utf16).is_err());
}

#[test]
fn deep_nesting_is_refused_at_a_fixed_depth() {
    let nested = |depth: usize| scan_with(&("<a>".repeat(depth) + &"</a>".repeat(depth)));
    assert!(Push::parse(nested(15).as_bytes()).is_ok());
    assert_eq!(refusal(&nested(16)), XmlError::TooDeep);
    assert_eq!(refusal(&nested(100_000)), XmlError::TooDeep);
    assert_eq!(refusal(&"<xml>".repeat(100_000)), XmlError::TooDeep);
}

#[test]
fn many_unknown_elements_and_attributes_are_only_skipped() {
    let document = scan_with(&"<a b='1' b='2'/>".repeat(10_000));
    assert_eq!(
        Push::parse(document.as_bytes()).unwrap().scene(),
        Some("login_7f3a")
    );
    let mut attributes = String::new();
    for number in 0..10_000 {
        write!(attributes, " a{number}=''").unwrap();
    }
    let document = scan_with(&format!("<a{attributes}/>"));
    assert!(Push::parse(document.as_bytes()).is_ok());
}

#[test]
fn duplicates_are_refused() {
    for (element, value) in [
        ("ToUserName", "gh_2"),
        ("FromUserName", "o2"),
        ("CreateTime", "2"),
        ("MsgType", "event"),
        ("Event", "SCAN"),
        ("EventKey", "other"),
        ("EventKey", ""),
        ("Ticket", "t"),
    ] {
        let document = scan_with(&format!("<{element}>{value}</{element}>"));
        assert_eq!(refusal(&document), XmlError::Duplicate { element });
    }
    assert!(Push::parse(scan_with("<Other>1</Other><Other>2</Other>").as_bytes()).is_ok());
    assert_eq!(
        EncryptedPush::parse(b"<xml><Encrypt>a</Encrypt><Encrypt>a</Encrypt></xml>"),
        Err(XmlError::Duplicate { element: "Encrypt" })
    );
}

#[test]
fn missing_and_empty_elements_are_named() {
    for element in [
        "ToUserName",
        "FromUserName",
        "CreateTime",
        "MsgType",
        "Event",
    ] {
        let renamed = KAT_9
            .message
            .replace(&format!("<{element}>"), "<Other>")
            .replace(&format!("</{element}>"), "</Other>");
        assert_eq!(refusal(&renamed), XmlError::Missing { element });

        let start = KAT_9.message.find(&format!("<{element}>")).unwrap();
        let end = KAT_9.message.find(&format!("</{element}>")).unwrap();
        let empty = format!(
            "{}<{element}> <![CDATA[]]>{}",
            &KAT_9.message[..start],
            &KAT_9.message[end..]
        );
        assert_eq!(refusal(&empty), XmlError::Missing { element });
    }
    assert_eq!(
        refusal("<xml></xml>"),
        XmlError::Missing { element: "MsgType" }
    );
}

#[test]
fn a_time_that_is_no_integer_is_refused() {
    for time in ["now", "1.5", "0x1", "9223372036854775808", "1 2", "１"] {
        let document = KAT_9.message.replace("1700000000", time);
        let element = "CreateTime";
        assert_eq!(refusal(&document), XmlError::Integer { element }, "{time}");
    }
}

#[test]
fn what_is_not_one_xml_element_is_refused() {
    for document in [
        "",
        " \n",
        "success",
        "{\"ToUserName\":\"gh_1\"}",
        "<html><body>502 Bad Gateway</body></html>",
        "<XML></XML>",
        "<xml/><xml/>",
        "<xml></xml>trailing",
        "leading<xml></xml>",
        "<xml></xml><![CDATA[x]]>",
        "&amp;<xml/>",
        "<xml>",
        "<xml><ToUserName>",
        "<!-- only a comment -->",
        "<?xml version=\"1.0\"?>",
    ] {
        assert_eq!(refusal(document), XmlError::Root, "{document}");
    }
    for document in [
        "<xml></XML>",
        "<xml><a></b></xml>",
        "</xml>",
        "<xml><a",
        "<xml><![CDATA[",
        "<xml><!-- ",
        "<",
        "<xml><a></xml>",
    ] {
        assert!(malformed(refusal(document)), "{document}");
    }
}

#[test]
fn every_cut_of_a_document_is_refused() {
    for length in 0..KAT_9.message.len() {
        assert!(Push::parse(&KAT_9.message.as_bytes()[..length]).is_err());
    }
}

#[test]
fn errors_do_not_quote_the_document() {
    let secret = "oSecretOpenId";
    for document in [
        format!("<xml><{secret}></x></xml>"),
        format!("<xml><CreateTime>{secret}</CreateTime><MsgType>text</MsgType></xml>"),
        format!("<xml>&{secret};</xml>"),
        format!("<{secret}/>"),
    ] {
        let error = refusal(&document);
        assert!(!format!("{error} {error:?}").contains(secret));
    }
}

#[test]
fn every_reader_refuses_the_same() {
    for document in ["<!DOCTYPE xml><xml/>", "<xml>&x;</xml>", "<xml>", "", "\0"] {
        let bytes = document.as_bytes();
        let expected = refusal(document);
        assert_eq!(EncryptedPush::parse(bytes), Err(expected));
        assert_eq!(EncryptedReply::parse(bytes), Err(expected));
        assert_eq!(Reply::parse(bytes), Err(expected));
    }
}
