//! What the readers allocate: a small multiple of what they read, whatever that is. The counting
//! allocator serves this whole program, which is why these tests are one of their own.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests unwrap, but not the functions beside them"
)]

use std::fmt::Write as _;

use allocation_counter::measure;
use proptest::prelude::*;
use wechat_wire::api::{Acknowledged, UserInfo, decode};
use wechat_wire::diagnostics::AddressList;
use wechat_wire::envelope::EncryptedPush;
use wechat_wire::message_crypto::{EncodingAesKey, MessageCrypto};
use wechat_wire::push::Push;
use wechat_wire::reply::{EncryptedReply, Reply};

/// Long enough to tell a multiple from a constant: four times what the gateway accepts.
const LONG: usize = 1 << 18;

/// Bytes that may be allocated beside the multiple.
const ALLOWANCE: u64 = 4096;

/// For each byte of an XML document: all bytes that a reader allocates from beginning to end, and
/// the most that it holds at one time. Names of open elements and texts in pieces are copied, and
/// grow by doubling; everything else is borrowed.
const XML: [u64; 2] = [3, 2];

/// The same for the API's JSON, where a list of empty texts costs 24 bytes for every three of its own,
/// and grows by doubling.
const JSON: [u64; 2] = [96, 50];

/// The same for a ciphertext in base64, which is decrypted in place.
const CIPHERTEXT: [u64; 2] = [1, 1];

fn assert_bounded(what: &str, length: usize, limits: [u64; 2], read: impl FnOnce()) {
    let taken = measure(read);
    let length = u64::try_from(length).unwrap();
    let [total, peak] = limits.map(|factor| factor * length + ALLOWANCE);
    assert!(
        taken.bytes_total <= total && taken.bytes_max <= peak,
        "{what}: {} bytes in all and {} at once for {length}",
        taken.bytes_total,
        taken.bytes_max,
    );
}

fn assert_xml_is_bounded(what: &str, document: &[u8]) {
    let length = document.len();
    assert_bounded(what, length, XML, || drop(Push::parse(document)));
    assert_bounded(what, length, XML, || drop(EncryptedPush::parse(document)));
    assert_bounded(what, length, XML, || drop(Reply::parse(document)));
    assert_bounded(what, length, XML, || drop(EncryptedReply::parse(document)));
}

/// A push, an envelope and a reply in one, with this content.
fn with_content(content: &str) -> String {
    format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1</CreateTime>\
         <MsgType>text</MsgType><Encrypt>x</Encrypt><MsgSignature>x</MsgSignature>\
         <TimeStamp>1</TimeStamp><Nonce>1</Nonce><Content>{content}</Content></xml>"
    )
}

/// This piece over and over, about as often as fits.
fn flood(piece: &str) -> String {
    piece.repeat(LONG / piece.len())
}

fn attributes(count: usize) -> String {
    let mut attributes = String::new();
    for number in 0..count {
        write!(attributes, " a{number}='v'").unwrap();
    }
    attributes
}

fn entity_bomb() -> String {
    let mut levels = String::new();
    for level in 1..=30 {
        let references = format!("&a{};", level - 1).repeat(1000);
        write!(levels, "<!ENTITY a{level} \"{references}\">").unwrap();
    }
    format!(
        "<!DOCTYPE xml [<!ENTITY a0 \"aaaaaaaaaa\">{levels}]><xml><ToUserName>&a30;</ToUserName></xml>"
    )
}

