//! `/api/session`: who is signed in, and signing out.

use jiff::Timestamp;
use login_protocol::subject::Subject;
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    simulator::Person,
    stack::{Plan, Stack},
    visitor::Visitor,
};

use crate::{answers::assert_problem, attempt_record};

pub(crate) async fn signed_in(stack: &Stack, person: &Person) -> Visitor {
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(person, &content).await;
    visitor.complete().await;
    visitor
}

/// The subject of somebody who is signed in, which is one.
pub(crate) fn subject(user: &Value) -> String {
    let subject = user["sub"].as_str().expect("everybody has one");
    Subject::parse(subject).expect("it is a subject");
    subject.to_owned()
}

/// When somebody who is signed in confirmed that: some time ago, by a clock.
fn signed_in_at(session: &Value) -> Timestamp {
    let at = session["signed_in_at"].as_str().expect("it is told");
    let at: Timestamp = at.parse().expect("it is a time");
    assert!(at <= Timestamp::now());
    at
}

#[tokio::test]
async fn the_session_says_who_is_signed_in_on_every_replica() {
    let stack = Plan::default().sites(2).start().await;
    let body = json!({ "nickname": "小林", "follows": true, "unionid": "oUnion-1", "avatar_url": "https://thirdwx.qlogo.cn/1/132", "country": "中国", "province": "浙江", "city": "杭州" });
    let person = stack
        .wechat
        .control(Method::POST, "/simulator/people", body)
        .await;
    let text = |member: &str| person[member].as_str().unwrap().to_owned();
    let person = Person {
        id: text("id"),
        openid: text("openid"),
        nickname: text("nickname"),
    };
    let mut visitor = signed_in(&stack, &person).await;
    visitor.move_to(&stack.sites[1].public);
    let answer = visitor.call(Method::GET, "/api/session").await;
    assert_eq!(answer.status, 200);
    let expected = json!({ "user": {
        "sub": subject(&answer.json["user"]),
        "openid": person.openid,
        "unionid": "oUnion-1",
        "nickname": "小林",
        "avatar_url": "https://thirdwx.qlogo.cn/1/132",
        "location": "浙江 杭州",
        "subscribed": true,
    }, "signed_in_at": signed_in_at(&answer.json) });
    assert_eq!(answer.json, expected);
}

#[tokio::test]
async fn an_avatar_of_wechats_is_no_mixed_content() {
    let stack = Plan::default().start().await;
    for (told, answered) in [
        (
            r"http:\/\/thirdwx.qlogo.cn\/mmopen\/vi_32\/x\/132",
            json!("https://thirdwx.qlogo.cn/mmopen/vi_32/x/132"),
        ),
        (
            "http://wx.qlogo.cn/mmopen/x/0",
            json!("https://wx.qlogo.cn/mmopen/x/0"),
        ),
        (
            "https://wx.qlogo.cn/mmopen/x/0",
            json!("https://wx.qlogo.cn/mmopen/x/0"),
        ),
        (
            "http://example.com/a.png",
            json!("http://example.com/a.png"),
        ),
        ("", Value::Null),
    ] {
        let person = stack.wechat.person("小林", true).await;
        let body = format!(
            r#"{{"subscribe":1,"openid":"{}","headimgurl":"{told}"}}"#,
            person.openid
        );
        let fault = json!([{ "path": "/cgi-bin/user/info", "kind": "body", "body": body }]);
        stack.wechat.faults(fault).await;
        let mut visitor = signed_in(&stack, &person).await;
        let answer = visitor.call(Method::GET, "/api/session").await;
        assert_eq!(answer.json["user"]["avatar_url"], answered, "{told}");
    }
    // One that an older version kept.
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let pattern = format!("wechat-login:member:*{}*", person.openid);
    let keys: Vec<String> = stack.redis.command(&["KEYS", &pattern]).await;
    let kept = "http://wx.qlogo.cn/mmopen/old/132";
    let _: i64 = stack
        .redis
        .command(&["HSET", &keys[0], "avatar_url", kept])
        .await;
    let answer = visitor.call(Method::GET, "/api/session").await;
    let expected = "https://wx.qlogo.cn/mmopen/old/132";
    assert_eq!(answer.json["user"]["avatar_url"], expected);
}

#[tokio::test]
async fn what_wechat_does_not_tell_is_null() {
    let stack = Plan::default().start().await;
    let faults = json!([{ "path": "/cgi-bin/user/info", "kind": "html" }]);
    stack.wechat.faults(faults).await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let answer = visitor.call(Method::GET, "/api/session").await;
    let expected = json!({ "user": {
        "sub": subject(&answer.json["user"]),
        "openid": person.openid,
        "unionid": null,
        "nickname": null,
        "avatar_url": null,
        "location": null,
        "subscribed": true,
    }, "signed_in_at": signed_in_at(&answer.json) });
    assert_eq!(answer.json, expected);

    let member: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:member:*"])
        .await;
    let _: i64 = stack.redis.command(&["DEL", &member[0]]).await;
    let answer = visitor.call(Method::GET, "/api/session").await;
    assert_eq!(answer.status, 200, "the session outlives what is known");
    assert_eq!(answer.json["user"]["openid"], *person.openid);
    assert_eq!(answer.json["user"]["subscribed"], false);
}

#[tokio::test]
async fn without_a_session_nobody_is_signed_in() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let answer = visitor.call(Method::GET, "/api/session").await;
    assert_problem(&answer, 401, "not_signed_in");
    let unknown = "A".repeat(43);
    for garbage in ["", "x", "../../etc/passwd", "%00", "*", &unknown] {
        let cookie = ("wechat-session".to_owned(), garbage.to_owned());
        visitor.cookies().extend([cookie]);
        let answer = visitor.call(Method::GET, "/api/session").await;
        assert_problem(&answer, 401, "not_signed_in");
    }
}

