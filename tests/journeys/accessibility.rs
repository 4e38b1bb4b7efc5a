//! Without a mouse, and without eyes.

use serde_json::{Value, json};
use system_tests::{browser::Browser, deadline::eventually, login_page::LoginPage, stack::Plan};
use thirtyfour::Key;

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
    let on_trigger = format!("{FOCUSED}.classList.contains('trigger')");
    let mut presses = 0;
    while browser.value(&on_trigger).await != json!(true) {
        press(&browser, Key::Tab).await;
        presses += 1;
        assert!(presses < 10, "the login button is a few presses away");
    }
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
        eventually(&format!("the live region says {words}"), async || {
            let seen = tree(&browser).await;
            named(&seen, "status", "")?;
            named(&seen, "StaticText", words).map(|_| ())
        })
        .await;
    }
    assert!(named(&tree(&browser).await, "button", "刷新二维码").is_some());
    browser.close(&[]).await;
}
