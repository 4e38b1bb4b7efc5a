//! The code on the screen: how it ends, how it is replaced, what a reload does to it.

use system_tests::{
    browser::Browser,
    deadline::eventually,
    login_page::{CODE, LoginPage},
    stack::Plan,
};

#[tokio::test]
async fn an_expired_code_gives_way_to_a_new_one_that_logs_in() {
    let plan = Plan::default().site("SITE__LOGIN__TTL_SECONDS", "4");
    let stack = plan.start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let expired = page.open_code().await;
    page.becomes("expired").await;
    assert_eq!(page.cover().await, "二维码已失效\n刷新二维码");
    // Its cover fades in.
    eventually("nobody can scan a dead code", async || {
        browser.qr_code(CODE).await.is_none().then_some(())
    })
    .await;
    page.act().await;
    let code = page.code().await;
    assert_ne!(code, expired);
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    browser.close(&[]).await;
}

/// A device for which time runs faster: its first code ends after three seconds.
const FAST_CLOCK: &str = "
    const { text } = Response.prototype;
    let first = true;
    Response.prototype.text = async function () {
        const read = await text.call(this);
        const shortened = read.replace(/\"expires_in_seconds\":\\d+/, '\"expires_in_seconds\":3');
        const changed = first && shortened !== read;
        if (changed) first = false;
        return changed ? shortened : read;
    };
";

#[tokio::test]
async fn a_code_that_only_this_device_takes_for_expired_gives_way_to_another_one() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    browser
        .prepare(&format!("(() => {{ {FAST_CLOCK} }})();"))
        .await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let shown = format!("{CODE}.src");
    page.open().await;
    page.becomes("expired").await;
    let expired = browser.text(&shown).await;
    page.act().await;
    let code = page.code().await;
    assert_ne!(browser.text(&shown).await, expired);
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_reload_shows_the_same_code_and_its_scan_logs_in() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let before = page.open_code().await;
    page.reload().await;
    assert_eq!(page.code().await, before);
    stack.wechat.scan(&follower, &before).await;
    page.shows(&follower).await;
    browser.close(&[]).await;
}
