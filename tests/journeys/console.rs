//! The owner's console: each button. What axe-core finds is in `console_axe`.

use system_tests::{
    browser::{Browser, DESKTOP, PHONE},
    deadline::eventually,
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
    webhook_receiver::{Receiver, Reply, SECRET},
};

use crate::{
    profile::link,
    tap::{open, tap_mode},
};

async fn start() -> (Stack, Browser) {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    (stack, browser)
}

pub(crate) fn console(stack: &Stack, path: &str) -> String {
    format!("{}/console{path}", stack.gateways[0].internal)
}

pub(crate) async fn log_in(stack: &Stack, nickname: &str) -> Person {
    let person = stack.wechat.person(nickname, true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.status_becomes("confirmed").await;
    visitor.complete().await;
    person
}

pub(crate) async fn sign_in(browser: &Browser, stack: &Stack) {
    browser.visit(&console(stack, "")).await;
    let field = browser.element("document.querySelector('#key')").await;
    field.send_keys(API_KEY).await.expect("keys");
    browser
        .click("document.querySelector('[name=sign-in]')")
        .await;
    shows(browser, ".verdict").await;
}

pub(crate) async fn shows(browser: &Browser, selector: &str) {
    browser
        .until(&format!("document.querySelector('{selector}') !== null"))
        .await;
}

pub(crate) async fn says(browser: &Browser, words: &str) {
    browser
        .until(&format!("document.body.innerText.includes('{words}')"))
        .await;
}

pub(crate) async fn click(browser: &Browser, selector: &str) {
    browser
        .click(&format!("document.querySelector('{selector}')"))
        .await;
}

/// Presses a button that asks first, and isn't sure: then the page is there again.
async fn unsure(browser: &Browser, button: &str, question: &str) {
    click(browser, button).await;
    says(browser, question).await;
    click(browser, "form.buttons a.button").await;
    shows(browser, button).await;
}

#[tokio::test]
async fn the_owner_looks_a_person_up_and_ends_their_sessions() {
    let (stack, browser) = start().await;
    let person = log_in(&stack, "小林").await;
    log_in(&stack, "小雨").await;
    sign_in(&browser, &stack).await;
    click(&browser, "nav a[href=\"/console/members\"]").await;
    says(&browser, "小雨").await;
    let field = browser.element("document.querySelector('#q')").await;
    field.send_keys("林").await.expect("keys");
    click(&browser, "[name=search]").await;
    browser
        .until("!document.body.innerText.includes('小雨')")
        .await;
    click(&browser, ".people tbody a").await;
    says(&browser, &person.openid).await;

    let sessions = format!("/v1/members/{}/sessions", person.openid);
    let begun = stack.internal(&sessions).await;
    unsure(&browser, "#end-sessions", "结束全部登录？").await;
    unsure(&browser, "td a.button.small", "结束这次登录？").await;
    assert_eq!(stack.internal(&sessions).await, begun);
    assert_eq!(begun["sessions"].as_array().map(Vec::len), Some(1));
    click(&browser, "td a.button.small").await;
    click(&browser, "[name=sure]").await;
    says(&browser, "已结束这次登录").await;
    says(&browser, "没有登录").await;

    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.status_becomes("confirmed").await;
    visitor.complete().await;
    browser.driver().refresh().await.expect("it loads again");
    click(&browser, "#end-sessions").await;
    click(&browser, "[name=sure]").await;
    says(&browser, "已结束全部登录").await;
    assert!(visitor.session().await.is_none());
    browser.close(&[]).await;
}

#[tokio::test]
async fn the_owner_bans_and_erases_a_person() {
    let (stack, browser) = start().await;
    let person = log_in(&stack, "小林").await;
    sign_in(&browser, &stack).await;
    browser
        .visit(&console(&stack, &format!("/members/{}", person.openid)))
        .await;
    let path = format!("/v1/members/{}", person.openid);
    unsure(&browser, "#ban", "封禁这个人？").await;
    assert_eq!(stack.internal(&path).await["banned"], false);
    click(&browser, "#ban").await;
    click(&browser, "[name=sure]").await;
    says(&browser, "已封禁。").await;
    assert_eq!(stack.internal(&path).await["banned"], true);
    unsure(&browser, "#lift-ban", "解除封禁？").await;
    assert_eq!(stack.internal(&path).await["banned"], true);
    click(&browser, "#lift-ban").await;
    click(&browser, "[name=sure]").await;
    says(&browser, "已解除封禁").await;
    assert_eq!(stack.internal(&path).await["banned"], false);
    unsure(&browser, "#erase", "无法恢复").await;
    assert_eq!(stack.internal(&path).await["openid"], person.openid);

    // What was done, and nothing of who thought better of it.
    click(&browser, "nav a[href=\"/console/activity\"]").await;
    shows(&browser, "table.acts").await;
    let acts =
        "[...document.querySelectorAll('.acts tbody th')].map((act) => act.innerText).join()";
    assert_eq!(browser.text(acts).await, "解除封禁,封禁,登录控制台");
    click(&browser, ".acts tbody a").await;
    click(&browser, "#erase").await;
    click(&browser, "[name=sure]").await;
    says(&browser, "已删除全部数据").await;
    assert_eq!(stack.internal(&path).await["code"], "unknown_member");
    browser.close(&[]).await;
}

#[tokio::test]
async fn the_owner_runs_the_checks_changes_the_language_and_signs_out() {
    let (stack, browser) = start().await;
    sign_in(&browser, &stack).await;
    click(&browser, "nav a[href=\"/console/checks\"]").await;
    click(&browser, "[name=run]").await;
    shows(&browser, ".findings li").await;
    let found = browser
        .text("document.querySelector('.findings').innerText")
        .await;
    assert!(found.contains("access token"), "{found}");
    browser.visit(&console(&stack, "/members")).await;
    click(&browser, ".ends a.quiet").await;
    browser
        .until("document.documentElement.lang === 'en'")
        .await;
    says(&browser, "Nobody yet").await;
    click(&browser, ".ends a.quiet").await;
    says(&browser, "还没有人").await;
    click(&browser, "[name=sign-out]").await;
    shows(&browser, "#key").await;
    browser.visit(&console(&stack, "/members")).await;
    shows(&browser, "#key").await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn the_overview_renews_itself_and_says_when_it_cannot() {
    let (mut stack, browser) = start().await;
    sign_in(&browser, &stack).await;
    let figure = "document.querySelector('.funnel .count').innerText";
    assert_eq!(browser.text(figure).await, "0");
    log_in(&stack, "小林").await;
    browser.until(&format!("{figure} === '1'")).await;
    stack.gateways[0].process.stop().await;
    browser
        .until("document.querySelector('.stale').hidden === false")
        .await;
    says(&browser, "显示的是之前的数据").await;
    browser.close(&["/console"]).await;
}

/// A stack whose console the known owner may open by WeChat.
pub(crate) async fn with_an_owner() -> (Stack, Person) {
    let openid = "oSimOwner0000000000000000001";
    let plan = Plan::default().gateway("GATEWAY__CONSOLE__OPENIDS", openid);
    let stack = tap_mode(plan).await;
    let owner = stack.wechat.known_person("店主", openid).await;
    (stack, owner)
}

/// Asks for a code on the sign-in page. What it encodes.
pub(crate) async fn ask_for_code(browser: &Browser, stack: &Stack) -> String {
    browser.visit(&console(stack, "/sign-in")).await;
    click(browser, "[name=wechat]").await;
    shows(browser, ".code svg").await;
    let picture = browser.qr_code("document.querySelector('.code svg')").await;
    let content = browser
        .text("document.querySelector('.code').dataset.content")
        .await;
    assert_eq!(picture.as_deref(), Some(&*content), "the picture says so");
    content
}

async fn decide(browser: &Browser, stack: &Stack, person: &Person, content: &str, press: &str) {
    stack.wechat.scan(person, content).await;
    says(browser, "已扫描").await;
    let link = link(stack, person).await;
    open(browser, stack, person, &link).await;
    says(browser, "微信登录控制台").await;
    browser.press(press).await;
    browser.go_to_tab(0).await;
}

#[tokio::test]
async fn an_owner_signs_in_by_wechat_until_they_are_banned() {
    let (stack, owner) = with_an_owner().await;
    let browser = Browser::start(&stack.log).await;
    let content = ask_for_code(&browser, &stack).await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    decide(&browser, &stack, &owner, &content, "confirm").await;
    shows(&browser, ".verdict").await;
    let sessions: Vec<String> = stack
        .redis
        .command(&["KEYS", "wechat-login:session:*"])
        .await;
    assert_eq!(sessions, Vec::<String>::new(), "no site's session");

    browser
        .visit(&console(&stack, &format!("/members/{}", owner.openid)))
        .await;
    click(&browser, "#ban").await;
    click(&browser, "[name=sure]").await;
    // Who banned themselves is out at once.
    shows(&browser, "#key").await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn nobody_else_signs_in_by_wechat_and_a_refusal_is_one() {
    let (stack, owner) = with_an_owner().await;
    let stranger = stack.wechat.person("路人", true).await;
    let browser = Browser::start(&stack.log).await;
    let content = ask_for_code(&browser, &stack).await;
    decide(&browser, &stack, &stranger, &content, "confirm").await;
    says(&browser, "不能登录控制台").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    click(&browser, "[name=wechat]").await;
    shows(&browser, ".code svg").await;
    let content = browser
        .text("document.querySelector('.code').dataset.content")
        .await;
    stack.wechat.scan(&owner, &content).await;
    says(&browser, "已扫描").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    let waiting = browser.text("location.href").await;
    let page = link(&stack, &owner).await;
    browser.belongs_to(&owner, &stack.wechat).await;
    browser.visit(&page).await;
    browser.press("deny").await;
    browser.visit(&waiting).await;
    says(&browser, "已在手机上拒绝").await;
    click(&browser, "#by-key").await;
    shows(&browser, "#key").await;
    browser.visit(&console(&stack, "/members")).await;
    shows(&browser, "#key").await;
    browser.close(&["/console/sign-in/wechat/finish"]).await;
}

#[tokio::test]
async fn the_owner_sees_a_receiver_in_trouble_and_sends_events_again() {
    let receiver = Receiver::start().await;
    receiver.answer(|_| Reply::Status(410));
    let plan = Plan::default()
        .gateway("GATEWAY__WEBHOOK__CRM__URL", &receiver.url())
        .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET);
    let stack = plan.start().await;
    let browser = Browser::start(&stack.log).await;
    sign_in(&browser, &stack).await;
    log_in(&stack, "小林").await;
    eventually("it is switched off", async || {
        let told = stack.internal("/v1/webhooks").await;
        told["webhooks"][0]["switched_off_at"]
            .is_string()
            .then_some(())
    })
    .await;
    browser.visit(&console(&stack, "")).await;
    says(&browser, "Webhook crm 已关闭").await;
    click(&browser, "nav a[href=\"/console/webhooks\"]").await;
    says(&browser, "对方回答了 HTTP 410").await;
    for screen in [DESKTOP, PHONE] {
        browser.pose(screen, false).await;
        assert_eq!(browser.axe().await, Vec::<String>::new());
    }
    // Who isn't sure changes nothing.
    click(&browser, ".card .button").await;
    says(&browser, "重新发送事件").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    click(&browser, "form .buttons a.button").await;
    says(&browser, "已关闭").await;
    receiver.answer(|_| Reply::Status(204));
    click(&browser, ".card .button").await;
    click(&browser, "[name=sure]").await;
    says(&browser, "将重新发送").await;
    eventually("it has got them all", async || {
        let told = stack.internal("/v1/webhooks").await;
        (told["webhooks"][0]["lag_events"] == 0).then_some(())
    })
    .await;
    browser.visit(&console(&stack, "/webhooks")).await;
    says(&browser, "正常").await;
    browser.close(&[]).await;
}

#[tokio::test]
async fn software_on_another_port_shows_the_owner_no_code_of_its_own() {
    let (stack, _) = with_an_owner().await;
    let browser = Browser::start(&stack.log).await;
    // The same host to a cookie, which knows no ports.
    browser.visit(&format!("{}/", stack.sites[0].public)).await;
    let planted = "wechat-login-console-sign-in=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let plant = format!("document.cookie = '{planted}; path=/console/sign-in/wechat'");
    browser.text(&plant).await;
    browser.visit(&console(&stack, "/sign-in")).await;
    click(&browser, "[name=wechat]").await;
    says(&browser, "同名的 cookie").await;
    shows(&browser, "#by-key").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    browser.close(&["/console/sign-in/wechat"]).await;
}
