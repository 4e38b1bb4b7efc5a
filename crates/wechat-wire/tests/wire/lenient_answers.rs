//! Answers whose members are of other types than documented, broken, or there twice: what is
//! unambiguous is taken, and what isn't costs nothing else.

use secrecy::ExposeSecret as _;
use wechat_wire::api::{AccessTokenGranted, DecodeError, Problem, QrCodeCreated, UserInfo, decode};
use wechat_wire::diagnostics::{AddressList, CallbackCheck, QuotaAnswer};
use wechat_wire::web_authorization::{WebAccessGranted, WebUserInfo};

fn life(expires_in: &str) -> Option<u64> {
    let body = format!(r#"{{"access_token":"t",{expires_in}"errmsg":"ok"}}"#);
    let granted: AccessTokenGranted = decode(body.as_bytes()).unwrap();
    granted.expires_in
}

#[test]
fn a_time_span_is_taken_in_every_form_that_says_how_long() {
    for written in [
        "7200",
        "7200.0",
        "7200.9",
        "7.2e3",
        r#""7200""#,
        r#"" 7200 ""#,
        "\"\u{3000}7200\u{a0}\"",
        r#""7200.0""#,
        r#""+7200""#,
    ] {
        let member = format!(r#""expires_in":{written},"#);
        assert_eq!(life(&member), Some(7200), "{written}");
        let body = format!(r#"{{"ticket":"t","url":"u","expire_seconds":{written}}}"#);
        let created: QrCodeCreated = decode(body.as_bytes()).unwrap();
        assert_eq!(created.expire_seconds, Some(7200), "{written}");
    }
    for written in [
        "0", "-1", "-7200", "0.5", "null", "{}", "[7200]", "\"\"", "\"soon\"", "\"NaN\"", "1e999",
        "7200x", "NaN", "",
    ] {
        let member = format!(r#""expires_in":{written},"#);
        assert_eq!(life(&member), None, "{written}");
    }
    assert_eq!(life(""), None);
    let huge = life(r#""expires_in":99999999999999999999999,"#);
    assert_eq!(huge, Some(i64::MAX.unsigned_abs()));
}

#[test]
fn an_error_code_is_taken_in_every_form_and_nothing_else_is_one() {
    for written in [
        "40001",
        "40001.0",
        r#""40001""#,
        r#"" 40001 ""#,
        r#""40001.0""#,
        r#"0,"errcode":40001"#,
        r#"40001,"errcode":0"#,
    ] {
        let body = format!(r#"{{"errcode":{written},"errmsg":"no","access_token":"t"}}"#);
        match decode::<AccessTokenGranted>(body.as_bytes()) {
            Err(DecodeError::Api(error)) => {
                assert_eq!((error.errcode, error.errmsg.as_str()), (40001, "no"));
            }
            other => panic!("{written}: {other:?}"),
        }
    }
    for written in ["0", "0.0", r#""0""#, r#"" 0 ""#, "null", r#""""#, "false"] {
        let body = format!(r#"{{"errcode":{written},"access_token":"t"}}"#);
        assert!(
            decode::<AccessTokenGranted>(body.as_bytes()).is_ok(),
            "{written}"
        );
    }
}

#[test]
fn whether_somebody_follows_is_taken_in_every_form_and_never_guessed() {
    for (written, follows) in [
        ("1", Some(true)),
        ("true", Some(true)),
        (r#""1""#, Some(true)),
        (r#""true""#, Some(true)),
        ("1.0", Some(true)),
        ("0", Some(false)),
        ("false", Some(false)),
        (r#"" 0 ""#, Some(false)),
        ("null", None),
        ("2", None),
        ("{}", None),
        (r#""yes""#, None),
    ] {
        let body = format!(r#"{{"subscribe":{written},"openid":"o","unionid":"u"}}"#);
        let person: UserInfo = decode(body.as_bytes()).unwrap();
        assert_eq!(person.is_subscribed(), follows, "{written}");
        assert_eq!(person.union_id(), Some("u"), "{written}");
    }
}

/// Values that no reader of JSON texts takes, or that aren't one.
const UNREADABLE: [&str; 9] = [
    "null",
    "{}",
    "[1,[2,\"}\"]]",
    "true",
    "1e999",
    "NaN",
    "'x'",
    "",
    "\"a\" b",
];

#[test]
fn an_unreadable_member_costs_no_other() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let values = UNREADABLE.iter().copied().chain([deep.as_str()]);
    for value in values {
        for name in [
            "nickname",
            "headimgurl",
            "sex",
            "city",
            "privilege",
            "openid",
        ] {
            let member = |this: &str, good: &str| {
                let value = if this == name { value } else { good };
                format!(r#""{this}":{value}"#)
            };
            let body = format!(
                "{{{},{},{},{},{},{},\"unionid\":\"u\"}}",
                member("openid", "\"o\""),
                member("nickname", "\"n\""),
                member("sex", "1"),
                member("city", "\"c\""),
                member("headimgurl", "\"h\""),
                member("privilege", "[]"),
            );
            let told = |text: &'static str, this: &str| (this != name).then_some(text);
            let person: WebUserInfo = decode(body.as_bytes()).unwrap();
            assert_eq!(person.union_id(), Some("u"), "{body}");
            assert_eq!(person.nickname(), told("n", "nickname"), "{body}");
            assert_eq!(person.head_image_url(), told("h", "headimgurl"), "{body}");
            assert_eq!(person.city(), told("c", "city"), "{body}");
            let person: UserInfo = decode(body.as_bytes()).unwrap();
            assert_eq!(person.union_id(), Some("u"), "{body}");
            assert_eq!(person.nickname(), told("n", "nickname"), "{body}");
        }
    }
}

#[test]
fn broken_texts_are_kept_as_far_as_they_can_be_read() {
    for (written, read) in [
        (&br"\ud83d"[..], "\u{fffd}"),
        (br"\ude00", "\u{fffd}"),
        (br"a\ud83db", "a\u{fffd}b"),
        (br"\ud83d\u0041", "\u{fffd}A"),
        (br"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (br"\ud83d\ude00", "\u{1f600}"),
        (br"\\ud83d", "\\ud83d"),
        (br"\ud8", "\u{fffd}d8"),
        (br"\u00g1", "\u{fffd}00g1"),
        (br"it\'s", "it's"),
        ("\\林".as_bytes(), "林"),
        (b"\xed\xa0\xbd", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xff", "\u{fffd}"),
        (b"a\x07\x00\nb", "ab"),
        (br#"a\"}b"#, "a\"}b"),
    ] {
        let body = [
            br#"{"openid":"o","nickname":""#,
            written,
            br#"","unionid":"u"}"#,
        ]
        .concat();
        let person: WebUserInfo = decode(&body).unwrap();
        assert_eq!(person.nickname(), Some(read));
        assert_eq!(person.union_id(), Some("u"));
    }
}

#[test]
fn of_members_with_one_name_the_last_that_can_be_read_counts() {
    let body = br#"{"openid":"o","nickname":"a","nickname":"b","unionid":"u","unionid":null,"openid":"o"}"#;
    let person: UserInfo = decode(body).unwrap();
    assert_eq!(person.nickname(), Some("b"));
    assert_eq!(person.union_id(), Some("u"));
    assert_eq!(person.openid, "o");
}

#[test]
fn byte_order_marks_and_stray_commas_are_nothing() {
    for body in [
        "\u{feff}{\"access_token\":\"t\"}",
        "\u{feff}\u{feff} {\"access_token\":\"t\"}",
        " \u{feff}{\"access_token\":\"t\",}\u{feff}\r\n",
    ] {
        let granted: AccessTokenGranted = decode(body.as_bytes()).unwrap();
        assert_eq!(granted.access_token.expose_secret(), "t");
    }
}

#[test]
fn an_answer_of_web_authorisation_needs_the_openid_alone() {
    for body in [
        r#"{"openid":"o","unionid":"u"}"#,
        r#"{"access_token":7,"expires_in":"7200","openid":"o","scope":null,"unionid":"u"}"#,
        r#"{"access_token":null,"refresh_token":{},"openid":"o","unionid":"u","is_snapshotuser":null}"#,
        r#"{"access_token":"t","expires_in":{},"refresh_token":null,"openid":"o","unionid":"u"}"#,
    ] {
        let granted: WebAccessGranted = decode(body.as_bytes()).unwrap();
        assert_eq!(granted.openid, "o");
        assert_eq!(granted.union_id(), Some("u"));
        assert!(!granted.is_snapshot());
    }
    for snapshot in ["1", r#""1""#, "true", "1.0"] {
        let body = format!(r#"{{"openid":"o","is_snapshotuser":{snapshot}}}"#);
        let granted: WebAccessGranted = decode(body.as_bytes()).unwrap();
        assert!(granted.is_snapshot(), "{snapshot}");
    }
    for body in [
        "{}",
        r#"{"access_token":"t","openid":null}"#,
        r#"{"access_token":"t","openid":""}"#,
        r#"{"access_token":"t","openid":{}}"#,
    ] {
        let unusable = decode::<WebAccessGranted>(body.as_bytes()).unwrap_err();
        assert!(matches!(
            unusable,
            DecodeError::Malformed {
                problem: Problem::UnexpectedMembers,
                ..
            }
        ));
    }
}

#[test]
fn a_code_needs_its_ticket_and_its_content() {
    for body in [
        r#"{"ticket":"t"}"#,
        r#"{"ticket":"t","url":""}"#,
        r#"{"ticket":null,"url":"u"}"#,
        r#"{"ticket":"t","url":{}}"#,
    ] {
        assert!(decode::<QrCodeCreated>(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn what_is_no_entry_of_a_list_is_left_out() {
    let list: AddressList =
        decode(br#"{"ip_list":["101.226.0.0/16",7,null,{"ip":"1.2.3.4"},"240e::1"]}"#).unwrap();
    assert_eq!(list.networks().len(), 2);
    assert!(decode::<AddressList>(br#"{"ip_list":"101.226.0.0/16"}"#).is_err());
    let check: CallbackCheck = decode(br#"{"dns":[7,{"ip":"1.2.3.4"}],"ping":"none"}"#).unwrap();
    assert_eq!(check.dns.map(|entries| entries.len()), Some(1));
    assert_eq!(check.ping, None);
    let quota: QuotaAnswer =
        decode(br#"{"quota":{"daily_limit":"1000","used":1.0,"remain":null}}"#).unwrap();
    assert_eq!((quota.quota.daily_limit, quota.quota.used), (1000, 1));
}
