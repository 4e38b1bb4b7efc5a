//! Pieces of the modal that can't be fetched, when the network broke after the page was loaded: the
//! visitor is told, and can go on.

use serde_json::json;
use system_tests::{
    browser::{Browser, PHONE},
    phone_tab::WECHAT,
    stack::Plan,
};

use crate::shop::{Shop, becomes, code, inside};

/// What the browser's log says of a piece that didn't come.
const BLOCKED: &str = "ERR_BLOCKED_BY_CLIENT";

async fn cover(browser: &Browser) -> String {
    let words = format!("{}.innerText.replace(/\\n+/g, '\\n')", inside(".cover"));
    browser.text(&words).await
}

#[tokio::test]
async fn without_the_piece_for_digits_the_visitor_can_try_again() {
    let plan = Plan::default().site("SITE__LOGIN__METHOD", "code");
    let shop = Shop::of(plan, "<wechat-login></wechat-login>", "").await;
    let browser = Browser::start(&shop.stack.log).await;
    let person = shop.stack.wechat.person("小林", true).await;
    browser.block(&["*/wechat-login/other-ways.*"]).await;
    shop.visit(&browser).await;
    browser.click(&inside(".trigger")).await;
    becomes(&browser, "offline").await;
    assert_eq!(
        cover(&browser).await,
        "网络连接已断开\n恢复后会自动继续\n重试"
    );
    let heard = "heard.filter(({ type }) => type === 'wechat-login-error').map(({ detail }) => detail.code)";
    assert_eq!(browser.value(heard).await, json!(["offline"]));

    // It may have tried again by itself meanwhile; a press does no harm then.
    browser.block(&[]).await;
    browser
        .run(&format!("{}.click();", inside(".action")))
        .await;
    becomes(&browser, "pending").await;
    // Browsers before 2026 ask for each address once, whatever came of it.
    let another = "performance.getEntriesByType('resource')
        .some(({ name }) => /other-ways\\.\\w+\\.js\\?+$/.test(name))";
    assert_eq!(browser.value(another).await, json!(true));
    let digits = browser
        .text(&format!("{}.textContent", inside(".groups")))
        .await;
    shop.stack.wechat.message(&person, &digits).await;
    browser
        .until("heard.some(({ type }) => type === 'wechat-login')")
        .await;
    browser.close(&[BLOCKED]).await;
}

#[tokio::test]
async fn without_the_piece_for_work_the_visitor_can_try_again() {
    let plan = Plan::default().site("SITE__LIMITS__LOGINS_WITHOUT_PROOF", "1");
    let shop = Shop::of(plan, "<wechat-login></wechat-login>", "").await;
    let browser = Browser::start(&shop.stack.log).await;
    shop.stack.visitor().start_login().await;
    browser.block(&["*/wechat-login/problems.*"]).await;
    shop.visit(&browser).await;
    browser.click(&inside(".trigger")).await;
    becomes(&browser, "offline").await;

    browser.block(&[]).await;
    browser
        .run(&format!("{}.click();", inside(".action")))
        .await;
    becomes(&browser, "pending").await;
    assert_eq!(shop.stack.wechat.calls("/cgi-bin/qrcode/create").await, 2);
    browser
        .close(&[BLOCKED, "/api/login - Failed to load resource"])
        .await;
}

#[tokio::test]
async fn without_the_piece_for_wechat_a_link_leads_to_the_hosted_page() {
    let shop = Shop::with("<wechat-login></wechat-login>").await;
    let browser = Browser::start(&shop.stack.log).await;
    browser.pose(PHONE, false).await;
    browser.call_itself(WECHAT).await;
    browser.block(&["*/wechat-login/web-authorization.*"]).await;
    shop.visit(&browser).await;
    let link = inside(".plain-link");
    browser.until(&format!("!{link}.hidden")).await;
    let hosted = format!("{}/login?return_to=", shop.stack.sites[0].public);
    let leads = browser.text(&format!("{link}.href")).await;
    assert!(leads.starts_with(&hosted), "{leads}");
    assert_eq!(
        browser.text(&format!("{link}.textContent")).await,
        "微信一键登录"
    );
    browser.close(&[BLOCKED]).await;
}

#[tokio::test]
async fn without_the_words_for_a_problem_there_are_simpler_ones() {
    let shop = Shop::with("<wechat-login></wechat-login>").await;
    let browser = Browser::start(&shop.stack.log).await;
    browser.block(&["*/wechat-login/problems.*"]).await;
    let down = json!([{ "path": "/cgi-bin/qrcode/create", "kind": "status", "status": 502 }]);
    shop.stack.wechat.faults(down).await;
    shop.visit(&browser).await;
    browser.click(&inside(".trigger")).await;
    becomes(&browser, "error").await;
    let told = cover(&browser).await;
    assert!(
        told.starts_with("暂时无法登录\n服务器出了点问题，请稍后再试\n"),
        "{told}"
    );
    shop.stack.wechat.faults(json!([])).await;
    let action = inside(".action");
    // The service says when.
    browser.until(&format!("!{action}.disabled")).await;
    browser.click(&action).await;
    code(&browser).await;
    browser.close(&[BLOCKED, "status of 503"]).await;
}