#[tokio::test]
async fn what_redis_knows_of_a_session_signs_nobody_in() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    signed_in(&stack, &person).await;
    let key = attempt_record::sessions(&stack).await.remove(0);
    let hash = key
        .strip_prefix("wechat-login:session:{")
        .and_then(|hash| hash.strip_suffix('}'))
        .and_then(|of_site| of_site.split_once(':'))
        .map(|(_, hash)| hash)
        .unwrap();
    let mut thief = stack.visitor();
    let cookie = ("wechat-session".to_owned(), hash.to_owned());
    thief.cookies().extend([cookie]);
    let answer = thief.call(Method::GET, "/api/session").await;
    assert_problem(&answer, 401, "not_signed_in");
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let mut elsewhere = signed_in(&stack, &person).await;
    let mut thief = visitor.clone();
    thief.move_to(&stack.sites[1].public);
    assert!(thief.session().await.is_some());

    let answer = visitor.call(Method::DELETE, "/api/session").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert!(visitor.cookies().is_empty());
    for browser in [&mut visitor, &mut thief] {
        let answer = browser.call(Method::GET, "/api/session").await;
        assert_problem(&answer, 401, "not_signed_in");
    }
    assert!(elsewhere.session().await.is_some(), "another login stays");
}

#[tokio::test]
async fn after_signing_out_the_old_attempt_signs_nobody_in() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    visitor.call(Method::DELETE, "/api/session").await;
    let answer = visitor.call(Method::POST, "/api/login/complete").await;
    assert_problem(&answer, 404, "no_login_attempt");
    assert!(attempt_record::sessions(&stack).await.is_empty());
}

#[tokio::test]
async fn a_repeated_completion_brings_no_ended_session_back() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    // Another tab, whose repeat is on its way while this one signs out.
    let mut tab = visitor.clone();
    visitor.call(Method::DELETE, "/api/session").await;
    let answer = tab.call(Method::POST, "/api/login/complete").await;
    // The attempt itself stays, so that another person who scans its code is told that it was used.
    assert_problem(&answer, 410, "login_consumed");
    assert!(tab.session().await.is_none());
    assert!(attempt_record::sessions(&stack).await.is_empty());
}

#[tokio::test]
async fn signing_out_everywhere_ends_this_persons_sessions_and_nobody_elses() {
    let stack = Plan::default().sites(2).start().await;
    let person = stack.wechat.person("小林", true).await;
    let stranger = stack.wechat.person("路人", true).await;
    let mut here = signed_in(&stack, &person).await;
    let mut there = signed_in(&stack, &person).await;
    there.move_to(&stack.sites[1].public);
    let mut other = signed_in(&stack, &stranger).await;
    here.set_header("origin", "https://evil.example");
    let answer = here.call(Method::DELETE, "/api/sessions").await;
    assert_problem(&answer, 403, "foreign_origin");
    assert!(there.session().await.is_some());

    here.set_header("origin", "http://localhost");
    let answer = here.call(Method::DELETE, "/api/sessions").await;
    assert_eq!(answer.status, 204);
    assert!(here.cookies().is_empty());
    assert!(there.session().await.is_none());
    assert!(other.session().await.is_some());
    // A later login is a session like any other.
    assert!(signed_in(&stack, &person).await.session().await.is_some());
    assert!(there.session().await.is_none());
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_before_its_time() {
    let plan = Plan::default().site("SITE__SESSION__IDLE_SECONDS", "60");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let key = attempt_record::sessions(&stack).await.remove(0);
    let _: i64 = stack.redis.command(&["PEXPIRE", &key, "20000"]).await;
    assert!(visitor.session().await.is_some());
    let left: i64 = stack.redis.command(&["PTTL", &key]).await;
    assert!(
        (50_000..=60_000).contains(&left),
        "using it prolongs it: {left} ms"
    );
}

#[tokio::test]
async fn signing_out_twice_succeeds() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let unknown = "A".repeat(43);
    for cookie in [None, Some("garbage"), Some(&unknown)] {
        let cookie = cookie.map(|value| ("wechat-session".to_owned(), value.to_owned()));
        visitor.cookies().extend(cookie);
        for _ in 0..2 {
            let answer = visitor.call(Method::DELETE, "/api/session").await;
            assert_eq!(answer.status, 204);
        }
    }
}

#[tokio::test]
async fn an_unfollow_is_seen_and_takes_the_profile_away() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let user = visitor.session().await.unwrap();
    assert_eq!(user["subscribed"], true);
    let sub = subject(&user);
    stack.wechat.unfollow(&person).await;
    let expected = json!({
        "sub": sub,
        "openid": person.openid,
        "unionid": null,
        "nickname": null,
        "avatar_url": null,
        "location": null,
        "subscribed": false,
    });
    assert_eq!(visitor.session().await, Some(expected));
}

#[tokio::test]
async fn a_session_lives_as_long_as_the_setting_says() {
    let plan = Plan::default().site("SITE__SESSION__TTL_SECONDS", "60");
    let stack = plan.start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = signed_in(&stack, &person).await;
    let key = attempt_record::sessions(&stack).await.remove(0);
    let left: i64 = stack.redis.command(&["PTTL", &key]).await;
    assert!((30_000..=60_000).contains(&left), "{left} ms");
    // Its time is up.
    let _: i64 = stack.redis.command(&["DEL", &key]).await;
    assert_eq!(visitor.session().await, None::<Value>);
}
