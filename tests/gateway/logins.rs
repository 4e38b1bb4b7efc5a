//! What pushes do: scans log in, follows and unfollows are recorded, the rest is acknowledged.

use login_protocol::attempt::AttemptStatus;
use serde_json::Value;
use system_tests::{
    attempts::{self, new_openid, new_scene},
    stack::{Plan, Stack},
};
use wechat_wire::push::{Push, PushBody};

use crate::{
    http,
    push_request::{PushRequest, ago, assert_acknowledged, now, scan, sealed_reply, subscribe},
};

const EXPIRED: &str = "已失效";
const TAKEN: &str = "已被别人使用";

async fn reply(stack: &Stack, push: &Push) -> String {
    let answer = PushRequest::safe(push).send(&stack.gateways[0]).await;
    sealed_reply(&answer, &push.from_user_name)
}

async fn member(stack: &Stack, openid: &str) -> Option<Value> {
    let answer = http::get(&stack.gateways[0], &format!("/v1/members/{openid}")).await;
    (answer.status == 200).then_some(answer.json)
}

#[tokio::test]
async fn a_followers_scan_logs_in() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let follower = stack.wechat.person("小林", true).await;
    let content = visitor.start_login().await;
    let mut events = visitor.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    stack.wechat.scan(&follower, &content).await;
    assert_eq!(events.next_status().await.as_deref(), Some("confirmed"));
    let user = visitor.complete().await;
    assert_eq!(user["nickname"], "小林");
    assert_eq!(events.next_status().await.as_deref(), Some("consumed"));
    assert_eq!(events.next_status().await, None);
}

#[tokio::test]
async fn new_and_returning_followers_read_words_of_their_own() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let person = new_openid();
    let scene = attempts::open(&store).await;
    let new = reply(&stack, &subscribe(&person, &scene)).await;
    assert!(new.contains("感谢关注") && new.contains("已登录"), "{new}");
    assert_eq!(attempts::owner(&store, &scene).await, person);

    let scene = attempts::open(&store).await;
    let returning = reply(&stack, &scan(&person, &scene)).await;
    assert!(
        returning.contains("欢迎回来") && returning.contains("已登录"),
        "{returning}"
    );
    assert_eq!(attempts::owner(&store, &scene).await, person);
}

#[tokio::test]
async fn a_reply_names_the_site_where_its_text_has_a_place_for_it() {
    let plan = Plan::default()
        .gateway("GATEWAY__REPLY__SITE_NAME", "花店")
        .gateway("GATEWAY__REPLY__NEW_FOLLOWER", "感谢关注，您已登录{site}。")
        .gateway("GATEWAY__REPLY__RETURNING", "您已登录{site}。");
    let stack = http::start(plan).await;
    let store = stack.redis.store();
    let person = new_openid();
    let scene = attempts::open(&store).await;
    let new = reply(&stack, &subscribe(&person, &scene)).await;
    assert_eq!(new, "感谢关注，您已登录花店。");
    let scene = attempts::open(&store).await;
    let returning = reply(&stack, &scan(&person, &scene)).await;
    assert_eq!(returning, "您已登录花店。");
}

#[tokio::test]
async fn a_code_without_an_attempt_is_said_to_have_expired() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = new_scene();
    let person = new_openid();
    for push in [scan(&person, &scene), subscribe(&person, &scene)] {
        let words = reply(&stack, &push).await;
        assert!(
            words.contains(EXPIRED) && words.contains("没有登录"),
            "{words}"
        );
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Expired,
        "a scan makes no attempt"
    );
}

#[tokio::test]
async fn the_second_person_is_told_and_the_first_keeps_the_login() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let (first, second) = (new_openid(), new_openid());
    reply(&stack, &scan(&first, &scene)).await;
    for push in [scan(&second, &scene), subscribe(&second, &scene)] {
        let words = reply(&stack, &push).await;
        assert!(
            words.contains(TAKEN) && words.contains("没有登录"),
            "{words}"
        );
    }
    assert_eq!(attempts::owner(&store, &scene).await, first);
    let words = reply(&stack, &scan(&second, &scene)).await;
    assert!(words.contains(TAKEN), "after the browser took it: {words}");
}

#[tokio::test]
async fn the_same_persons_second_scan_is_welcome() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let first = reply(&stack, &scan(&person, &scene)).await;
    assert_eq!(reply(&stack, &scan(&person, &scene)).await, first);
    assert_eq!(attempts::owner(&store, &scene).await, person);
    assert_eq!(reply(&stack, &scan(&person, &scene)).await, first);
}

#[tokio::test]
async fn a_follow_without_a_login_code_makes_a_member_and_no_reply() {
    let stack = http::start(Plan::default()).await;
    let keys = [
        None,
        Some(""),
        Some("qrscene_"),
        Some("qrscene_110"),
        Some("qrscene_login_too_short"),
        Some("last_trade_no_4200001234202611229876543210"),
    ];
    for event_key in keys {
        let person = new_openid();
        let push = now(
            &person,
            PushBody::Subscribe {
                event_key: event_key.map(str::to_owned),
                ticket: None,
            },
        );
        let answer = PushRequest::safe(&push).send(&stack.gateways[0]).await;
        assert_acknowledged(&answer);
        let member = member(&stack, &person).await.expect("they are known");
        assert_eq!(member["subscribed"], true, "{event_key:?}");
    }
}

