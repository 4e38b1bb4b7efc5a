//! `user.sub`: the same at every login of a person, whatever becomes of what is stored beside it.

use login_protocol::{
    steps::ClaimUnion,
    subject::{Subject, UnionDigest},
};
use serde_json::json;
use system_tests::{
    attempts,
    simulator::Person,
    stack::{APP_ID, Plan, Stack},
};

use crate::{
    session::{signed_in, subject},
    web_authorization::{self, assert_goes_on},
};

async fn log_in(stack: &Stack, person: &Person) -> String {
    let mut visitor = signed_in(stack, person).await;
    let completed = visitor.complete().await;
    let user = visitor.session().await.expect("signed in");
    assert_eq!(completed, user);
    subject(&user)
}

#[tokio::test]
async fn everybody_keeps_their_subject() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let sub = log_in(&stack, &person).await;
    assert!(!sub.contains(&person.openid));
    assert_eq!(log_in(&stack, &person).await, sub);
    stack.wechat.unfollow(&person).await;
    stack.wechat.follow(&person).await;
    assert_eq!(log_in(&stack, &person).await, sub);
    // What is known of somebody who doesn't follow ends after 30 days.
    let member = format!("wechat-login:member:{{{APP_ID}:{}}}", person.openid);
    let _: i64 = stack.redis.command(&["DEL", &member]).await;
    assert_eq!(log_in(&stack, &person).await, sub);
    let other = stack.wechat.person("小王", true).await;
    assert_ne!(log_in(&stack, &other).await, sub);
}

#[tokio::test]
async fn somebody_known_under_another_account_has_the_same_subject() {
    let stack = Plan::default().start().await;
    let known = Subject::from_random([7; 16]);
    let claim = ClaimUnion {
        union: UnionDigest::of("oUnion-7"),
        subject: known.clone(),
        given_at: None,
    };
    let store = stack.redis.store();
    store.run(&claim).await.expect("Redis is running");
    let person = stack.wechat.person_of_union("oUnion-7").await;
    assert_eq!(log_in(&stack, &person).await, known.as_str());
    let other = stack.wechat.person_of_union("oUnion-8").await;
    assert_ne!(log_in(&stack, &other).await, known.as_str());
}

/// The UnionID may become known later, as when the account is bound to an Open Platform account.
#[tokio::test]
async fn a_unionid_that_is_learned_later_brings_others_to_the_subject() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person_of_union("oUnion-9").await;
    let silent = json!([{ "path": "/cgi-bin/user/info", "kind": "html" }]);
    stack.wechat.faults(silent).await;
    let sub = log_in(&stack, &person).await;
    stack.wechat.faults(json!([])).await;
    assert_eq!(log_in(&stack, &person).await, sub);
    let elsewhere = attempts::member(&attempts::new_openid());
    let given =
        service_kit::subjects::give(&stack.redis.store(), elsewhere, Some("oUnion-9")).await;
    let given = given.expect("Redis is running");
    assert_eq!(given.subject.as_str(), sub);
}

/// Beside a gateway of the version before, which gives no subjects.
#[tokio::test]
async fn a_login_that_brings_no_subject_gets_one_at_the_site() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let key = format!("wechat-login:subject:{{{APP_ID}:{}}}", person.openid);
    let removed: i64 = stack.redis.command(&["DEL", &key]).await;
    assert_eq!(removed, 1, "it came with the scan");
    let sub = subject(&visitor.complete().await);
    assert_eq!(subject(&visitor.session().await.unwrap()), sub);
    assert_eq!(log_in(&stack, &person).await, sub);
}

/// Inside WeChat, where nobody has to follow; and the login there ends the browser's session
/// before.
#[tokio::test]
async fn a_login_by_web_authorization_brings_a_subject_and_ends_the_session_before() {
    let stack = web_authorization::start(Plan::default()).await;
    let person = stack.wechat.person("小林", false).await;
    let mut subjects = Vec::new();
    let mut cookies = stack.visitor().cookies().clone();
    for _ in 0..2 {
        let (mut browser, back) = web_authorization::returning(&stack, &person).await;
        let mut before = stack.visitor();
        before.cookies().extend(cookies.clone());
        for (name, value) in &cookies {
            browser
                .cookies()
                .entry(name.clone())
                .or_insert(value.clone());
        }
        for _ in 0..2 {
            let answer = web_authorization::come_back(&mut browser, &back).await;
            assert_goes_on(&answer, "/#");
            let user = browser.session().await.expect("signed in");
            subjects.push(subject(&user));
        }
        assert_eq!(before.session().await, None);
        cookies = browser.cookies().clone();
        cookies.remove("wechat-login");
    }
    subjects.dedup();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}
