//! `/cgi-bin/user/info` in the shapes that it has had over the years.

use wechat_wire::api::{UserInfo, decode};

/// The record of somebody who followed in March 2022: the keys are there, the values empty.
const SINCE_2021: &str = r#"{"subscribe":1,"openid":"oJqxQwYRyZMXFTc8sipB5TSe6Vw4","nickname":"","sex":0,"language":"zh_CN","city":"","province":"","country":"","headimgurl":"","subscribe_time":1646092800,"unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL","remark":"","groupid":0,"tagid_list":[],"subscribe_scene":"ADD_SCENE_QR_CODE","qr_scene":0,"qr_scene_str":"login_7f3a"}"#;

fn person(body: &str) -> UserInfo {
    decode(body.as_bytes()).unwrap()
}

#[test]
fn empty_texts_count_as_none() {
    let person = person(SINCE_2021);
    assert_eq!(person.is_subscribed(), Some(true));
    assert_eq!(person.nickname(), None);
    assert_eq!(person.head_image_url(), None);
    assert_eq!(person.city(), None);
    assert_eq!(person.province(), None);
    assert_eq!(person.country(), None);
    assert_eq!(person.union_id(), Some("o6_bmasdasdsad6_2sgVt7hMZOPfL"));
}

#[test]
fn what_is_written_reads_the_same() {
    let person = person(SINCE_2021);
    let written = serde_json::to_vec(&person).unwrap();
    assert_eq!(decode::<UserInfo>(&written), Ok(person));
}

#[test]
fn somebody_who_does_not_follow_is_a_success() {
    for body in [
        r#"{"subscribe":0,"openid":"o1","tagid_list":[]}"#,
        r#"{"subscribe":0,"openid":"o1"}"#,
        r#"{"subscribe":0,"openid":"o1","unionid":"u1","tagid_list":[]}"#,
    ] {
        let person = person(body);
        assert_eq!(person.is_subscribed(), Some(false));
        assert_eq!(person.openid, "o1");
        let unionid = body.contains("unionid").then_some("u1");
        assert_eq!(person.union_id(), unionid);
    }
}

#[test]
fn values_of_before_2021_are_told() {
    let person = person(
        r#"{"subscribe":1,"openid":"o1","nickname":"阿明🦀","sex":1,"city":"广州","province":"广东","country":"中国","headimgurl":"http:\/\/thirdwx.qlogo.cn\/mmopen\/x\/132"}"#,
    );
    assert_eq!(person.nickname(), Some("阿明🦀"));
    assert_eq!(person.city(), Some("广州"));
    assert_eq!(person.province(), Some("广东"));
    assert_eq!(person.country(), Some("中国"));
    assert_eq!(
        person.head_image_url(),
        Some("http://thirdwx.qlogo.cn/mmopen/x/132")
    );
}

#[test]
fn loosely_typed_and_new_members_do_no_harm() {
    let person = person(
        r#"{"subscribe":"1","openid":"o1","nickname":12345,"sex":"2","city":null,"province":{},"headimgurl":[],"subscribe_time":"1646092800","qr_scene":"4294967295","tagid_list":null,"groupid":1.5,"new":{"a":[1]}}"#,
    );
    assert_eq!(person.is_subscribed(), Some(true));
    assert_eq!(person.nickname(), Some("12345"));
    assert_eq!(person.city(), None);
    assert_eq!(person.province(), None);
    assert_eq!(person.head_image_url(), None);
}
