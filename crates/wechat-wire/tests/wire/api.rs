//! Requests as they are written, and answers as WeChat writes them.

use secrecy::{ExposeSecret, SecretString};
use wechat_wire::api::{
    AccessTokenGranted, Acknowledged, ApiError, CreateQrCodeRequest, DecodeError, Problem,
    QrCodeCreated, StableTokenRequest, UserInfo, decode,
};
use wechat_wire::web_authorization::{WebAccessGranted, WebUserInfo};

const NOT_WHITELISTED: &str = "invalid ip 118.190.42.90 ipv6 ::ffff:118.190.42.90, not in \
    whitelist rid: 60aca0ce-5f0c5c44-0f7a2b1c";

fn api_error(body: &str) -> ApiError {
    match decode::<AccessTokenGranted>(body.as_bytes()) {
        Err(DecodeError::Api(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn problem<T: serde::de::DeserializeOwned>(body: &[u8]) -> Problem {
    match decode::<T>(body) {
        Err(DecodeError::Malformed { length, problem }) => {
            assert_eq!(length, body.len());
            problem
        }
        Err(DecodeError::Api(error)) => panic!("{error}"),
        Ok(_) => panic!("decoded"),
    }
}

#[test]
fn a_token_request_has_the_documented_members() {
    let request = StableTokenRequest::current("wx1", SecretString::from("s3cret"));
    assert_eq!(
        serde_json::to_string(&request).unwrap(),
        r#"{"grant_type":"client_credential","appid":"wx1","secret":"s3cret","force_refresh":false}"#
    );
    let forced = StableTokenRequest::forced("wx1", SecretString::from("s3cret"));
    let written = serde_json::to_string(&forced).unwrap();
    assert!(written.contains(r#""force_refresh":true"#));
    assert!(!format!("{request:?}").contains("s3cret"));

    let read: StableTokenRequest =
        serde_json::from_str(r#"{"grant_type":"client_credential","appid":"a","secret":"b"}"#)
            .unwrap();
    assert!(!read.force_refresh);
    assert_eq!(read.secret.expose_secret(), "b");
}

#[test]
fn a_granted_token_is_read_and_not_shown() {
    let granted: AccessTokenGranted =
        decode(br#"{"access_token":"43_Qm9vdA","expires_in":345}"#).unwrap();
    assert_eq!(granted.access_token.expose_secret(), "43_Qm9vdA");
    assert_eq!(granted.expires_in, Some(345));
    assert!(!format!("{granted:?}").contains("Qm9vdA"));
    assert_eq!(
        serde_json::to_string(&granted).unwrap(),
        r#"{"access_token":"43_Qm9vdA","expires_in":345}"#
    );
}

#[test]
fn a_code_request_is_the_recorded_one() {
    let request = CreateQrCodeRequest::temporary_str_scene("login_7f3a", 600);
    let written = serde_json::to_string(&request).unwrap();
    assert_eq!(
        written,
        r#"{"expire_seconds":600,"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":"login_7f3a"}}}"#
    );
    let read: CreateQrCodeRequest = serde_json::from_str(&written).unwrap();
    assert_eq!(read, request);
}

#[test]
fn a_code_request_may_lack_what_wechat_answers_with_a_code() {
    let read: CreateQrCodeRequest = serde_json::from_str("{}").unwrap();
    assert_eq!(read.action_name, "");
    assert_eq!(read.action_info.scene.scene_str, None);
    let read: CreateQrCodeRequest = serde_json::from_str(
        r#"{"action_name":"QR_SCENE","action_info":{"scene":{"scene_id":4294967295}}}"#,
    )
    .unwrap();
    assert_eq!(read.expire_seconds, None);
    assert_eq!(read.action_info.scene.scene_id, Some(4_294_967_295));
}

#[test]
fn a_created_code_is_read_with_escaped_slashes() {
    let body = br#"{"ticket":"gQH_8DwA","expire_seconds":600,"url":"http:\/\/weixin.qq.com\/q\/02i_CE54ZYc4E1kHQ9xwcQ"}"#;
    let created: QrCodeCreated = decode(body).unwrap();
    assert_eq!(created.url, "http://weixin.qq.com/q/02i_CE54ZYc4E1kHQ9xwcQ");
    assert_eq!(created.expire_seconds, Some(600));
    let permanent: QrCodeCreated = decode(br#"{"ticket":"gQ","url":"u"}"#).unwrap();
    assert_eq!(permanent.expire_seconds, None);
    assert_eq!(
        serde_json::to_string(&permanent).unwrap(),
        r#"{"ticket":"gQ","url":"u"}"#
    );
}

#[test]
fn an_error_is_found_before_anything_else() {
    let body = format!(r#"{{"errcode":40164,"errmsg":"{NOT_WHITELISTED}"}}"#);
    let error = api_error(&body);
    assert_eq!(error.errcode, 40164);
    assert_eq!(error.rid(), Some("60aca0ce-5f0c5c44-0f7a2b1c"));
    assert_eq!(serde_json::to_string(&error).unwrap(), body);

    let complete = r#"{"errcode":-1,"errmsg":"system error","access_token":"t","expires_in":7200}"#;
    assert_eq!(api_error(complete).errcode, -1);
    assert_eq!(api_error(r#"{"errcode":48001}"#).errmsg, "");
    assert_eq!(
        api_error(r#"{"errmsg":"x","errcode":"40001"}"#).errcode,
        40001
    );
    assert_eq!(api_error(r#"{"errcode":" -1 "}"#).errcode, -1);
    assert_eq!(
        api_error(r#"{"errcode":268487001,"errmsg":null}"#).errcode,
        268_487_001
    );
}

#[test]
fn an_errcode_of_zero_or_none_is_success() {
    for errcode in [
        "",
        r#""errcode":0,"errmsg":"ok","#,
        r#""errcode":"0","#,
        r#""errcode":null,"#,
    ] {
        let body = format!(r#"{{{errcode}"access_token":"t","expires_in":7200}}"#);
        assert!(
            decode::<AccessTokenGranted>(body.as_bytes()).is_ok(),
            "{body}"
        );
    }
    let ok = br#"{"errcode":0,"errmsg":"ok"}"#;
    assert_eq!(decode::<Acknowledged>(ok), Ok(Acknowledged {}));
}

#[test]
fn a_request_id_has_three_groups() {
    let rid = |errmsg: &str| {
        let errmsg = errmsg.to_owned();
        ApiError { errcode: 1, errmsg }.rid().map(str::to_owned)
    };
    let id = "60aca0ce-5f0c5c44-0f7a2b1c";
    assert_eq!(
        rid(&format!("invalid openid rid: {id}")).as_deref(),
        Some(id)
    );
    assert_eq!(rid(&format!("rid: {id}, more")).as_deref(), Some(id));
    assert_eq!(rid(&format!("rid: no rid: {id}")).as_deref(), Some(id));
    for without in [
        "",
        "ok",
        "system error hint: [kYxLtA0912]",
        "rid: ",
        "rid: 60aca0ce-5f0c5c44",
        "rid: 60aca0ce-5f0c5c44-0f7a2b1g",
        "rid: 60aca0ce5f0c5c440f7a2b1c00",
        "rid: 60aca0ce-5f0c5c4-40f7a2b1c",
        "rid: 60aca0ce-5f0c5c44-0f7a-b1c",
        "rid: 错误错误错误错误错误错误",
    ] {
        assert_eq!(rid(without), None, "{without}");
    }
}

#[test]
fn control_characters_and_broken_utf8_are_survived() {
    let body = b"\xef\xbb\xbf\r\n{\"subscribe\":1,\n\t\"openid\":\"o1\",\
        \"nickname\":\"a\x00b\x07\x14\x1fc\xff\xf0\x9f\x98\",\"city\":\"\xe5\xb9\xbf\xe5\xb7\x9e\"}\n";
    let person: UserInfo = decode(body).unwrap();
    assert_eq!(person.nickname(), Some("abc\u{fffd}\u{fffd}"));
    assert_eq!(person.city(), Some("广州"));
    let person: UserInfo =
        decode("{\"openid\":\"o1\",\"nickname\":\"🦀\\u0007\"}".as_bytes()).unwrap();
    assert_eq!(person.nickname(), Some("🦀\u{7}"), "escaped ones are legal");
}

#[test]
fn what_is_not_an_object_is_malformed() {
    for body in [&b""[..], b" \r\n", b"\xef\xbb\xbf", b"\0\0"] {
        assert_eq!(problem::<UserInfo>(body), Problem::Empty);
    }
    for body in [
        &b"<html><head><title>502 Bad Gateway</title></head></html>"[..],
        b"success",
        b"null",
        b"40001",
        br#"[40001,"invalid credential"]"#,
        br#""{}""#,
        b"{",
        br#"{"errcode":40001"#,
        br#"{"errcode":40001}{}"#,
        b"\xff\xfe{}",
    ] {
        assert_eq!(problem::<UserInfo>(body), Problem::NotAnObject);
    }
}

#[test]
fn missing_and_unusable_members_are_malformed_without_being_quoted() {
    for body in [
        &br"{}"[..],
        br#"{"expires_in":7200}"#,
        br#"{"access_token":null,"expires_in":7200}"#,
        br#"{"access_token":" ","expires_in":7200}"#,
        br#"{"access_token":["43_Qm9vdA"],"expires_in":7200}"#,
        br#"{"errcode":"43_Qm9vdA","access_token":"43_Qm9vdA","expires_in":7200}"#,
        br#"{"errcode":40001 x,"access_token":"43_Qm9vdA","expires_in":7200}"#,
        br#"{"errcode":0.5,"access_token":"43_Qm9vdA","expires_in":7200}"#,
    ] {
        assert_eq!(
            problem::<AccessTokenGranted>(body),
            Problem::UnexpectedMembers
        );
        let error = decode::<AccessTokenGranted>(body).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Qm9vdA"));
    }
}

#[test]
fn web_authorisation_tells_real_people_from_snapshots() {
    let granted: WebAccessGranted = decode(
        br#"{"access_token":"at","expires_in":7200,"refresh_token":"rt","openid":"o1","scope":"snsapi_userinfo","unionid":"u1"}"#,
    )
    .unwrap();
    assert!(!granted.is_snapshot());
    assert_eq!(granted.union_id(), Some("u1"));
    assert!(!format!("{granted:?}").contains("\"at\""));
    let snapshot: WebAccessGranted = decode(
        br#"{"access_token":"at","expires_in":7200,"refresh_token":"rt","openid":"o1","scope":"snsapi_base","is_snapshotuser":1}"#,
    )
    .unwrap();
    assert!(snapshot.is_snapshot());
    assert_eq!(snapshot.union_id(), None);
}

#[test]
fn web_authorisation_tells_nickname_and_avatar() {
    let person: WebUserInfo = decode(
        r#"{"openid":"o1","nickname":"小","sex":"0","province":"","city":"","country":"","headimgurl":"https:\/\/thirdwx.qlogo.cn\/mmopen\/x\/132","privilege":[]}"#
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(person.nickname(), Some("小"));
    assert_eq!(
        person.head_image_url(),
        Some("https://thirdwx.qlogo.cn/mmopen/x/132")
    );
    assert_eq!(person.sex, Some(0));
    assert_eq!(person.city(), None);
}

#[test]
fn an_answer_says_whether_the_person_was_asked() {
    for (scope, asked) in [
        (r#","scope":"snsapi_userinfo""#, Some(true)),
        (r#","scope":"snsapi_base""#, Some(false)),
        (r#","scope":"snsapi_base,snsapi_userinfo""#, Some(true)),
        (r#","scope":"snsapi_base, snsapi_userinfo""#, Some(true)),
        (r#","scope":"snsapi_userinfo_no""#, Some(false)),
        (r#","scope":" , ""#, None),
        (r#","scope":"""#, None),
        ("", None),
    ] {
        let body = format!(
            r#"{{"access_token":"T","expires_in":7200,"refresh_token":"R","openid":"o"{scope}}}"#
        );
        let granted: WebAccessGranted = decode(body.as_bytes()).unwrap();
        assert_eq!(granted.covers_user_info(), asked, "{scope}");
    }
}
