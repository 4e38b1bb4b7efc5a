//! What a visitor does at any shop, in a real Chromium.

use reqwest::Method;
use system_tests::{
    browser::Browser,
    deadline::eventually,
    login_page::CODE,
    simulator::{Person, Simulator},
    visitor::{SESSION_COOKIE, Visitor},
};

use crate::shop::Shop;

const TRIGGER: &str = "document.querySelector('wechat-login').shadowRoot.querySelector('.trigger')";

/// Presses the shop's button and scans the code with this person's phone.
pub(crate) async fn scan(browser: &Browser, wechat: &Simulator, person: &Person) {
    browser
        .until(&format!(
            "document.querySelector('wechat-login')?.shadowRoot && {TRIGGER}?.offsetWidth > 0"
        ))
        .await;
    browser.click(TRIGGER).await;
    let code = eventually("a phone can read the code", async || {
        browser
            .qr_code(&CODE.replace("#login", "wechat-login"))
            .await
    })
    .await;
    wechat.scan(person, &code).await;
}

/// Waits until the shop's page says so.
pub(crate) async fn shows(browser: &Browser, who: &str, following: &str) {
    browser
        .until(&format!(
            "document.querySelector('#who')?.innerText.startsWith('{who}') \
             && document.querySelector('#following').innerText === '{following}'"
        ))
        .await;
}

async fn sign_out(browser: &Browser) {
    browser.click("document.querySelector('#out button')").await;
    shows(browser, "未登录", "未关注").await;
}

/// Types the password of the account that the shop has had before.
async fn enter_password(browser: &Browser) {
    for (name, typed) in [("name", "alice"), ("password", "correct horse")] {
        let field = format!("document.querySelector('#password [name={name}]')");
        let field = browser.element(&field).await;
        field.send_keys(typed).await.expect("a field takes letters");
    }
    browser
        .click("document.querySelector('#password button')")
        .await;
}

/// Somebody new becomes a user, an unfollow shows, somebody binds an account that exists, nobody
/// binds what is somebody else's, and who signs out is out at both places.
pub(crate) async fn shop_of_users(shop: &Shop) {
    let browser = Browser::start(&shop.stack.log).await;
    let wechat = &shop.stack.wechat;
    let [newcomer, alice] = [
        wechat.person("小林", true).await,
        wechat.person("小王", true).await,
    ];
    browser.visit(&shop.url).await;
    shows(&browser, "未登录", "未关注").await;
    scan(&browser, wechat, &newcomer).await;
    shows(&browser, "wx-", "已关注").await;
    wechat.unfollow(&newcomer).await;
    browser.visit(&shop.url).await;
    shows(&browser, "wx-", "未关注").await;
    sign_out(&browser).await;

    // An account that exists is bound by a scan, and the scan alone signs it in afterwards.
    enter_password(&browser).await;
    shows(&browser, "alice", "未关注").await;
    scan(&browser, wechat, &alice).await;
    shows(&browser, "alice", "已关注").await;
    sign_out(&browser).await;
    scan(&browser, wechat, &alice).await;
    shows(&browser, "alice", "已关注").await;

    // The same browser is signed in at the login service, too, from another page.
    let mut elsewhere = Visitor::new(&shop.stack.sites[0].public);
    let code = elsewhere.start_login().await;
    wechat.scan(&alice, &code).await;
    elsewhere.status_becomes("confirmed").await;
    elsewhere.complete().await;
    let session = elsewhere.cookies()[SESSION_COOKIE].clone();
    let cookie = format!("document.cookie = '{SESSION_COOKIE}={session}; path=/'");
    browser.run(&cookie).await;
    sign_out(&browser).await;
    assert_eq!(elsewhere.session().await, None);
    browser.close(&["favicon.ico"]).await;
}

/// A page of somebody else's knows no token, and an invented ticket is nobody's.
pub(crate) async fn forged_forms_are_refused(shop: &Shop) {
    let mut stranger = Visitor::new(&shop.url);
    let page = stranger.call(Method::GET, "/").await.text;
    for path in ["/wechat", "/password", "/out"] {
        let fields = "csrf=guessed&ticket=invented&name=alice&password=correct+horse";
        let answer = stranger.post_form(path, fields.to_owned()).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let page = match page.split_once("name=\"csrf\" value=\"") {
        Some((_, token)) => token.to_owned(),
        None => panic!("no token in {page}"),
    };
    let (token, _) = page.split_once('"').expect("which ends");
    let fields = format!("csrf={token}&ticket=invented");
    let answer = stranger.post_form("/wechat", fields).await;
    assert_eq!(answer.status, 403);
}
