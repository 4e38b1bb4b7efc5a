//! Nickname and avatar by web authorisation: once, from the reply's link.

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    identity::{AppId, MemberId, OpenId},
    member::Profile,
    steps::RecordProfile,
};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    deadline::eventually,
    simulator::Person,
    stack::{APP_ID, Plan, Stack},
};

use crate::phone_browser::{PhoneBrowser, location, sent_to_wechat, with};

/// The system as WeChat is today: `user/info` tells no nickname.
async fn today() -> Stack {
    let mut stack = Plan::default()
        .simulator("SIMULATOR__WECHAT__PROFILE_IN_USER_INFO", "false")
        .start()
        .await;
    stack.publish_gateway().await;
    stack
}

/// The link in the newest line of their chat.
pub(crate) async fn link(stack: &Stack, person: &Person) -> Option<String> {
    let chat = stack.wechat.chat(person).await;
    let (_, after) = chat.last()?.split_once("href=\"")?;
    Some(after.split_once('"')?.0.to_owned())
}

/// They press a link; the phone follows it to its last page.
pub(crate) async fn open(stack: &Stack, person: &Person, body: Value) -> Value {
    stack
        .wechat
        .control(
            Method::POST,
            &format!("/simulator/people/{}/open", person.id),
            body,
        )
        .await
}

#[tokio::test]
async fn nickname_and_avatar_come_with_the_link_and_stay() {
    let stack = today().await;
    let person = stack.wechat.person("小林", false).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    stack.wechat.follow(&person).await;
    assert_eq!(visitor.complete().await["nickname"], Value::Null);

    let link = link(&stack, &person).await.expect("the reply holds a link");
    let page = open(&stack, &person, json!({ "url": link })).await;
    assert_eq!(page["status"], 200, "{page}");
    assert!(page["body"].as_str().unwrap().contains("谢谢"), "{page}");
    let user = visitor.session().await.expect("still signed in");
    assert_eq!(user["nickname"], "小林");
    assert!(
        user["avatar_url"].as_str().unwrap().starts_with("http"),
        "{user}"
    );

    let mut later = stack.visitor();
    let content = later.start_login().await;
    stack.wechat.scan(&person, &content).await;
    assert_eq!(later.complete().await["nickname"], "小林");
    assert_eq!(
        self::link(&stack, &person).await,
        None,
        "who is known isn't asked again"
    );
}

#[tokio::test]
async fn where_the_version_before_sent_a_browser_it_is_sent_again() {
    let stack = today().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let link = link(&stack, &person).await.expect("the reply holds a link");
    let mut phone = PhoneBrowser::new(&stack);
    let back = phone.goes(&stack, &person, &link).await;
    assert_eq!(location(&phone.get(&back).await), "../thanks");
    let keys = "wechat-login:authorization-code:*";
    let keys: Vec<String> = stack.redis.command(&["KEYS", keys]).await;
    assert_eq!(keys.len(), 1, "one code");
    for kept in ["../follow-first", "../thanks"] {
        let _: String = stack.redis.command(&["SET", &keys[0], kept]).await;
        assert_eq!(location(&phone.get(&back).await), kept);
    }
}

#[tokio::test]
async fn the_profile_goes_when_the_person_unfollows() {
    let stack = today().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    let link = link(&stack, &person).await.expect("the reply holds a link");
    open(&stack, &person, json!({ "url": link })).await;
    stack.wechat.unfollow(&person).await;
    let user = visitor.session().await.expect("still signed in");
    assert_eq!(
        (&user["nickname"], &user["subscribed"]),
        (&Value::Null, &json!(false))
    );
    // Nothing is kept of somebody who no longer follows, and they are told why.
    let page = open(&stack, &person, json!({ "url": link })).await;
    assert!(
        page["body"].as_str().unwrap().contains("请先关注公众号"),
        "{page}"
    );
    assert_eq!(
        visitor.session().await.expect("still signed in")["nickname"],
        Value::Null
    );
}

