//! The pictures in the README.

use system_tests::{
    browser::{Browser, DESKTOP, PHONE, Screen},
    login_page::LoginPage,
    stack::Stack,
};

use crate::album::Album;

/// The simulator's phone with what stands beside it.
const DESK: Screen = Screen {
    height: 860,
    ..DESKTOP
};

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
