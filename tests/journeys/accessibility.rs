//! Without a mouse, and without eyes.

use serde_json::{Value, json};
use system_tests::{browser::Browser, deadline::eventually, login_page::LoginPage, stack::Plan};
use thirtyfour::Key;

use crate::{
    profile::link,
    tap::{open, says, tap_mode},
};

const FOCUSED: &str = "(document.activeElement.shadowRoot ?? document).activeElement";

async fn press(browser: &Browser, key: Key) {
    let focused = browser.element("document.activeElement").await;
    focused.send_keys(key).await.expect("a key");
}

#[tokio::test]
async fn the_keyboard_alone_opens_and_closes_and_the_focus_comes_back() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    reach_the_trigger(&browser).await;
    let on_trigger = format!("{FOCUSED}.classList.contains('trigger')");
    press(&browser, Key::Enter).await;
    page.becomes("pending").await;
    let in_modal = format!("{FOCUSED}.closest('dialog') !== null");
    assert_eq!(browser.value(&in_modal).await, json!(true));

    press(&browser, Key::Escape).await;
    page.becomes("closed").await;
    assert_eq!(browser.value(&on_trigger).await, json!(true));

    press(&browser, Key::Enter).await;
    let code = page.code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    // A reader hears who is logged in now, instead of starting at the top of the page.
    let focused = browser.text("document.activeElement.id").await;
    assert_eq!(focused, "user-nickname");
    browser.close(&[]).await;
}

/// What assistive technology sees: role, name and the text below.
async fn tree(browser: &Browser) -> Vec<Value> {
    let tree = browser
        .devtools("Accessibility.getFullAXTree", json!({}))
        .await;
    let nodes = tree["nodes"].as_array().cloned().unwrap_or_default();
    nodes
        .into_iter()
        .filter(|node| node["ignored"] != json!(true))
        .collect()
}

fn named<'tree>(tree: &'tree [Value], role: &str, name: &str) -> Option<&'tree Value> {
    tree.iter().find(|node| {
        node["role"]["value"] == role
            && node["name"]["value"]
                .as_str()
                .is_some_and(|found| found.contains(name))
    })
}

#[tokio::test]
async fn a_screen_reader_finds_a_named_dialog_and_hears_what_changes() {
    let stack = Plan::default().site("SITE__LOGIN__TTL_SECONDS", "4");
    let stack = stack.start().await;
    let browser = Browser::start(&stack.log).await;
    browser.devtools("Accessibility.enable", json!({})).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open_code().await;

    let seen = tree(&browser).await;
    let dialog = named(&seen, "dialog", "微信扫码登录").expect("a dialog with a name");
    let modal = json!({ "name": "modal", "value": { "type": "boolean", "value": true } });
    let properties = dialog["properties"].as_array().expect("it has properties");
    assert!(properties.contains(&modal), "{properties:#?}");
    assert!(named(&seen, "button", "关闭").is_some());
    assert!(named(&seen, "image", "微信登录二维码").is_some());
    assert!(named(&seen, "timer", "").is_some());

    for words in ["二维码已就绪，请用微信扫一扫", "二维码已失效"] {
        hears(&browser, words).await;
    }
    assert!(named(&tree(&browser).await, "button", "刷新二维码").is_some());
    browser.close(&[]).await;
}

/// Tabs from wherever the focus is to the login button.
async fn reach_the_trigger(browser: &Browser) {
    let on_trigger = format!("{FOCUSED}.classList.contains('trigger')");
    let mut presses = 0;
    while browser.value(&on_trigger).await != json!(true) {
        press(browser, Key::Tab).await;
        presses += 1;
        assert!(presses < 10, "the login button is a few presses away");
    }
}

#[tokio::test]
async fn a_screen_reader_and_the_keyboard_alone_go_through_a_whole_login() {
    let stack = tap_mode(Plan::default()).await;
    let person = stack.wechat.person("小林", true).await;
    let browser = Browser::start(&stack.log).await;
    browser.devtools("Accessibility.enable", json!({})).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let login = "微信扫码登录";
    assert!(named(&tree(&browser).await, "button", login).is_some());
    reach_the_trigger(&browser).await;
    press(&browser, Key::Enter).await;
    let code = page.code().await;
    let seen = tree(&browser).await;
    assert!(named(&seen, "dialog", login).is_some());
    assert!(named(&seen, "image", "微信登录二维码").is_some());
    // What the last words are can't be read off the tree: the dialog closes after them.
    browser
        .run(
            "window.heard = [];
             const status = document.querySelector('#login').shadowRoot.querySelector('[role=status]');
             new MutationObserver(() => heard.push(status.textContent))
                 .observe(status, { childList: true, characterData: true, subtree: true });",
        )
        .await;

    stack.wechat.scan(&person, &code).await;
    hears(&browser, "已扫描").await;
    let link = link(&stack, &person).await;
    open(&browser, &stack, &person, &link).await;
    browser.press("confirm").await;
    says(&browser, "已确认登录").await;
    browser.go_to_tab(0).await;
    page.shows(&person).await;
    browser
        .until("heard.some((words) => words.includes('登录成功'))")
        .await;
    let seen = tree(&browser).await;
    assert!(named(&seen, "dialog", "").is_none(), "{seen:#?}");
    let focused = browser.text("document.activeElement.id").await;
    assert_eq!(focused, "user-nickname");

    // And out again.
    let out = "document.activeElement.innerText.includes('退出登录')";
    let mut presses = 0;
    while browser.value(out).await != json!(true) {
        press(&browser, Key::Tab).await;
        presses += 1;
        assert!(presses < 10, "signing out is a few presses away");
    }
    press(&browser, Key::Enter).await;
    eventually("the login button is there again", async || {
        named(&tree(&browser).await, "button", login).map(|_| ())
    })
    .await;
    browser.close(&[]).await;
}

/// Waits until the live region says so.
async fn hears(browser: &Browser, words: &str) {
    eventually(&format!("the live region says {words}"), async || {
        let seen = tree(browser).await;
        named(&seen, "status", "")?;
        named(&seen, "StaticText", words).map(|_| ())
    })
    .await;
}