#[tokio::test]
async fn scans_of_the_accounts_other_codes_log_nobody_in() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let with_prefix = format!("qrscene_{}", scene.as_str());
    for event_key in ["110", "", "LOGIN_x", &with_prefix, &scene.as_str()[1..]] {
        let push = now(&new_openid(), PushBody::scan(event_key, "a ticket"));
        let answer = PushRequest::safe(&push).send(&stack.gateways[0]).await;
        assert_acknowledged(&answer);
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn unfollowing_marks_the_member_and_removes_the_profile() {
    let stack = http::start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    reply(&stack, &scan(&person.openid, &scene)).await;
    let found = member(&stack, &person.openid)
        .await
        .expect("they are known");
    assert_eq!(found["nickname"], "小林");
    assert_eq!(found["location"], "浙江 杭州");
    assert_eq!(found["subscribed"], true);

    stack.wechat.unfollow(&person).await;
    let found = member(&stack, &person.openid)
        .await
        .expect("they stay known");
    assert_eq!(found["subscribed"], false);
    for gone in [
        "nickname",
        "avatar_url",
        "location",
        "unionid",
        "profile_at",
        "shown_at",
    ] {
        assert_eq!(found[gone], Value::Null, "{gone}");
    }

    stack.wechat.follow(&person).await;
    let found = member(&stack, &person.openid).await.expect("they are back");
    assert_eq!(found["subscribed"], true);
    // The next login asks for the profile again.
    let scene = attempts::open(&store).await;
    reply(&stack, &scan(&person.openid, &scene)).await;
    let found = member(&stack, &person.openid)
        .await
        .expect("they are known");
    assert_eq!(found["nickname"], "小林");
}

#[tokio::test]
async fn an_older_follow_doesnt_undo_a_newer_unfollow() {
    let stack = http::start(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let unfollow = ago(10, &person.openid, PushBody::Unsubscribe);
    let answer = PushRequest::safe(&unfollow).send(&stack.gateways[0]).await;
    assert_acknowledged(&answer);
    // Delivered late, as after an outage; the login it asks for is still theirs.
    let body = PushBody::subscribe_with_code(scene.as_str(), "a ticket");
    reply(&stack, &ago(20, &person.openid, body)).await;
    assert_eq!(attempts::owner(&store, &scene).await, person.openid);
    let found = member(&stack, &person.openid)
        .await
        .expect("they are known");
    assert_eq!(found["subscribed"], false);
    assert_eq!(found["nickname"], Value::Null);

    // And an older unfollow doesn't undo a newer follow.
    let follow = now(&person.openid, PushBody::subscribe_without_code());
    assert_acknowledged(&PushRequest::safe(&follow).send(&stack.gateways[0]).await);
    let late = ago(5, &person.openid, PushBody::Unsubscribe);
    assert_acknowledged(&PushRequest::safe(&late).send(&stack.gateways[0]).await);
    let found = member(&stack, &person.openid)
        .await
        .expect("they are known");
    assert_eq!(found["subscribed"], true);
}

#[tokio::test]
async fn every_other_push_is_acknowledged_and_changes_nothing() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    let scene = attempts::open(&store).await;
    let person = new_openid();
    let events = [
        "CLICK",
        "VIEW",
        "LOCATION",
        "TEMPLATESENDJOBFINISH",
        "user_authorize_revoke",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "card_pass_check",
        "naming_verify_success",
        "an_event_of_next_year",
    ];
    let messages = [
        "text",
        "image",
        "voice",
        "video",
        "shortvideo",
        "location",
        "link",
        "file",
        "a type of next year",
    ];
    let events = events.map(|event| PushBody::OtherEvent {
        event: event.to_owned(),
        event_key: Some(scene.as_str().to_owned()),
    });
    let messages = messages.map(|msg_type| PushBody::Message {
        msg_type: msg_type.to_owned(),
        msg_id: Some("24012345678901234".to_owned()),
        content: Some(scene.as_str().to_owned()),
    });
    for body in events.into_iter().chain(messages) {
        let push = PushRequest::safe(&now(&person, body));
        assert_acknowledged(&push.send(&stack.gateways[0]).await);
    }
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
    assert_eq!(member(&stack, &person).await, None);
}

#[tokio::test]
async fn events_are_recognised_in_any_case() {
    let stack = http::start(Plan::default()).await;
    let store = stack.redis.store();
    for (from, to) in [("SCAN", "scan"), ("SCAN", "Scan")] {
        let scene = attempts::open(&store).await;
        let person = new_openid();
        let document = scan(&person, &scene).to_xml().replace(from, to);
        let push = PushRequest::encrypted(&crate::push_request::crypto(), document.as_bytes());
        sealed_reply(&push.send(&stack.gateways[0]).await, &person);
        assert_eq!(attempts::owner(&store, &scene).await, person);
    }
}
