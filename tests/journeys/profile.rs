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

/// The page of somebody who is logged in and whose nickname nobody knows yet.
async fn nameless<'browser>(
    browser: &'browser Browser,
    stack: &Stack,
    person: &Person,
) -> LoginPage<'browser> {
    browser.belongs_to(person, &stack.wechat).await;
    let page = LoginPage::visit(browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    stack.wechat.scan(person, &code).await;
    browser
        .until("document.querySelector('#session').dataset.session === 'in'")
        .await;
    page.becomes("closed").await;
    assert_eq!(browser.text(NICKNAME).await, "微信用户");
    page
}

async fn today() -> Stack {
    let plan = Plan::default().simulator("SIMULATOR__WECHAT__PROFILE_IN_USER_INFO", "false");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    stack
}

#[tokio::test]
async fn nickname_and_avatar_appear_after_the_link_and_at_once_at_the_next_login() {
    let stack = today().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    let page = nameless(&browser, &stack, &person).await;
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

#[tokio::test]
async fn an_answer_that_comes_after_signing_out_signs_nobody_in() {
    let stack = today().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    let page = nameless(&browser, &stack, &person).await;
    // The next answer about the session is read slowly.
    let slow = "(() => {
        const read = Response.prototype.json;
        Response.prototype.json = async function () {
            const answer = await read.call(this);
            await new Promise((release) => { window.release = release; });
            window.read = true;
            return answer;
        };
        return true;
    })()";
    browser.value(slow).await;
    browser.until("typeof window.release === 'function'").await;
    browser.click("document.querySelector('#logout')").await;
    browser
        .until("document.querySelector('#session').dataset.session === 'out'")
        .await;
    browser.value("window.release() ?? true").await;
    browser.until("window.read === true").await;
    assert_eq!(page.session().await, "out");
    browser.close(&[]).await;
}

#[tokio::test]
async fn an_answer_that_is_not_the_sites_is_asked_for_again() {
    let stack = today().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    nameless(&browser, &stack, &person).await;
    // A captive portal answers with its own page, once.
    let portal = "(() => {
        const ask = fetch;
        window.fetch = async () => {
            window.fetch = ask;
            window.misled = true;
            return new Response('<!doctype html>');
        };
        return true;
    })()";
    browser.value(portal).await;
    browser.until("window.misled === true").await;
    let link = link(&stack, &person).await;
    browser.open_tab(&link).await;
    browser.press("allow").await;
    browser.go_to_tab(0).await;
    browser.until(&format!("{NICKNAME} === '小林'")).await;
    browser.close(&[]).await;
}
