//! A network that fails in the middle of a login.

use system_tests::{browser::Browser, deadline::eventually, login_page::LoginPage, stack::Plan};

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

/// When this page asked where its attempt stands, in milliseconds of its own clock. The first
/// request to the address started the attempt.
async fn polls(browser: &Browser, count: usize) -> Vec<f64> {
    eventually("the page polls", async || {
        let began = browser
            .value(
                "performance.getEntriesByType('resource')\
                 .filter((entry) => entry.name.endsWith('/api/login')).slice(1)\
                 .map((entry) => entry.startTime)",
            )
            .await;
        let began: Vec<f64> = serde_json::from_value(began).expect("moments are numbers");
        (began.len() >= count).then_some(began)
    })
    .await
}

fn gaps(began: &[f64]) -> Vec<f64> {
    began.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test]
async fn polls_are_two_seconds_apart_and_ever_more_in_a_hidden_tab() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    browser.block(&["*/api/login/events"]).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open_code().await;
    let visible = gaps(&polls(&browser, 3).await);
    // Timers may go off a moment early by the page's clock.
    assert!(visible.iter().all(|gap| *gap > 1990.0), "{visible:?}");

    browser
        .value("void Object.defineProperty(document, 'hidden', { get: () => true })")
        .await;
    // In a visible tab none is longer than 2.4 s.
    eventually("the polls are further apart", async || {
        let all = gaps(&polls(&browser, 3).await);
        all.iter().any(|gap| *gap > 4000.0).then_some(())
    })
    .await;
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
