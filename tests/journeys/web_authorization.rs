//! The page inside WeChat's own browser: nobody can scan the screen in front of them, so WeChat is
//! asked.

use serde_json::json;
use system_tests::{
    browser::{Browser, PHONE},
    login_page::{CODE, LoginPage, TRIGGER},
    phone_tab::{SAFARI, WECHAT, WECOM},
    simulator::Person,
    stack::{Plan, Stack},
};
use url::Url;

const USE_CODE: &str = "document.querySelector('#login').shadowRoot.querySelector('.use-code')";
const HINT: &str = "document.querySelector('#login').shadowRoot.querySelector('.hint')";
const BACK: &str = "document.querySelector('.back')";
const SIGNED_IN: &str = "document.querySelector('#session')?.dataset.session === 'in'";
const SIGNED_OUT: &str = "document.querySelector('#session')?.dataset.session === 'out'";

async fn start() -> Stack {
    let mut stack = Plan::default().start().await;
    stack.publish_site().await;
    stack
}

/// A phone whose browser calls itself this.
async fn phone(stack: &Stack, person: &Person, user_agent: &str) -> Browser {
    let browser = Browser::start(&stack.log).await;
    browser.pose(PHONE, false).await;
    browser.call_itself(user_agent).await;
    browser.belongs_to(person, &stack.wechat).await;
    browser
}

async fn asks_for_consent(browser: &Browser) {
    browser
        .until("location.pathname === '/connect/oauth2/authorize'")
        .await;
}

/// The page shows this person, and its address is the one that they came from.
async fn is_back_as(browser: &Browser, person: &Person, address: &str) {
    browser.until(SIGNED_IN).await;
    let nickname = "document.querySelector('#user-nickname').innerText";
    assert_eq!(browser.text(nickname).await, person.nickname);
    browser
        .until("document.querySelector('#user-avatar').naturalWidth > 0")
        .await;
    // An empty fragment is no other page; WeChat's own one would be.
    let here = browser.text("location.href").await;
    assert_eq!(here.trim_end_matches('#'), address);
    let page = LoginPage::here(browser).await;
    assert_eq!(page.user().await["openid"], json!(person.openid));
}

async fn says(browser: &Browser, words: &str) {
    browser
        .until(&format!(
            "location.pathname === '/login/wechat/stopped' && document.body.innerText.includes('{words}')"
        ))
        .await;
    assert!(
        !browser.text("location.href").await.contains("state="),
        "the address gives nothing away"
    );
}

#[tokio::test]
async fn one_press_and_a_consent_log_in() {
    let stack = start().await;
    let person = stack.wechat.person("小林", false).await;
    let browser = phone(&stack, &person, WECHAT).await;
    let address = format!("{}/?item=1#reviews", stack.sites[0].public);
    let page = LoginPage::visit(&browser, &address).await;
    let label = format!("{TRIGGER}.innerText");
    assert_eq!(browser.text(&label).await, "微信一键登录");
    page.open().await;
    asks_for_consent(&browser).await;
    browser.press("allow").await;
    is_back_as(&browser, &person, &address).await;
    assert_eq!(stack.wechat.calls("/cgi-bin/qrcode/create").await, 0);
    // Going back doesn't end the session, nor does it ask again.
    page.reload().await;
    assert_eq!(page.session().await, "in");
    browser.close(&[]).await;
}

#[tokio::test]
async fn without_web_authorisation_the_same_press_leads_to_what_works() {
    let mut stack = Plan::default()
        .gateway("GATEWAY__WECHAT__WEB_AUTHORIZATION", "false")
        .site("SITE__LOGIN__METHOD", "code")
        .start()
        .await;
    stack.publish_site().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = phone(&stack, &person, WECHAT).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let digits = page.digits().await;
    stack.wechat.message(&person, &digits).await;
    page.shows(&person).await;
    // Which the modal takes as an answer.
    let refused = "/api/login/web-authorization?return_to=%2F - Failed to load resource: the server responded with a status of 404";
    browser.close(&[refused]).await;
}