#[tokio::test]
async fn who_showed_a_profile_long_ago_is_asked_again() {
    let stack = today().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let days_ago = |days: i64| Timestamp::now() - SignedDuration::from_hours(24 * days);
    for (days, asked) in [(89, false), (91, true)] {
        let shown = RecordProfile {
            member: MemberId {
                app_id: AppId::parse(APP_ID).expect("it is an AppID"),
                openid: OpenId::parse(&person.openid).expect("it is an OpenID"),
            },
            at: days_ago(days),
            unionid: None,
            profile: Some(Profile {
                nickname: Some("小林".to_owned()),
                ..Profile::default()
            }),
        };
        let kept = stack.redis.store().run(&shown).await;
        assert!(kept.expect("Redis answers"), "they follow");
        let content = stack.visitor().start_login().await;
        stack.wechat.scan(&person, &content).await;
        assert_eq!(link(&stack, &person).await.is_some(), asked, "{days} days");
    }
}

#[tokio::test]
async fn a_code_that_arrives_twice_is_exchanged_once() {
    let stack = today().await;
    stack
        .wechat
        .settings(json!({ "double_callback": true }))
        .await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    let link = link(&stack, &person).await.expect("the reply holds a link");
    let page = open(&stack, &person, json!({ "url": link })).await;
    assert!(page["body"].as_str().unwrap().contains("谢谢"), "{page}");
    assert_eq!(stack.wechat.calls("/sns/oauth2/access_token").await, 1);
    assert_eq!(
        visitor.session().await.expect("signed in")["nickname"],
        "小林"
    );
}

#[tokio::test]
async fn nothing_is_stored_of_who_was_not_asked() {
    let stack = today().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    let link = link(&stack, &person).await.expect("the reply holds a link");
    let mut phone = PhoneBrowser::new(&stack);
    let authorize_url = phone.begins(&link).await;
    let silent = authorize_url
        .as_str()
        .replace("snsapi_userinfo", "snsapi_base");
    let back = stack.wechat.authorize(&person, &silent).await;
    // The phone is sent to be asked, and after that told where to begin.
    sent_to_wechat(&phone.get(&back).await);
    let silent = stack.wechat.authorize(&person, &silent).await;
    let again = with(&silent, "again", Some("true"));
    let answer = phone.get(&again).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    assert!(answer.text.contains("请重新打开链接"), "{}", answer.text);
    let user = visitor.session().await.expect("signed in");
    assert_eq!(user["nickname"], Value::Null);
}

#[tokio::test]
async fn a_code_of_another_browser_shows_nobody() {
    let stack = today().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    let link = link(&stack, &person).await.expect("the reply holds a link");
    let back = PhoneBrowser::new(&stack).goes(&stack, &person, &link).await;
    let mut other = PhoneBrowser::new(&stack);
    sent_to_wechat(&other.get(&back).await);
    eventually("the code is spent", async || {
        (stack.wechat.calls("/sns/oauth2/access_token").await == 1).then_some(())
    })
    .await;
    assert_eq!(stack.wechat.calls("/sns/userinfo").await, 0);
    let user = visitor.session().await.expect("signed in");
    assert_eq!(user["nickname"], Value::Null);
}

#[tokio::test]
async fn a_snapshot_page_stores_nobody() {
    let stack = today().await;
    stack
        .wechat
        .settings(json!({ "snapshot_pages": true }))
        .await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    let link = link(&stack, &person).await.expect("the reply holds a link");
    let page = open(&stack, &person, json!({ "url": link })).await;
    assert_eq!(page["status"], 403, "{page}");
    assert!(
        page["body"].as_str().unwrap().contains("使用完整服务"),
        "{page}"
    );
    assert_eq!(
        visitor.session().await.expect("signed in")["nickname"],
        Value::Null
    );
}

#[tokio::test]
async fn the_console_finds_its_verification_file() {
    let plan = Plan::default().sites(0);
    let stack = plan
        .gateway(
            "GATEWAY__PUBLIC__VERIFICATION_FILES",
            "MP_verify_a1B2c3D4e5F6g7H8.txt",
        )
        .start()
        .await;
    let get = async |path: &str| {
        let http = service_kit::http_client::build(system_tests::deadline::PATIENCE)
            .expect("a client can be made");
        let response = http
            .get(format!("{}{path}", stack.gateways[0].public))
            .send()
            .await
            .expect("the gateway answers");
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(
        get("/MP_verify_a1B2c3D4e5F6g7H8.txt").await,
        (200, "a1B2c3D4e5F6g7H8".to_owned())
    );
    assert_eq!(get("/MP_verify_other.txt").await.0, 404);
}
