//! The demo: the website in one tab, the simulator's phone in another, and nothing but clicks.

use system_tests::{
    browser::Browser,
    deadline::eventually,
    login_page::LoginPage,
    simulator::Person,
    stack::{Plan, Stack},
};

/// Opens the phone in another tab and gives it to this person.
async fn take_the_phone(browser: &Browser, stack: &Stack, person: &Person) {
    browser.open_tab(stack.wechat.url()).await;
    browser
        .until("document.querySelector('#phone').dataset.ready === 'yes'")
        .await;
    browser.click("document.querySelector('.tab-people')").await;
    let row = format!("document.querySelector('[data-person=\"{}\"]')", person.id);
    browser.click(&row).await;
    browser.click("document.querySelector('.tab-scan')").await;
}

async fn chat_shows(browser: &Browser, words: &str) {
    eventually(&format!("the chat shows {words}"), async || {
        let chat = browser
            .text("document.querySelector('.screen.chat')?.innerText")
            .await;
        chat.contains(words).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_follower_logs_in_with_clicks_alone() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    page.becomes("pending").await;
    take_the_phone(&browser, &stack, &follower).await;
    browser.click("document.querySelector('.code-large')").await;
    chat_shows(&browser, "欢迎回来！您已登录").await;
    browser.go_to_tab(0).await;
    page.shows(&follower).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_newcomer_follows_and_logs_in_with_clicks_alone() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let newcomer = stack.wechat.person("小雨", false).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    page.becomes("pending").await;
    take_the_phone(&browser, &stack, &newcomer).await;
    browser.click("document.querySelector('.code-large')").await;
    browser
        .click("document.querySelector('[data-action=follow]')")
        .await;
    chat_shows(&browser, "感谢关注！您已登录").await;
    browser.go_to_tab(0).await;
    page.shows(&newcomer).await;
    browser.close(&[]).await;
}