#[tokio::test]
async fn who_declines_can_try_again() {
    let stack = start().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = phone(&stack, &person, WECHAT).await;
    let address = format!("{}/", stack.sites[0].public);
    let page = LoginPage::visit(&browser, &address).await;
    page.open().await;
    asks_for_consent(&browser).await;
    let consent = Url::parse(&browser.text("location.href").await).expect("an address");
    let parameter = |wanted: &str| {
        let found = consent.query_pairs().find(|(name, _)| name == wanted);
        found.expect("it is there").1.into_owned()
    };
    browser.press("deny").await;
    // Some WeChats show a page of their own and some come back without a code.
    let back = format!("{}&state={}", parameter("redirect_uri"), parameter("state"));
    browser.visit(&back).await;
    says(&browser, "您没有同意授权").await;
    browser.click(BACK).await;
    browser.until(SIGNED_OUT).await;
    LoginPage::here(&browser).await.open().await;
    asks_for_consent(&browser).await;
    browser.press("allow").await;
    is_back_as(&browser, &person, &address).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn after_the_back_button_the_login_is_still_offered() {
    let stack = start().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = phone(&stack, &person, WECHAT).await;
    let address = format!("{}/", stack.sites[0].public);
    let page = LoginPage::visit(&browser, &address).await;
    page.open().await;
    asks_for_consent(&browser).await;
    browser.driver().back().await.expect("there is a way back");
    browser.until(SIGNED_OUT).await;
    // Whether the browser kept the page or loads it again, the same press leads on.
    browser
        .until("['closed', 'offered'].includes(document.querySelector('#login')?.dataset.state)")
        .await;
    if page.state().await == "offered" {
        page.act().await;
    } else {
        page.open().await;
    }
    asks_for_consent(&browser).await;
    browser.press("allow").await;
    is_back_as(&browser, &person, &address).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_snapshot_is_explained_and_the_full_page_logs_in() {
    let stack = start().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = phone(&stack, &person, WECHAT).await;
    let address = format!("{}/", stack.sites[0].public);
    let snapshots = async |on: bool| {
        let settings = json!({ "snapshot_pages": on });
        stack.wechat.settings(settings).await;
    };
    snapshots(true).await;
    let page = LoginPage::visit(&browser, &address).await;
    page.open().await;
    says(&browser, "使用完整服务").await;
    browser.click(BACK).await;
    browser.until(SIGNED_OUT).await;
    snapshots(false).await;
    LoginPage::here(&browser).await.open().await;
    asks_for_consent(&browser).await;
    browser.press("allow").await;
    is_back_as(&browser, &person, &address).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_double_callback_logs_in_once() {
    let stack = start().await;
    stack
        .wechat
        .settings(json!({ "double_callback": true }))
        .await;
    let person = stack.wechat.person("小林", true).await;
    let browser = phone(&stack, &person, WECHAT).await;
    let address = format!("{}/", stack.sites[0].public);
    LoginPage::visit(&browser, &address).await.open().await;
    asks_for_consent(&browser).await;
    browser.press("allow").await;
    is_back_as(&browser, &person, &address).await;
    assert_eq!(stack.wechat.calls("/sns/oauth2/access_token").await, 1);
    // The simulator asks the first time as for a picture, which no page of ours is for another
    // origin.
    browser
        .close(&["ERR_BLOCKED_BY_RESPONSE.NotSameOrigin"])
        .await;
}

#[tokio::test]
async fn a_page_that_opens_the_modal_by_itself_asks_nobody_unbidden() {
    let stack = start().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = phone(&stack, &person, WECHAT).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    browser
        .value("document.querySelector('#login').open() ?? true")
        .await;
    page.becomes("offered").await;
    assert_eq!(
        page.cover().await,
        "用当前微信登录\n不用扫码，点一下就好\n微信一键登录"
    );
    assert_eq!(stack.wechat.calls("/connect/oauth2/authorize").await, 0);
    // Where web authorisation isn't set up there is a code to press for long.
    browser.click(USE_CODE).await;
    let code = page.code().await;
    let hint = browser.text(&format!("{HINT}.innerText")).await;
    assert!(hint.contains("长按二维码"), "{hint}");
    stack.wechat.scan(&person, &code).await;
    page.shows(&person).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_gateway_that_is_away_is_named_and_a_retry_works() {
    let mut stack = start().await;
    let person = stack.wechat.person("小林", true).await;
    let browser = phone(&stack, &person, WECHAT).await;
    let gateway = &stack.gateways[0];
    let bind = gateway.internal.trim_start_matches("http://").to_owned();
    stack.plan = stack.plan.clone().gateway("GATEWAY__INTERNAL__BIND", &bind);
    stack.gateways.remove(0).process.kill();
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    page.becomes("error").await;
    let cover = page.cover().await;
    assert!(
        cover.starts_with("暂时无法登录\n登录服务繁忙，请稍后再试"),
        "{cover}"
    );
    stack.add_gateway().await;
    page.act().await;
    asks_for_consent(&browser).await;
    browser
        .close(&["/api/login/web-authorization?return_to=%2F - Failed to load resource"])
        .await;
}

#[tokio::test]
async fn other_browsers_on_a_phone_keep_the_code_and_say_how_to_scan_it() {
    let stack = start().await;
    let person = stack.wechat.person("小林", true).await;
    for user_agent in [SAFARI, WECOM] {
        let browser = phone(&stack, &person, user_agent).await;
        let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
        let code = page.open_code().await;
        assert_eq!(
            browser.value(&format!("{HINT}.checkVisibility()")).await,
            json!(true)
        );
        let hint = browser.text(&format!("{HINT}.innerText")).await;
        assert!(
            hint.starts_with("在手机上？保存二维码，在微信「扫一扫」里从相册选取"),
            "{hint}"
        );
        assert!(hint.contains("保存二维码"), "{hint}");
        // An album takes no SVG.
        browser
            .until(&format!("{CODE}.src.startsWith('data:image/png')"))
            .await;
        stack.wechat.scan(&person, &code).await;
        page.shows(&person).await;
        browser.close(&[]).await;
    }
}
