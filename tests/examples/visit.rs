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

/// Waits until the page says whose it is.
pub(crate) async fn says(browser: &Browser, words: &str) {
    browser
        .until(&format!(
            "document.querySelector('#who')?.innerText === '{words}'"
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

/// Somebody new becomes a user, an unfollow shows, somebody binds an account that exists, and who
/// signs out is out at both places.
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

/// A ticket of somebody who scans in a browser of their own.
async fn ticket_of(shop: &Shop, person: &Person) -> String {
    let mut visitor = Visitor::new(&shop.stack.sites[0].public);
    let code = visitor.start_login().await;
    shop.stack.wechat.scan(person, &code).await;
    visitor.status_becomes("confirmed").await;
    let path = "/api/login/complete?session=none";
    let answer = visitor.call(Method::POST, path).await;
    let ticket = answer.json["ticket"].as_str();
    ticket.expect("it comes with a ticket").to_owned()
}

/// The token that the shop's forms have for this browser now.
async fn token_of(shopper: &mut Visitor) -> String {
    let page = shopper.call(Method::GET, "/").await.text;
    let token = page.split_once("name=\"csrf\" value=\"");
    let (_, token) = token.unwrap_or_else(|| panic!("no token in {page}"));
    let (token, _) = token.split_once('"').expect("which ends");
    token.to_owned()
}

/// A page of somebody else's knows no token, an invented ticket is nobody's, and nobody binds what is
/// somebody else's.
pub(crate) async fn forged_forms_are_refused(shop: &Shop) {
    let person = shop.stack.wechat.person("小丁", true).await;
    let ticket = ticket_of(shop, &person).await;
    let mut stranger = Visitor::new(&shop.url);
    let token = token_of(&mut stranger).await;
    let fields = format!("csrf=guessed&ticket={ticket}&name=alice&password=correct+horse");
    for path in ["/wechat", "/password", "/out"] {
        let answer = stranger.post_form(path, fields.clone()).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let invented = format!("csrf={token}&ticket=invented");
    let answer = stranger.post_form("/wechat", invented).await;
    assert_eq!(answer.status, 403);
    // The ticket was as good as ever: it is the token that was missing.
    let fields = format!("csrf={token}&ticket={ticket}");
    let answer = stranger.post_form("/wechat", fields).await;
    assert!(answer.status.as_u16() < 400, "{}", answer.status);

    let mut alice = Visitor::new(&shop.url);
    let token = token_of(&mut alice).await;
    let fields = format!("csrf={token}&name=alice&password=correct+horse");
    let answer = alice.post_form("/password", fields).await;
    assert!(answer.status.as_u16() < 400, "{}", answer.status);
    let token = token_of(&mut alice).await;
    let ticket = ticket_of(shop, &person).await;
    let fields = format!("csrf={token}&ticket={ticket}");
    let answer = alice.post_form("/wechat", fields).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
}
