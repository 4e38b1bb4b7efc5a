//! What a page can do with the element.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    browser::{Browser, PHONE},
    deadline::eventually,
    phone_tab::WECHAT,
};

use crate::shop::{LOGIN, Shop, becomes, code, inside};

/// A policy that allows nothing inline, and of the login service what docs/your-page.md names.
const STRICT: &str =
    "default-src 'none'; script-src LOGIN; connect-src LOGIN; img-src data: https: http:";

/// Details of the events of this type so far.
async fn heard(browser: &Browser, kind: &str) -> Vec<Value> {
    let found =
        format!("heard.filter(({{ type }}) => type === '{kind}').map(({{ detail }}) => detail)");
    let found = browser.value(&found).await;
    found.as_array().expect("a list").clone()
}

async fn text(browser: &Browser, selector: &str) -> String {
    browser
        .text(&format!("{}.textContent", inside(selector)))
        .await
}

#[tokio::test]
async fn in_the_page_the_login_needs_no_button_and_the_card_stays() {
    let shop = Shop::under_policy("<wechat-login inline></wechat-login>", STRICT).await;
    let browser = Browser::start(&shop.stack.log).await;
    let person = shop.stack.wechat.person("小林", true).await;
    shop.visit(&browser).await;
    let shown = code(&browser).await;
    for absent in [".trigger", ".close"] {
        let visible = format!("{}.checkVisibility()", inside(absent));
        assert_eq!(browser.value(&visible).await, json!(false), "{absent}");
    }
    // What appears on a page takes nobody's focus.
    assert_eq!(
        browser.text("document.activeElement.localName").await,
        "body"
    );
    shop.stack.wechat.scan(&person, &shown).await;
    browser
        .until("heard.some(({ type }) => type === 'wechat-login')")
        .await;
    let logins = heard(&browser, "wechat-login").await;
    assert_eq!(logins[0]["user"]["openid"], person.openid.as_str());
    assert!(logins[0]["ticket"].is_string(), "{logins:?}");
    becomes(&browser, "confirmed").await;
    let card = format!("{}.checkVisibility()", inside(".card"));
    assert_eq!(browser.value(&card).await, json!(true));
    assert_eq!(heard(&browser, "wechat-login-close").await.len(), 0);
    browser.close(&[]).await;
}

#[tokio::test]
async fn without_a_session_the_login_is_completed_for_a_ticket_alone() {
    let shop = Shop::with("<wechat-login session=\"none\"></wechat-login>").await;
    let browser = Browser::start(&shop.stack.log).await;
    let person = shop.stack.wechat.person("小林", true).await;
    shop.visit(&browser).await;
    browser.click(&inside(".trigger")).await;
    let shown = code(&browser).await;
    shop.stack.wechat.scan(&person, &shown).await;
    becomes(&browser, "closed").await;
    let login = heard(&browser, "wechat-login").await.remove(0);
    assert_eq!(login["user"]["openid"], person.openid.as_str());
    assert!(login["ticket"].is_string(), "{login}");
    assert_eq!(session_status(&browser, &shop).await, json!(401));
    browser.close(&["status of 401"]).await;
}

/// What the login service answers to the question who is signed in.
async fn session_status(browser: &Browser, shop: &Shop) -> Value {
    let site = &shop.stack.sites[0].public;
    let question = format!(
        "fetch('{site}/api/session', {{ credentials: 'include' }}).then(async (answer) => {{
            await answer.text();
            return answer.status;
        }})"
    );
    browser.value(&question).await
}

#[tokio::test]
async fn inside_wechat_the_ticket_comes_when_the_visitor_is_back() {
    let shop = Shop::with("<wechat-login session=\"none\"></wechat-login>").await;
    let person = shop.stack.wechat.person("小林", true).await;
    let browser = Browser::start(&shop.stack.log).await;
    browser.pose(PHONE, false).await;
    browser.call_itself(WECHAT).await;
    browser.belongs_to(&person, &shop.stack.wechat).await;
    shop.visit(&browser).await;
    browser.click(&inside(".trigger")).await;
    browser
        .until("location.pathname === '/connect/oauth2/authorize'")
        .await;
    browser.press("allow").await;
    browser
        .until("window.heard?.some(({ type }) => type === 'wechat-login')")
        .await;
    let login = heard(&browser, "wechat-login").await.remove(0);
    assert_eq!(login["user"]["openid"], person.openid.as_str());
    assert!(login["ticket"].is_string(), "{login}");
    assert_eq!(session_status(&browser, &shop).await, json!(401));
    browser.close(&["status of 401"]).await;
}

