//! A network that fails in the middle of a login.

use system_tests::{browser::Browser, login_page::LoginPage, stack::Plan};

use crate::lossy_proxy::LossyProxy;

#[tokio::test]
async fn where_no_event_stream_gets_through_polling_logs_in() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    browser.block(&["*/api/login/events"]).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    browser.close(&["ERR_BLOCKED_BY_CLIENT"]).await;
}

#[tokio::test]
async fn a_site_that_restarts_under_a_waiting_browser_is_found_again() {
    let mut stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;

    let mut site = stack.sites.remove(0);
    let address = site.public.trim_start_matches("http://").to_owned();
    stack.plan = stack.plan.clone().site("SITE__PUBLIC__BIND", &address);
    site.process.kill();
    // The scan falls into the gap.
    stack.wechat.scan(&follower, &code).await;
    stack.add_site().await;

    page.shows(&follower).await;
    browser
        .close(&["ERR_CONNECTION", "ERR_INCOMPLETE_CHUNKED_ENCODING"])
        .await;
}

#[tokio::test]
async fn a_browser_that_was_offline_goes_on_with_the_same_code() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    browser.go_offline(true).await;
    page.becomes("offline").await;
    assert_eq!(page.cover().await, "网络连接已断开\n恢复后会自动继续\n重试");
    browser.go_offline(false).await;
    assert_eq!(page.code().await, code);
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    browser.close(&["ERR_INTERNET_DISCONNECTED"]).await;
}

#[tokio::test]
async fn a_scan_while_the_browser_is_offline_logs_in_when_it_is_back() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    browser.go_offline(true).await;
    page.becomes("offline").await;
    stack.wechat.scan(&follower, &code).await;
    browser.go_offline(false).await;
    page.shows(&follower).await;
    browser.close(&["ERR_INTERNET_DISCONNECTED"]).await;
}

#[tokio::test]
async fn a_login_whose_answer_is_lost_succeeds_all_the_same() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    // Chromium itself repeats a request once whose connection had been used before and broke; the
    // third loss is one that the page has to survive.
    let proxy = LossyProxy::start(&stack.sites[0].public, "POST /api/login/complete ", 3);
    let page = LoginPage::visit(&browser, proxy.url()).await;
    let code = page.open_code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    assert_eq!(proxy.lost(), 3);
    browser
        .close(&["ERR_EMPTY_RESPONSE", "ERR_CONNECTION"])
        .await;
}
