//! Ways to log in beside WeChat's code, as a visitor meets them: digits that they send to the account, a
//! page of ours on the phone, and the change from one to another.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    browser::{Browser, PHONE},
    login_page::{CODE, COPY, DIGITS, LoginPage, OTHER_WAY, SAVE, TRIGGER},
    pages::Pages,
    phone_tab::SAFARI,
    simulator::Person,
    stack::{Plan, Stack},
};
use thirtyfour::Key;

const CREATE: &str = "/cgi-bin/qrcode/create";

/// One straight way through the modal.
const STRAIGHT: [&str; 5] = ["loading", "pending", "completing", "confirmed", "closed"];

fn plan(method: &str) -> Plan {
    Plan::default()
        .site("SITE__LOGIN__METHOD", method)
        .gateway("GATEWAY__WECHAT__NAME", "小林花店")
}

/// A system whose gateway has pages.
async fn with_pages(method: &str) -> Stack {
    // The public address is needed from the start; the real one follows.
    let plan = plan(method).gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    stack
}

/// This person presses a button of the page that a code of ours opens.
async fn decide(stack: &Stack, person: &Person, code: &str, decision: &str) -> Value {
    let path = format!("/simulator/people/{}/open", person.id);
    let press = json!({ "url": code, "form": { "decision": decision } });
    stack.wechat.control(Method::POST, &path, press).await
}

async fn last_reply(stack: &Stack, person: &Person) -> String {
    stack.wechat.chat(person).await.pop().unwrap_or_default()
}

#[tokio::test]
async fn digits_typed_on_the_phone_log_in() {
    let stack = plan("code").start().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let digits = page.digits().await;
    let steps = [
        "在微信里搜索并关注「小林花店」",
        "把验证码发给「小林花店」，自动登录",
    ];
    assert_eq!(page.steps().await, steps);

    browser.open_tab(stack.wechat.url()).await;
    browser
        .until("document.querySelector('#phone').dataset.ready === 'yes'")
        .await;
    browser.click("document.querySelector('.tab-people')").await;
    let row = format!("document.querySelector('[data-person=\"{}\"]')", person.id);
    browser.click(&row).await;
    browser.click("document.querySelector('.tab-chats')").await;
    browser
        .click("document.querySelector('.screen.chats .row')")
        .await;
    let input = browser
        .element("document.querySelector('.message-input')")
        .await;
    input.send_keys(&digits).await.expect("they type");
    input.send_keys(Key::Enter).await.expect("they send");
    browser
        .until("document.querySelector('.screen.chat').innerText.includes('您已登录')")
        .await;
    browser.go_to_tab(0).await;
    page.shows(&person).await;
    assert_eq!(page.states().await, STRAIGHT);
    browser.close(&[]).await;
}