#[tokio::test]
async fn every_text_can_be_replaced_and_traditional_chinese_is_spoken_in_hong_kong() {
    let body = "<wechat-login lang=\"zh-HK\" account-name=\"花店\" account-logo=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\">
        <span slot=\"stepScan\">用微信掃一掃</span></wechat-login>";
    let shop = Shop::with(body).await;
    let browser = Browser::start(&shop.stack.log).await;
    shop.visit(&browser).await;
    let trigger = inside(".trigger");
    assert_eq!(text(&browser, ".trigger").await, "微信掃碼登入");
    browser.click(&trigger).await;
    becomes(&browser, "pending").await;
    assert_eq!(text(&browser, ".title").await, "微信掃碼登入");

    let (own, named) = (".steps li:first-child", ".either span:first-child");
    assert_eq!(text(&browser, own).await, "用微信掃一掃");
    assert_eq!(text(&browser, named).await, "追蹤「花店」後自動登入");
    assert_eq!(
        browser.text(&format!("{}.lang", inside(".card"))).await,
        "zh-TW"
    );
    // The page's word for it is no trigger, and isn't shown outside either.
    let trigger = format!("{}.checkVisibility()", inside(".trigger"));
    assert_eq!(browser.value(&trigger).await, json!(true));
    let outside = format!("{LOGIN}.querySelector('span').checkVisibility()");
    assert_eq!(browser.value(&outside).await, json!(false));

    browser
        .run(&format!(
            "{LOGIN}.texts = {{ title: '登入花店', stepFollowNamed: '{{account}}！' }};"
        ))
        .await;
    assert_eq!(text(&browser, ".title").await, "登入花店");
    assert_eq!(text(&browser, named).await, "花店！");
    browser
        .run(&format!(
            "{LOGIN}.querySelector('span').textContent = '掃碼';"
        ))
        .await;
    assert_eq!(text(&browser, own).await, "掃碼");
    browser
        .run(&format!(
            "{LOGIN}.constructor.addLocale('ja', {{ trigger: 'WeChat でログイン' }}); {LOGIN}.lang = 'ja-JP';"
        ))
        .await;
    assert_eq!(text(&browser, ".trigger").await, "WeChat でログイン");
    browser.run(&format!("{LOGIN}.lang = 'fr';")).await;
    browser
        .until(&format!(
            "{}.textContent === 'Log in with WeChat'",
            inside(".trigger")
        ))
        .await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn an_element_can_be_moved_removed_and_added_again() {
    let body = "<wechat-login></wechat-login><aside></aside>";
    let shop = Shop::with(body).await;
    let browser = Browser::start(&shop.stack.log).await;
    let person = shop.stack.wechat.person("小林", true).await;
    shop.visit(&browser).await;
    browser.click(&inside(".trigger")).await;
    let shown = code(&browser).await;
    browser
        .run(&format!("document.querySelector('aside').append({LOGIN});"))
        .await;
    assert_eq!(code(&browser).await, shown);
    let modal = format!("{}.matches(':modal')", inside("dialog"));
    assert_eq!(browser.value(&modal).await, json!(true));

    browser
        .run(&format!("window.kept = {LOGIN}; kept.remove();"))
        .await;
    browser.until("kept.state === 'closed'").await;
    eventually("the attempt is over", async || {
        let question = format!(
            "fetch('{}/api/login', {{ credentials: 'include' }}).then(({{ status }}) => status)",
            shop.stack.sites[0].public
        );
        (browser.value(&question).await == json!(404)).then_some(())
    })
    .await;
    browser
        .run("document.querySelector('main').prepend(kept);")
        .await;
    browser.click(&inside(".trigger")).await;
    let next = code(&browser).await;
    assert_ne!(next, shown);
    shop.stack.wechat.scan(&person, &next).await;
    becomes(&browser, "closed").await;
    assert_eq!(heard(&browser, "wechat-login").await.len(), 1);
    browser.close(&["status of 404"]).await;
}

#[tokio::test]
async fn the_page_hears_why_a_login_fails() {
    let shop = Shop::with("<wechat-login></wechat-login>").await;
    let browser = Browser::start(&shop.stack.log).await;
    shop.visit(&browser).await;
    let down = json!([{ "path": "/cgi-bin/qrcode/create", "kind": "status", "status": 502 }]);
    shop.stack.wechat.faults(down).await;
    browser.click(&inside(".trigger")).await;
    becomes(&browser, "error").await;
    let errors = heard(&browser, "wechat-login-error").await;
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["code"], "wechat_unavailable");
    assert_eq!(errors[0]["status"], 503);
    shop.stack.wechat.faults(json!([])).await;
    browser.click(&inside(".close")).await;
    browser.click(&inside(".trigger")).await;
    code(&browser).await;
    browser.go_offline(true).await;
    becomes(&browser, "offline").await;
    let errors = heard(&browser, "wechat-login-error").await;
    assert_eq!((errors.len(), &errors[1]["code"]), (2, &json!("offline")));
    browser
        .close(&["status of 503", "ERR_INTERNET_DISCONNECTED"])
        .await;
}

#[tokio::test]
async fn a_link_of_the_pages_own_opens_the_modal_instead() {
    let body = "<wechat-login><a href=\"/elsewhere\">微信登录</a></wechat-login>";
    let shop = Shop::with(body).await;
    let browser = Browser::start(&shop.stack.log).await;
    shop.visit(&browser).await;
    browser.click(&format!("{LOGIN}.querySelector('a')")).await;
    code(&browser).await;
    assert_eq!(browser.text("location.pathname").await, "/");
    assert_eq!(
        shop.stack.visitor().call(Method::GET, "/").await.status,
        200
    );
    browser.close(&[]).await;
}
