//! The pictures in the README and in docs/modal.md.

use system_tests::{
    browser::{Browser, DESKTOP, PHONE, Screen},
    gallery, log_folder,
    login_page::LoginPage,
    stack::Stack,
};

use crate::album::Album;

/// The simulator's phone with what stands beside it.
const DESK: Screen = Screen {
    height: 860,
    ..DESKTOP
};

/// Four cards beside each other, twice.
const STATES: &str = "pending,scanned,confirmed,expired,digits,offered,page-scanned,offline";

/// Eight states of the modal at a glance.
pub(crate) async fn take_states(album: &Album) {
    let pages = gallery::serve().await;
    let browser = Browser::start(&log_folder::create()).await;
    let wide = Screen {
        width: 1776,
        height: 1500,
        ..DESKTOP
    };
    browser.pose(wide, false).await;
    let page = format!("index.html?state={STATES}&language=zh-CN&theme=light");
    browser.visit(&format!("{}/{page}", pages.origin)).await;
    browser.until("typeof gallery === 'object'").await;
    let cards = browser.element("document.querySelector('main')").await;
    let picture = cards.screenshot_as_png().await;
    let picture = picture.expect("a picture of the cards");
    album.keep_picture("docs", "modal-states", &picture);
}

pub(crate) async fn take(stack: &Stack, album: &Album) {
    let browser = Browser::speaking("zh-CN", &stack.log).await;
    browser.pose(DESKTOP, false).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    page.code().await;
    album.keep_in("docs", "modal", &browser).await;

    // The phone in another tab, about to scan that code.
    browser.open_tab(stack.wechat.url()).await;
    browser.pose(DESK, false).await;
    browser
        .until("document.querySelector('#phone').dataset.ready === 'yes'")
        .await;
    browser.click("document.querySelector('.tab-scan')").await;
    browser
        .element("document.querySelector('.code-large')")
        .await;
    browser
        .until("[...document.images].every((image) => image.complete)")
        .await;
    album.keep_in("docs", "phone", &browser).await;

    let browser = Browser::speaking("zh-CN", &stack.log).await;
    browser.pose(Screen { scale: 1, ..PHONE }, false).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    page.code().await;
    album.keep_in("docs", "modal-phone", &browser).await;
}
