//! Nickname and avatar: they appear while the page is open, and are there at once the next time.

use system_tests::{
    browser::Browser,
    deadline::eventually,
    login_page::LoginPage,
    simulator::Person,
    stack::{Plan, Stack},
};

const NICKNAME: &str = "document.querySelector('#user-nickname').innerText";

/// The link in the newest line of their chat, once it is there.
pub(crate) async fn link(stack: &Stack, person: &Person) -> String {
    eventually("the reply holds a link", async || {
        let chat = stack.wechat.chat(person).await;
        let (_, after) = chat.last()?.split_once("href=\"")?;
        Some(after.split_once('"')?.0.replace("&amp;", "&"))
    })
    .await
}

#[tokio::test]
async fn nickname_and_avatar_appear_after_the_link_and_at_once_at_the_next_login() {
    let plan = Plan::default().simulator("SIMULATOR__WECHAT__PROFILE_IN_USER_INFO", "false");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    browser.belongs_to(&person, &stack.wechat).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    stack.wechat.scan(&person, &code).await;
    browser
        .until("document.querySelector('#session').dataset.session === 'in'")
        .await;
    page.becomes("closed").await;
    assert_eq!(browser.text(NICKNAME).await, "微信用户");
    browser.value("(window.sameVisit = true)").await;

    browser.open_tab(&link(&stack, &person).await).await;
    browser.press("allow").await;
    browser
        .until("document.body.innerText.includes('谢谢')")
        .await;
    browser.go_to_tab(0).await;
    browser.until(&format!("{NICKNAME} === '小林'")).await;
    browser
        .until("document.querySelector('#user-avatar').naturalWidth > 0")
        .await;
    browser.until("window.sameVisit === true").await;

    browser.click("document.querySelector('#logout')").await;
    browser
        .until("document.querySelector('#session').dataset.session === 'out'")
        .await;
    // Nothing may be asked for the name any more.
    browser.block(&["*/api/session"]).await;
    let code = page.open_code().await;
    stack.wechat.scan(&person, &code).await;
    browser
        .until("document.querySelector('#session').dataset.session === 'in'")
        .await;
    assert_eq!(browser.text(NICKNAME).await, "小林");
    browser
        .until("document.querySelector('#user-avatar').checkVisibility()")
        .await;
    assert_eq!(stack.wechat.calls("/sns/userinfo").await, 1);
    browser.close(&[]).await;
}
