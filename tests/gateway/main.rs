//! The gateway over HTTP: the contract's rows for WeChat, the site and other backends.

use system_tests::stack::Plan;

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
