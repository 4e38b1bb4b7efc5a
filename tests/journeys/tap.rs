//! Tap mode: the browser shows that somebody scanned, and waits for what they press on the phone.
//! The phone is another tab.

use system_tests::{
    browser::Browser,
    login_page::LoginPage,
    simulator::Person,
    stack::{Plan, Stack},
};

use crate::profile::link;

async fn tap_mode(plan: Plan) -> Stack {
    // The public address is needed from the start; the real one follows.
    let plan = plan
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .gateway("GATEWAY__LOGIN__APPROVAL", "tap")
        .gateway("GATEWAY__REPLY__SITE_NAME", "花店");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    stack
}

/// The modal after this person's scan, and the link on their phone.
async fn scanned<'browser>(
    browser: &'browser Browser,
    stack: &Stack,
    person: &Person,
) -> (LoginPage<'browser>, String) {
    let page = LoginPage::visit(browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    stack.wechat.scan(person, &code).await;
    page.becomes("scanned").await;
    (page, link(stack, person).await)
}

/// This person opens the link on their phone, which is in front then.
async fn open(browser: &Browser, stack: &Stack, person: &Person, link: &str) {
    browser.belongs_to(person, &stack.wechat).await;
    browser.open_tab(link).await;
}

async fn says(browser: &Browser, words: &str) {
    browser
        .until(&format!("document.body.innerText.includes('{words}')"))
        .await;
}

async fn sessions(stack: &Stack) -> usize {
    let keys: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:session:*"])
        .await;
    keys.len()
}

#[tokio::test]
async fn the_modal_says_scanned_and_confirming_logs_in() {
    let stack = tap_mode(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    let (page, link) = scanned(&browser, &stack, &person).await;
    assert_eq!(page.cover().await, "已扫描\n请在手机上确认");
    open(&browser, &stack, &person, &link).await;
    says(&browser, "登录花店").await;
    browser.press("confirm").await;
    says(&browser, "已确认登录").await;
    browser.go_to_tab(0).await;
    page.shows(&person).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn denying_is_said_in_the_browser_and_a_new_code_works() {
    let stack = tap_mode(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    let (page, link_of_first) = scanned(&browser, &stack, &person).await;
    open(&browser, &stack, &person, &link_of_first).await;
    browser.press("deny").await;
    says(&browser, "已拒绝登录").await;
    browser.go_to_tab(0).await;
    page.becomes("denied").await;
    assert_eq!(
        page.cover().await,
        "已取消登录\n你在手机上拒绝了这次登录\n重新扫码"
    );
    assert_eq!(sessions(&stack).await, 0);
    page.act().await;
    let code = page.code().await;
    stack.wechat.scan(&person, &code).await;
    page.becomes("scanned").await;
    open(&browser, &stack, &person, &link(&stack, &person).await).await;
    browser.press("confirm").await;
    browser.go_to_tab(0).await;
    page.shows(&person).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_scan_that_nobody_confirms_expires_on_both_screens() {
    let stack = tap_mode(Plan::default().site("SITE__LOGIN__TTL_SECONDS", "10")).await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    let (page, link) = scanned(&browser, &stack, &person).await;
    open(&browser, &stack, &person, &link).await;
    says(&browser, "登录花店").await;
    browser.go_to_tab(0).await;
    page.becomes("expired").await;
    browser.go_to_tab(1).await;
    browser.press("confirm").await;
    says(&browser, "这次登录已结束").await;
    browser.go_to_tab(0).await;
    assert_eq!(page.state().await, "expired");
    assert_eq!(sessions(&stack).await, 0);
    browser.close(&[]).await;
}

#[tokio::test]
async fn another_persons_press_is_refused_and_the_browser_goes_on_waiting() {
    let stack = tap_mode(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let stranger = stack.wechat.person("路人", true).await;
    let browser = Browser::start(&stack.log).await;
    let (page, link) = scanned(&browser, &stack, &person).await;
    open(&browser, &stack, &stranger, &link).await;
    says(&browser, "这不是您的登录").await;
    let buttons = browser.value("document.querySelectorAll('button').length");
    assert_eq!(buttons.await, 0, "there is nothing to press");
    browser.go_to_tab(0).await;
    assert_eq!(page.state().await, "scanned");
    open(&browser, &stack, &person, &link).await;
    browser.press("confirm").await;
    browser.go_to_tab(0).await;
    page.shows(&person).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn pressing_twice_has_the_effect_of_pressing_once() {
    let stack = tap_mode(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    let (page, link) = scanned(&browser, &stack, &person).await;
    // Two tabs of one phone hold the question, and both are answered.
    open(&browser, &stack, &person, &link).await;
    says(&browser, "登录花店").await;
    open(&browser, &stack, &person, &link).await;
    browser.press("confirm").await;
    says(&browser, "已确认登录").await;
    browser.go_to_tab(0).await;
    page.shows(&person).await;
    browser.go_to_tab(1).await;
    browser.press("deny").await;
    says(&browser, "已确认登录").await;
    browser.go_to_tab(0).await;
    page.reload().await;
    page.shows(&person).await;
    assert_eq!(sessions(&stack).await, 1);
    browser.close(&[]).await;
}
