//! `DELETE /api/login`: the modal was closed, and nobody logs in with its code.

use reqwest::Method;
use system_tests::stack::Plan;

use crate::{answers::assert_problem, attempt_record};

#[tokio::test]
async fn a_scan_after_the_modal_was_closed_logs_nobody_in() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    let kept = visitor.cookies().clone();
    let answer = visitor.call(Method::DELETE, "/api/login").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert!(visitor.cookies().is_empty(), "the cookie is gone");
    let answer = visitor.call(Method::GET, "/api/login").await;
    assert_problem(&answer, 404, "no_login_attempt");

    stack.wechat.scan(&person, &content).await;
    let chat = stack.wechat.chat(&person).await;
    assert!(
        chat.last().is_some_and(|words| words.contains("已失效")),
        "{chat:?}"
    );
    *visitor.cookies() = kept;
    assert_eq!(visitor.status().await, "expired");
    let answer = visitor.call(Method::POST, "/api/login/complete").await;
    assert_problem(&answer, 410, "login_expired");
    assert!(attempt_record::all(&stack).await.is_empty());
    assert!(attempt_record::sessions(&stack).await.is_empty());
}

#[tokio::test]
async fn a_confirmed_attempt_can_still_be_given_up() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    let kept = visitor.cookies().clone();
    let answer = visitor.call(Method::DELETE, "/api/login").await;
    assert_eq!(answer.status, 204);
    *visitor.cookies() = kept;
    let answer = visitor.call(Method::POST, "/api/login/complete").await;
    assert_problem(&answer, 410, "login_expired");
    assert!(attempt_record::sessions(&stack).await.is_empty());
}

#[tokio::test]
async fn closing_where_there_is_nothing_to_close_succeeds() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    let unknown = "A".repeat(43);
    for cookie in [None, Some("garbage"), Some(&unknown)] {
        let cookie = cookie.map(|value| ("wechat-login".to_owned(), value.to_owned()));
        visitor.cookies().extend(cookie);
        for _ in 0..2 {
            let answer = visitor.call(Method::DELETE, "/api/login").await;
            assert_eq!(answer.status, 204);
        }
    }
}

#[tokio::test]
async fn other_tabs_of_the_browser_hear_of_it() {
    let stack = Plan::default().sites(2).start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    let mut tab = visitor.clone();
    tab.move_to(&stack.sites[1].public);
    let mut events = tab.events().await;
    assert_eq!(events.next_status().await.as_deref(), Some("pending"));
    visitor.call(Method::DELETE, "/api/login").await;
    assert_eq!(events.next_status().await.as_deref(), Some("expired"));
    assert_eq!(events.next_status().await, None);
}

#[tokio::test]
async fn nobody_closes_someone_elses_attempt() {
    let stack = Plan::default().start().await;
    let mut visitor = stack.visitor();
    visitor.start_login().await;
    let key = attempt_record::only(&stack).await;
    let scene = attempt_record::scene(&key);
    let mut stranger = stack.visitor();
    for stolen in [scene, scene.strip_prefix("login_").unwrap()] {
        let cookie = ("wechat-login".to_owned(), stolen.to_owned());
        stranger.cookies().extend([cookie]);
        let answer = stranger.call(Method::DELETE, "/api/login").await;
        assert_eq!(answer.status, 204);
        assert_eq!(visitor.status().await, "pending");
    }
}

#[tokio::test]
async fn closing_the_modal_after_the_login_signs_nobody_out() {
    let stack = Plan::default().start().await;
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.complete().await;
    let answer = visitor.call(Method::DELETE, "/api/login").await;
    assert_eq!(answer.status, 204);
    assert!(visitor.session().await.is_some());
}
