//! The simulator's phone.

use system_tests::{browser::Browser, stack::Plan};

use crate::album::{Album, Look};

pub(crate) async fn take(album: &Album, look: Look) {
    // A world of its own, in which nobody has scanned anything yet.
    let stack = Plan::default().start().await;
    let browser = Browser::speaking(look.language, &stack.log).await;
    browser.pose(look.screen, look.dark).await;
    let person = stack.wechat.person("小雨", false).await;
    let mut visitor = stack.visitor();
    browser
        .visit(&format!("{}/?person={}", stack.wechat.url(), person.id))
        .await;
    browser
        .until("document.querySelector('#phone').dataset.ready === 'yes'")
        .await;
    album.keep(look, "phone-1-empty", &browser).await;
    browser.click("document.querySelector('.tab-scan')").await;
    album.keep(look, "phone-2-no-code", &browser).await;
    visitor.start_login().await;
    loaded(&browser, ".code-large").await;
    album.keep(look, "phone-3-scan", &browser).await;
    browser.click("document.querySelector('.code-large')").await;
    loaded(&browser, ".screen.account").await;
    album.keep(look, "phone-4-follow", &browser).await;
    browser
        .click("document.querySelector('[data-action=follow]')")
        .await;
    loaded(&browser, ".screen.chat .line.account").await;
    album.keep(look, "phone-5-chat", &browser).await;
    visitor.status_becomes("confirmed").await;
    browser
        .click("document.querySelector('.screen.chat .bar-button')")
        .await;
    loaded(&browser, ".screen.chats").await;
    album.keep(look, "phone-6-chats", &browser).await;
    browser.click("document.querySelector('.tab-people')").await;
    loaded(&browser, ".screen.people").await;
    album.keep(look, "phone-7-people", &browser).await;
    browser
        .click("document.querySelector('.screen.people a.add')")
        .await;
    loaded(&browser, ".screen.new-person").await;
    album.keep(look, "phone-8-new-person", &browser).await;
}

/// Waits for a part of the phone, and for every picture.
async fn loaded(browser: &Browser, selector: &str) {
    browser
        .element(&format!("document.querySelector('{selector}')"))
        .await;
    let pictures = "[...document.images].every((image) => image.complete)";
    browser.until(pictures).await;
}
