//! Several browsers, several tabs, several phones.

use system_tests::{browser::Browser, login_page::LoginPage, stack::Plan};

#[tokio::test]
async fn two_browsers_with_two_codes_get_their_own_person() {
    let stack = Plan::default().start().await;
    let (left, right) = tokio::join!(Browser::start(&stack.log), Browser::start(&stack.log));
    let lin = stack.wechat.person("小林", true).await;
    let yu = stack.wechat.person("小雨", true).await;
    let left_page = LoginPage::visit(&left, &stack.sites[0].public).await;
    let right_page = LoginPage::visit(&right, &stack.sites[0].public).await;
    let left_code = left_page.open_code().await;
    let right_code = right_page.open_code().await;
    assert_ne!(left_code, right_code);
    // Crosswise to the order in which the codes were made.
    stack.wechat.scan(&yu, &right_code).await;
    stack.wechat.scan(&lin, &left_code).await;
    left_page.shows(&lin).await;
    right_page.shows(&yu).await;
    left.close(&[]).await;
    right.close(&[]).await;
}

#[tokio::test]
async fn the_second_to_scan_a_code_is_told_and_the_browser_belongs_to_the_first() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let first = stack.wechat.person("小林", true).await;
    let second = stack.wechat.person("小雨", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    stack.wechat.scan(&first, &code).await;
    stack.wechat.scan(&second, &code).await;
    let told = stack.wechat.chat(&second).await.concat();
    assert!(told.contains("已被别人使用，您没有登录"), "{told}");
    page.shows(&first).await;
    page.reload().await;
    page.shows(&first).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn two_tabs_of_one_browser_share_a_code_and_are_both_logged_in() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let first = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = first.open_code().await;
    let second = LoginPage::visit_in_new_tab(&browser, &stack.sites[0].public).await;
    assert_eq!(second.open_code().await, code);
    stack.wechat.scan(&follower, &code).await;
    second.shows(&follower).await;
    browser.go_to_tab(0).await;
    first.shows(&follower).await;
    browser.close(&[]).await;
}
