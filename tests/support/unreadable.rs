//! Clear bodies of pushes that nothing can be done with, though whoever sent them could sign them.

/// A body, what is odd about it, and the `outcome` under which the gateway counts it.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// What is odd about it.
    pub what: &'static str,
    /// The body, before any encryption.
    pub document: Vec<u8>,
    /// The label in `wechat_pushes_total{event="ignored"}`.
    pub outcome: &'static str,
}

/// What is odd, and the body.
type Named = (&'static str, Vec<u8>);

/// Nine levels of ten references each: 10^9 characters when expanded.
fn entity_bomb() -> String {
    let levels = (1..=9).map(|level| {
        let references = format!("&a{};", level - 1).repeat(10);
        format!("<!ENTITY a{level} \"{references}\">")
    });
    let levels: Vec<String> = levels.collect();
    format!(
        "<!DOCTYPE xml [<!ENTITY a0 \"aaaaaaaaaa\">{}]><xml><ToUserName>&a9;</ToUserName></xml>",
        levels.concat()
    )
}

/// The document without this element.
fn without(document: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let begins = document.find(&open).expect("it has the element");
    let ends = document.find(&close).expect("it ends it") + close.len();
    format!("{}{}", &document[..begins], &document[ends..])
}

/// The document with another text in this element, bare.
fn with(document: &str, element: &str, text: &str) -> String {
    let rest = without(document, element);
    rest.replacen("<xml>", &format!("<xml><{element}>{text}</{element}>"), 1)
}

/// The document with this in front of its first element.
fn beginning(document: &str, more: &str) -> String {
    document.replacen("<xml>", &format!("<xml>{more}"), 1)
}

/// The document with these bytes, in no encoding, in place of its ticket.
fn with_raw_ticket(document: &str, ticket: &[u8]) -> Vec<u8> {
    let (before, after) = document
        .split_once("a ticket")
        .expect("its ticket is `a ticket`");
    [before.as_bytes(), ticket, after.as_bytes()].concat()
}

/// What can come of `login`, a push in clear that logs somebody in and has `a ticket`: in none of
/// these may it still do so. Each is small enough to be pushed in clear and encrypted at once.
pub fn variations(login: &str, now: i64) -> Vec<Unreadable> {
    let groups = [
        ("not_utf8", other_encodings(login)),
        ("not_xml", no_xml(login, now)),
        ("missing_element", gaps(login)),
        ("duplicate_element", doubles(login, now)),
        ("not_an_integer", odd_times(login, now)),
        ("invalid_openid", odd_senders(login)),
        ("stale", other_times(login, now)),
    ];
    let each = groups.into_iter().flat_map(|(outcome, documents)| {
        let named = move |(what, document)| Unreadable {
            what,
            document,
            outcome,
        };
        documents.into_iter().map(named)
    });
    each.collect()
}

/// A text message with these elements for its content.
fn text(now: i64, content: &str) -> Vec<u8> {
    format!(
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\
         <FromUserName><![CDATA[oExample00000000000000000001]]></FromUserName>\
         <CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType>{content}<MsgId>1</MsgId></xml>"
    )
    .into()
}

fn utf16(document: &str) -> Vec<u8> {
    document.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn other_encodings(login: &str) -> Vec<Named> {
    // 你好, in GBK.
    let gbk = with_raw_ticket(login, b"\xc4\xe3\xba\xc3");
    let declared = [b"<?xml version=\"1.0\" encoding=\"GBK\"?>", &gbk[..]].concat();
    vec![
        // The first two bytes of 你 in UTF-8.
        ("half a character", with_raw_ticket(login, b"\xe4\xbd")),
        ("GBK", gbk),
        ("GBK, as it says itself", declared),
        (
            "UTF-16 with a mark",
            [b"\xff\xfe", &utf16(login)[..]].concat(),
        ),
        ("a byte of no encoding", with_raw_ticket(login, b"\xff")),
    ]
}

fn no_xml(login: &str, now: i64) -> Vec<Named> {
    let cdata_end = "<Content><![CDATA[see <a><![CDATA[x]]></a> above]]></Content>";
    let external = "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    vec![
        ("nothing", Vec::new()),
        // ASCII and NULs in turn.
        ("UTF-16", utf16(login)),
        ("blanks", b" \n".to_vec()),
        ("no XML", b"hello".to_vec()),
        ("JSON", br#"{"MsgType":"event","Event":"SCAN"}"#.to_vec()),
        ("the end of CDATA in a text", text(now, cdata_end)),
        ("cut short", login[..login.len() - 3].into()),
        ("another root", login.replace("xml>", "html>").into()),
        ("two roots", login.repeat(2).into()),
        ("a NUL", login.replace("a ticket", "\0").into()),
        ("a document type", format!("<!DOCTYPE xml>{login}").into()),
        ("an external entity", format!("{external}{login}").into()),
        ("an entity bomb", entity_bomb().into()),
        ("an unknown entity", beginning(login, "<X>&x;</X>").into()),
        (
            "an endless nesting",
            format!("<xml>{}", "<a>".repeat(8_000)).into(),
        ),
        (
            "attributes without an end",
            format!("<xml><a{}", " b=''".repeat(4_500)).into(),
        ),
    ]
}

fn gaps(login: &str) -> Vec<Named> {
    vec![
        ("an empty document", b"<xml></xml>".to_vec()),
        (
            "attributes and no push",
            format!("<xml><a{}/></xml>", " b=''".repeat(4_500)).into(),
        ),
        ("no ToUserName", without(login, "ToUserName").into()),
        ("an empty ToUserName", with(login, "ToUserName", "").into()),
        ("no FromUserName", without(login, "FromUserName").into()),
        (
            "an empty FromUserName",
            with(login, "FromUserName", "").into(),
        ),
        ("no CreateTime", without(login, "CreateTime").into()),
        ("an empty CreateTime", with(login, "CreateTime", "").into()),
        ("no MsgType", without(login, "MsgType").into()),
        ("no Event", without(login, "Event").into()),
    ]
}

fn doubles(login: &str, now: i64) -> Vec<Named> {
    let contents = "<Content><![CDATA[one]]></Content><Content><![CDATA[two]]></Content>";
    let twice = |element: &str| beginning(login, element).into();
    vec![
        ("two Contents", text(now, contents)),
        ("two senders", twice("<FromUserName>oSim</FromUserName>")),
        ("two scenes", twice("<EventKey>login_x</EventKey>")),
        ("two scenes, one of them empty", twice("<EventKey/>")),
        (
            "two times",
            twice(&format!("<CreateTime>{now}</CreateTime>")),
        ),
    ]
}

fn odd_times(login: &str, now: i64) -> Vec<Named> {
    let time = |text: &str| with(login, "CreateTime", text).into();
    vec![
        ("a time in words", time("yesterday")),
        ("a time with a fraction", time(&format!("{now}.5"))),
        ("a time beyond all integers", time("99999999999999999999")),
    ]
}

fn odd_senders(login: &str) -> Vec<Named> {
    let sender = |openid: &str| with(login, "FromUserName", openid).into();
    vec![
        ("a path for an openid", sender("o/../x")),
        ("a hash tag for an openid", sender("o{x}:y")),
        ("a blank in an openid", sender("o x")),
        ("an openid in Chinese", sender("用户")),
        ("a long openid", sender(&"o".repeat(65))),
    ]
}

fn other_times(login: &str, now: i64) -> Vec<Named> {
    let time = |second: i64| with(login, "CreateTime", &second.to_string()).into();
    vec![
        ("yesterday", time(now - 86_400)),
        ("six minutes ago", time(now - 360)),
        ("in six minutes", time(now + 360)),
        ("in a year", time(now + 31_536_000)),
        ("1970", time(0)),
        ("before 1970", time(-1)),
        ("milliseconds", time(now * 1000)),
        ("the first of all times", time(i64::MIN)),
        ("the last of all times", time(i64::MAX)),
    ]
}