#[tokio::test]
async fn wrong_and_expired_digits_log_nobody_in_and_new_ones_do() {
    let plan = plan("code").site("SITE__LOGIN__TTL_SECONDS", "4");
    let stack = plan.start().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let expired = page.digits().await;
    stack.wechat.message(&person, "0000").await;
    page.becomes("expired").await;
    assert_eq!(page.cover().await, "验证码已失效\n换一个验证码");
    stack.wechat.message(&person, &expired).await;
    assert_eq!(page.state().await, "expired");
    page.act().await;
    let digits = page.digits().await;
    assert_ne!(digits, expired);
    stack.wechat.message(&person, &digits).await;
    page.shows(&person).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_thief_who_sees_the_screen_gets_no_session() {
    let stack = plan("code").start().await;
    let browser = Browser::start(&stack.log).await;
    let victim = stack.wechat.person("小林", true).await;
    let thief = stack.wechat.person("小偷", true).await;
    let mut thiefs_browser = stack.visitor();
    thiefs_browser.call(Method::POST, "/api/login").await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let digits = page.digits().await;
    stack.wechat.message(&victim, &digits).await;
    page.shows(&victim).await;
    // Used digits are of no use, and the thief's browser waits for digits of its own.
    stack.wechat.message(&thief, &digits).await;
    let told = last_reply(&stack, &thief).await;
    assert!(told.contains("已被别人使用，您没有登录"), "{told}");
    assert_eq!(thiefs_browser.status().await, "pending");
    assert_eq!(thiefs_browser.session().await, None);
    browser.close(&[]).await;
}

#[tokio::test]
async fn who_sends_somebody_elses_digits_first_is_logged_in_there_as_nobody_else() {
    let stack = plan("code").start().await;
    let browser = Browser::start(&stack.log).await;
    let victim = stack.wechat.person("小林", true).await;
    let other = stack.wechat.person("小王", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let digits = page.digits().await;
    stack.wechat.message(&other, &digits).await;
    stack.wechat.message(&victim, &digits).await;
    // The visitor reads who it is, on the screen and on the phone.
    page.shows(&other).await;
    let told = last_reply(&stack, &victim).await;
    assert!(told.contains("已被别人使用，您没有登录"), "{told}");
    browser.close(&[]).await;
}

#[tokio::test]
async fn the_digits_survive_a_break_in_the_network_and_a_reload() {
    let stack = plan("code").start().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let digits = page.digits().await;
    browser.go_offline(true).await;
    page.becomes("offline").await;
    browser.go_offline(false).await;
    assert_eq!(page.digits().await, digits);
    page.reload().await;
    assert_eq!(page.digits().await, digits);
    stack.wechat.message(&person, &digits).await;
    page.shows(&person).await;
    browser.close(&["ERR_INTERNET_DISCONNECTED"]).await;
}

#[tokio::test]
async fn in_tap_mode_the_modal_says_that_the_digits_have_come() {
    let plan = plan("code")
        .gateway("GATEWAY__PUBLIC__URL", "http://127.0.0.1:1")
        .site("SITE__LOGIN__APPROVAL", "tap");
    let mut stack = plan.start().await;
    stack.publish_gateway().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let digits = page.digits().await;
    stack.wechat.message(&person, &digits).await;
    page.becomes("scanned").await;
    assert_eq!(page.cover().await, "已收到验证码\n请在手机上确认");
    let link = crate::profile::link(&stack, &person).await;
    decide(&stack, &person, &link, "deny").await;
    page.becomes("denied").await;
    let cover = page.cover().await;
    assert_eq!(
        cover,
        "已取消登录\n你在手机上拒绝了这次登录\n重新获取验证码"
    );
    page.act().await;
    assert_ne!(page.digits().await, digits);
    browser.close(&[]).await;
}

#[tokio::test]
async fn copying_gives_the_digits_and_says_so() {
    let stack = plan("code").start().await;
    let browser = Browser::start(&stack.log).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let digits = page.digits().await;
    browser
        .run(
            "addEventListener('copy', (event) => { window.copied = event.composedPath()[0].value; });",
        )
        .await;
    browser.click(COPY).await;
    assert_eq!(browser.text("window.copied").await, digits);
    browser
        .until(&format!("{COPY}.textContent === '已复制'"))
        .await;
    let said =
        "document.querySelector('#login').shadowRoot.querySelector('[role=status]').textContent";
    assert_eq!(browser.text(said).await, "已复制");
    let focused = format!("{COPY} === document.activeElement.shadowRoot.activeElement");
    assert_eq!(browser.value(&focused).await, json!(true));
    browser
        .until(&format!("{COPY}.textContent === '复制'"))
        .await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn on_a_phone_one_press_copies_and_opens_wechat() {
    let stack = plan("code").start().await;
    let browser = Browser::start(&stack.log).await;
    browser.pose(PHONE, false).await;
    browser.call_itself(SAFARI).await;
    // Nothing here opens such a link.
    browser
        .prepare(
            "HTMLAnchorElement.prototype.click = function () { window.opened = [this.href, window.copied]; };
             addEventListener('copy', (event) => { window.copied = event.composedPath()[0].value; });",
        )
        .await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    let digits = page.digits().await;
    assert_eq!(
        browser.text(&format!("{COPY}.textContent")).await,
        "复制并打开微信"
    );
    browser.click(COPY).await;
    let opened = browser.value("window.opened").await;
    assert_eq!(opened, json!(["weixin://", digits]));
    browser.close(&[]).await;
}

#[tokio::test]
async fn the_accounts_picture_is_shown_and_can_be_saved_on_a_phone() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/modal-phone.png");
    let plan = plan("code").gateway("GATEWAY__WECHAT__QR_URL", file);
    let mut stack = plan.start().await;
    stack.publish_site().await;
    let browser = Browser::start(&stack.log).await;
    browser.pose(PHONE, false).await;
    browser.call_itself(SAFARI).await;
    browser
        .prepare(
            "HTMLAnchorElement.prototype.click = function () { window.saved = [this.href, this.download]; };
             Object.defineProperty(navigator, 'canShare', { value: () => false });",
        )
        .await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    page.digits().await;
    browser
        .until(&format!(
            "{CODE}.naturalWidth > 0 && {CODE}.checkVisibility()"
        ))
        .await;
    browser.until(&format!("{SAVE}?.checkVisibility()")).await;
    browser.click(SAVE).await;
    browser
        .until("window.saved?.[0].startsWith('data:image/png') && window.saved[1].endsWith('.png')")
        .await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_code_of_ours_is_confirmed_on_the_phone_without_following() {
    let stack = with_pages("page").await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", false).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    assert_eq!(page.steps().await, ["打开微信，扫一扫", "在手机上确认登录"]);
    stack.wechat.open(&person, &code).await;
    page.becomes("scanned").await;
    assert_eq!(page.cover().await, "手机上已打开\n请在手机上点「确认登录」");
    decide(&stack, &person, &code, "confirm").await;
    let user = page.logged_in().await;
    assert_eq!(user["openid"], json!(person.openid));
    assert_eq!(user["subscribed"], json!(false));
    assert_eq!(stack.wechat.calls(CREATE).await, 0);
    browser.close(&[]).await;
}

#[tokio::test]
async fn while_wechat_refuses_codes_the_visitor_gets_another_way_and_sees_no_error() {
    for (stack, refusal) in [
        (plan("auto").start().await, 48001),
        (with_pages("auto").await, 45009),
    ] {
        let browser = Browser::start(&stack.log).await;
        let person = stack.wechat.person("小林", true).await;
        let fault = json!([{ "path": CREATE, "kind": "errcode", "errcode": refusal }]);
        stack.wechat.faults(fault).await;
        let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
        if refusal == 48001 {
            page.open().await;
            let digits = page.digits().await;
            stack.wechat.message(&person, &digits).await;
            page.shows(&person).await;
            assert_eq!(page.states().await, STRAIGHT);
        } else {
            let code = page.open_code().await;
            stack.wechat.open(&person, &code).await;
            decide(&stack, &person, &code, "confirm").await;
            assert_eq!(page.logged_in().await["openid"], json!(person.openid));
            let states = page.states().await;
            assert!(!states.contains(&"error".to_owned()), "{states:?}");
        }
        browser.close(&[]).await;
    }
}

#[tokio::test]
async fn the_visitor_chooses_between_the_ways_by_keyboard() {
    let stack = plan("scan,code").start().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    browser.run(&format!("{TRIGGER}.focus();")).await;
    let press = async |key: Key| {
        let focused = browser.element("document.activeElement").await;
        focused.send_keys(key).await.expect("a key");
    };
    press(Key::Enter).await;
    let scan = page.code().await;
    let focused = "document.activeElement.shadowRoot.activeElement";
    let to_choice = async |words: &str| {
        browser
            .until(&format!("{OTHER_WAY}?.textContent === '{words}'"))
            .await;
        // Past the cross, and with digits past the button that copies them.
        for _ in 0..3 {
            press(Key::Tab).await;
            if browser.value(&format!("{focused} === {OTHER_WAY}")).await == json!(true) {
                break;
            }
        }
        press(Key::Enter).await;
    };
    to_choice("改用验证码登录").await;
    let digits = page.digits().await;
    // The focus stays inside, and a reload stays with the choice.
    assert_eq!(browser.text(&format!("{focused}.className")).await, "title");
    page.reload().await;
    assert_eq!(page.digits().await, digits);
    stack.wechat.scan(&person, &scan).await;
    // Whoever scans the first code, which nobody looks at, is told that it is over.
    let told = last_reply(&stack, &person).await;
    assert!(!told.contains("您已登录"), "{told}");
    assert_eq!(page.state().await, "pending");

    to_choice("改用扫码登录").await;
    let again = page.code().await;
    assert_ne!(again, scan);
    stack.wechat.message(&person, &digits).await;
    assert_eq!(page.state().await, "pending", "nor at the digits");
    stack.wechat.scan(&person, &again).await;
    page.shows(&person).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn the_page_chooses_by_attribute() {
    let stack = plan("scan,code").start().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    browser
        .run("document.querySelector('#login').setAttribute('method', 'code');")
        .await;
    page.open().await;
    let digits = page.digits().await;
    let picture = format!("{CODE}.checkVisibility()");
    assert_eq!(
        browser.value(&picture).await,
        json!(false),
        "the account has none"
    );
    stack.wechat.message(&person, &digits).await;
    page.shows(&person).await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn a_visitor_with_too_many_logins_is_told_to_wait_whatever_the_way() {
    let plan = plan("code").site("SITE__LIMITS__LOGINS_PER_MINUTE", "1");
    let stack = plan.start().await;
    let browser = Browser::start(&stack.log).await;
    stack.visitor().call(Method::POST, "/api/login").await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    page.open().await;
    page.becomes("error").await;
    let cover = page.cover().await;
    assert!(
        cover.starts_with("暂时无法登录\n尝试得太频繁了，请稍候"),
        "{cover}"
    );
    browser
        .close(&["/api/login - Failed to load resource"])
        .await;
}

#[tokio::test]
async fn on_the_way_to_a_client_its_own_way_is_shown() {
    let (listener, client) = Pages::listen().await;
    let callback = (
        "text/html",
        "<!doctype html><title>client</title>".to_owned(),
    );
    let files = HashMap::from([("/callback".to_owned(), callback)]);
    let _client = Pages::serve(listener, files, "");
    let uri = format!("{client}/callback");
    let mut stack = plan("scan")
        .site(
            "SITE__OIDC__SECRET",
            "oidc-secret-of-more-than-32-characters",
        )
        .site("SITE__CLIENT__WIKI__REDIRECT_URIS", &uri)
        .site("SITE__CLIENT__WIKI__METHOD", "code")
        .start()
        .await;
    stack.publish_site().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let asked = format!(
        "{}/oidc/authorize?client_id=wiki&response_type=code&scope=openid&redirect_uri={uri}\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        stack.sites[0].public
    );
    browser.visit(&asked).await;
    browser
        .until("document.querySelector('#login').dataset.state === 'pending'")
        .await;
    let digits = browser.text(&format!("{DIGITS}.textContent")).await;
    stack.wechat.message(&person, &digits).await;
    browser.until("document.title === 'client'").await;
    assert!(browser.text("location.search").await.contains("code="));

    // A request that is over says so, instead of trying again for ever.
    let page = format!("{asked}&prompt=login");
    browser.visit(&page).await;
    browser
        .until("document.querySelector('#login').dataset.state === 'pending'")
        .await;
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*oidc-request*"]).await;
    for key in keys {
        let _: i64 = stack.redis.command(&["DEL", &key]).await;
    }
    let retry =
        "document.querySelector('#login').close(); document.querySelector('#login').open();";
    browser.run(retry).await;
    browser
        .until("document.body.innerText.includes('这次登录已结束')")
        .await;
    browser.close(&["status of 410"]).await;
}
