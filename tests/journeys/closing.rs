//! Closing the modal stops everything: nothing leaves the page, and the attempt is over.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::{
    browser::Browser,
    deadline::eventually,
    login_page::LoginPage,
    stack::{Plan, Stack},
};
use thirtyfour::Key;
use tokio::time::Instant;

/// Whatever an open modal does by itself it does within this time: it polls every 2.4 s at the
/// most, a broken stream opens again after 1 s, a silent one is given up after 5 s, and a network
/// that is away is tried again after 3.6 s at the most.
const LONGEST_PAUSE: Duration = Duration::from_secs(6);

/// How many requests the site has answered, or begun to, on either listener; asking isn't counted.
async fn requests(stack: &Stack, route: &str) -> u64 {
    let address = format!("{}/metrics", stack.sites[0].internal);
    let client = service_kit::http_client::build(LONGEST_PAUSE).expect("a client can be made");
    let answer = client.get(address).send().await.expect("the site answers");
    let figures = answer.text().await.expect("figures are text");
    figures
        .lines()
        .filter(|line| line.starts_with("http_requests_total{") && line.contains(route))
        .filter(|line| !line.contains("\"/metrics\""))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum()
}

/// What this page has requested so far, by its own account.
async fn resources(browser: &Browser) -> Value {
    browser
        .value("performance.getEntriesByType('resource').map((entry) => entry.name)")
        .await
}

/// The modal was closed just now: the server says goodbye, then there is silence, whoever scans.
async fn the_attempt_is_over(stack: &Stack, browser: &Browser, page: &LoginPage<'_>, code: &str) {
    eventually("the site hears that the attempt is over", async || {
        let goodbye = requests(stack, "method=\"DELETE\",route=\"/api/login\"").await;
        (goodbye == 1).then_some(())
    })
    .await;
    // The browser counts it when its answer is there: beside the beginning, which it counts too.
    browser
        .until(
            "performance.getEntriesByType('resource')
                .filter((entry) => entry.name.endsWith('/api/login')).length === 2",
        )
        .await;
    let before = (requests(stack, "").await, resources(browser).await);

    let late = stack.wechat.person("小雨", true).await;
    stack.wechat.scan(&late, code).await;
    let told = stack.wechat.chat(&late).await.concat();
    assert!(told.contains("已失效，您没有登录"), "{told}");

    let end = Instant::now() + LONGEST_PAUSE;
    while Instant::now() < end {
        let now = (requests(stack, "").await, resources(browser).await);
        assert_eq!(now, before, "a closed modal sends nothing");
    }
    assert_eq!(page.state().await, "closed");
    assert_eq!(page.session().await, "out");
    assert_eq!(page.user().await, Value::Null);
}

#[tokio::test]
async fn after_the_cross_nothing_is_sent_and_a_later_scan_logs_nobody_in() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    page.close().await;
    the_attempt_is_over(&stack, &browser, &page, &code).await;

    // The next opening has nothing to do with the last one.
    let follower = stack.wechat.person("小林", true).await;
    let next = page.open_code().await;
    assert_ne!(next, code);
    stack.wechat.scan(&follower, &next).await;
    page.shows(&follower).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn the_escape_key_ends_the_attempt_too() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    let focused = browser.element("document.activeElement").await;
    focused.send_keys(Key::Escape).await.expect("a key");
    page.becomes("closed").await;
    the_attempt_is_over(&stack, &browser, &page, &code).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_modal_closed_while_its_code_is_on_the_way_leaves_no_attempt() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let slow = json!([{ "path": "/cgi-bin/qrcode/create", "kind": "slow", "delay_ms": 800 }]);
    stack.wechat.faults(slow).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    page.becomes("loading").await;
    page.close().await;
    let codes = eventually("the code is made all the same", async || {
        let path = "/simulator/codes";
        let codes = stack
            .wechat
            .control(reqwest::Method::GET, path, Value::Null)
            .await;
        codes[0]["content"].as_str().map(str::to_owned)
    })
    .await;
    the_attempt_is_over(&stack, &browser, &page, &codes).await;
    browser.close(&[]).await;
}
