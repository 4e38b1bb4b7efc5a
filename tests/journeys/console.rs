//! The owner's console: each button, and what axe-core finds.

use system_tests::{
    browser::{Browser, DESKTOP, PHONE},
    simulator::Person,
    stack::{API_KEY, Plan, Stack},
};

async fn start() -> (Stack, Browser) {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    (stack, browser)
}

fn console(stack: &Stack, path: &str) -> String {
    format!("{}/console{path}", stack.gateways[0].internal)
}

async fn log_in(stack: &Stack, nickname: &str) -> Person {
    let person = stack.wechat.person(nickname, true).await;
    let mut visitor = stack.visitor();
    let content = visitor.start_login().await;
    stack.wechat.scan(&person, &content).await;
    visitor.status_becomes("confirmed").await;
    visitor.complete().await;
    person
}

async fn sign_in(browser: &Browser, stack: &Stack) {
    browser.visit(&console(stack, "")).await;
    let field = browser.element("document.querySelector('#key')").await;
    field.send_keys(API_KEY).await.expect("keys");
    browser
        .click("document.querySelector('[name=sign-in]')")
        .await;
    shows(browser, ".verdict").await;
}

async fn shows(browser: &Browser, selector: &str) {
    browser
        .until(&format!("document.querySelector('{selector}') !== null"))
        .await;
}

async fn says(browser: &Browser, words: &str) {
    browser
        .until(&format!("document.body.innerText.includes('{words}')"))
        .await;
}

async fn click(browser: &Browser, selector: &str) {
    browser
        .click(&format!("document.querySelector('{selector}')"))
        .await;
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

    // Who isn't sure changes nothing.
    click(&browser, "#end-sessions").await;
    says(&browser, "结束全部登录？").await;
    click(&browser, "form.buttons a.button").await;
    shows(&browser, "#end-sessions").await;
    click(&browser, "td a.button.small").await;
    says(&browser, "结束这次登录？").await;
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
    click(&browser, "#ban").await;
    says(&browser, "封禁这个人？").await;
    click(&browser, "[name=sure]").await;
    says(&browser, "已封禁。").await;
    let path = format!("/v1/members/{}", person.openid);
    assert_eq!(stack.internal(&path).await["banned"], true);
    click(&browser, "#lift-ban").await;
    click(&browser, "[name=sure]").await;
    says(&browser, "已解除封禁").await;
    assert_eq!(stack.internal(&path).await["banned"], false);
    click(&browser, "#erase").await;
    says(&browser, "无法恢复").await;
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
    says(&browser, "Nobody was found").await;
    click(&browser, ".ends a.quiet").await;
    says(&browser, "没有找到").await;
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

#[tokio::test]
async fn axe_finds_nothing_on_any_page() {
    let (stack, browser) = start().await;
    let person = log_in(&stack, "小林").await;
    browser.visit(&console(&stack, "/sign-in")).await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    sign_in(&browser, &stack).await;
    let of_person = format!("/members/{}", person.openid);
    for screen in [DESKTOP, PHONE] {
        for dark in [false, true] {
            browser.pose(screen, dark).await;
            for path in ["", "/members", "/members?q=nobody", &of_person, "/checks"] {
                browser.visit(&console(&stack, path)).await;
                let found = browser.axe().await;
                assert!(found.is_empty(), "{path}: {found:#?}");
            }
            for action in ["ban", "erase"] {
                browser
                    .visit(&console(&stack, &format!("{of_person}/{action}")))
                    .await;
                let found = browser.axe().await;
                assert!(found.is_empty(), "{action}: {found:#?}");
            }
        }
    }
    browser.visit(&console(&stack, "/checks")).await;
    click(&browser, "[name=run]").await;
    shows(&browser, ".findings li").await;
    let found = browser.axe().await;
    assert!(found.is_empty(), "{found:#?}");
    browser.close(&[]).await;
}
