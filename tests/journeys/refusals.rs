//! When a login can't begin: the words, and the way out.

use deadpool_redis::redis;
use reqwest::Method;
use serde_json::json;
use system_tests::{browser::Browser, login_page::LoginPage, stack::Plan};

#[tokio::test]
async fn while_wechat_is_down_the_modal_says_so_and_a_retry_works_afterwards() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let down = json!([{ "path": "/cgi-bin/qrcode/create", "kind": "status", "status": 502 }]);
    stack.wechat.faults(down).await;
    page.open().await;
    page.becomes("error").await;
    let cover = page.cover().await;
    assert!(
        cover.starts_with("暂时无法登录\n微信暂时没有响应，请稍后再试"),
        "{cover}"
    );
    stack.wechat.faults(json!([])).await;
    page.act().await;
    let code = page.code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    browser
        .close(&["/api/login - Failed to load resource"])
        .await;
}

#[tokio::test]
async fn a_visitor_with_too_many_logins_is_told_to_wait_and_can_then_try_again() {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_PER_MINUTE", "1");
    let stack = plan.start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    // Another visitor behind the same address was quicker.
    stack.visitor().start_login().await;
    shorten_the_minute(&stack).await;
    page.open().await;
    page.becomes("error").await;
    let cover = page.cover().await;
    assert!(
        cover.starts_with("暂时无法登录\n尝试得太频繁了，请稍候"),
        "{cover}"
    );
    page.act().await;
    let code = page.code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    browser
        .close(&["/api/login - Failed to load resource"])
        .await;
}

#[tokio::test]
async fn a_browser_works_for_its_code_under_a_flood() {
    let plan = Plan::default()
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.0/8")
        .site("SITE__LIMITS__LOGINS_WITHOUT_PROOF", "20");
    let stack = plan.start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    for number in 0..60 {
        let mut stranger = stack.visitor();
        stranger.set_header("x-forwarded-for", &format!("198.51.100.{number}"));
        stranger.call(Method::POST, "/api/login").await;
    }
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 20);
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let code = page.code().await;
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 21);
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    // The browser notes the answer that asked for work; the visitor saw nothing of it.
    browser
        .close(&["/api/login - Failed to load resource"])
        .await;
}

/// Leaves three seconds of the minute in which this machine may start no more logins. Its counts
/// are the only key that names an address, and begin with when that minute began.
async fn shorten_the_minute(stack: &system_tests::stack::Stack) {
    let mut connection = stack.redis.connection().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("*127.0.0.1*")
        .query_async(&mut connection)
        .await
        .expect("Redis answers");
    assert_eq!(keys.len(), 1, "{keys:?}");
    let counts: String = redis::cmd("HGET")
        .arg(&keys[0])
        .arg("32")
        .query_async(&mut connection)
        .await
        .expect("Redis answers");
    let (began, others) = counts.split_once(' ').expect("there are several numbers");
    let earlier = began.parse::<u64>().expect("a time") - 57_000;
    let _: i64 = redis::cmd("HSET")
        .arg(&keys[0])
        .arg("32")
        .arg(format!("{earlier} {others}"))
        .query_async(&mut connection)
        .await
        .expect("Redis answers");
}