#[test]
fn hostile_xml_takes_a_small_multiple_of_its_length() {
    let long = "a".repeat(LONG);
    for (what, document) in [
        ("one long text", with_content(&flood("a"))),
        (
            "one long CDATA",
            with_content(&format!("<![CDATA[{long}]]>")),
        ),
        ("a flood of CDATA", with_content(&flood("<![CDATA[a]]>"))),
        (
            "a flood of empty CDATA",
            with_content(&flood("<![CDATA[]]>")),
        ),
        ("a flood of references", with_content(&flood("&lt;"))),
        (
            "a flood of characters by number",
            with_content(&flood("&#1;")),
        ),
        (
            "large characters by number",
            with_content(&flood("&#x10FFFF;")),
        ),
        ("text between comments", with_content(&flood("a<!---->"))),
        ("a flood of instructions", with_content(&flood("<?a?>"))),
        ("a flood of elements", with_content(&flood("<a/>"))),
        ("a flood of white space", with_content(&flood(" "))),
        ("a flood of line breaks", with_content(&flood("\r\n"))),
        ("nested", "<xml>".to_owned() + &"<a>".repeat(LONG / 3)),
        ("one long name", format!("<xml><{long}></{long}></xml>")),
        ("long names inside each other", {
            let name = "b".repeat(LONG / 32);
            format!("<xml>{}", format!("<{name}>").repeat(15))
        }),
        ("a name without an end", format!("<xml><{long}")),
        ("one long attribute", format!("<xml><a b='{long}'/></xml>")),
        (
            "100 000 attributes",
            format!("<xml><a{}/></xml>", attributes(100_000)),
        ),
        (
            "attributes of the root",
            format!("<xml{}></xml>", attributes(100_000)),
        ),
        ("an entity bomb", entity_bomb()),
        (
            "a long document type",
            format!("<!DOCTYPE {long}><xml></xml>"),
        ),
        (
            "a document type without an end",
            format!("<!DOCTYPE {}", "[".repeat(LONG)),
        ),
        ("one long comment", format!("<!-- {long} --><xml></xml>")),
        ("only opening brackets", "<".repeat(LONG)),
        ("only ampersands", format!("<xml>{}", "&".repeat(LONG))),
        ("a reference without an end", format!("<xml>&{long}")),
        ("only NUL", "\0".repeat(LONG)),
    ] {
        assert_xml_is_bounded(what, document.as_bytes());
    }
    assert_xml_is_bounded("no UTF-8", &vec![0xff; LONG]);
}

#[test]
fn a_ciphertext_is_decrypted_in_no_more_memory_than_it_has() {
    let key = EncodingAesKey::parse(&"A".repeat(43)).unwrap();
    let crypto = MessageCrypto::new(&key, "wx1");
    let genuine = crypto.encrypt([7; 16], &vec![b'a'; LONG]);
    for text in [genuine, "A".repeat(LONG), "*".repeat(LONG)] {
        assert_bounded("a ciphertext", text.len(), CIPHERTEXT, || {
            drop(crypto.decrypt(&text));
        });
    }
}

#[test]
fn hostile_json_takes_a_bounded_multiple_of_its_length() {
    for (what, body) in [
        (
            "a list",
            format!("{{\"subscribe\":[{}]}}", flood("0,") + "0"),
        ),
        (
            "lists in a list",
            format!("{{\"subscribe\":[{}]}}", flood("[],") + "[]"),
        ),
        (
            "texts",
            format!("{{\"city\":[{}]}}", flood("\"\",") + "\"\""),
        ),
        ("objects", format!("{{\"city\":[{}]}}", flood("{},") + "{}")),
        (
            "members",
            format!("{{\"city\":{{{}}}}}", flood("\"a\":0,") + "\"b\":0"),
        ),
        (
            "unknown members",
            format!("{{{}}}", flood("\"a\":0,") + "\"b\":0"),
        ),
        (
            "texts that are kept",
            format!("{{\"ip_list\":[{}]}}", flood("\"\",") + "\"\""),
        ),
        ("escapes", format!("{{\"nickname\":\"{}\"}}", flood("\\n"))),
        (
            "control characters",
            format!("{{\"nickname\":\"{}\"}}", flood("\n")),
        ),
        ("nesting", "{\"a\":".repeat(LONG / 5)),
    ] {
        let body = body.as_bytes();
        assert_bounded(what, body.len(), JSON, || drop(decode::<UserInfo>(body)));
        assert_bounded(what, body.len(), JSON, || {
            drop(decode::<Acknowledged>(body));
        });
        assert_bounded(what, body.len(), JSON, || {
            drop(decode::<AddressList>(body));
        });
    }
    let broken = vec![0xff; LONG];
    assert_bounded("no UTF-8", LONG, JSON, || {
        drop(decode::<UserInfo>(&broken));
    });
}

proptest! {
    #[test]
    fn no_document_takes_more(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "<xml>", "</xml>", "<Content>", "</Content>", "<Encrypt>", "</Encrypt>", "<a b='", "'>", "<a/>",
            "<![CDATA[", "]]>", "&lt;", "&#65;", "&x;", "<!--", "-->", "<?", "?>", "<!DOCTYPE x [", "]>",
            "信", "a", " ", "\n", "<", ">",
        ]),
        0..400,
    )) {
        let document = format!("<xml><Content>{}</Content></xml>", pieces.concat());
        assert_xml_is_bounded("pieces", document.as_bytes());
        assert_xml_is_bounded("pieces", pieces.concat().as_bytes());
    }
}
