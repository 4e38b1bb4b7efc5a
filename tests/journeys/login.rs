//! Scanning, following, unfollowing, logging out.

use std::time::Instant;

use serde_json::{Value, json};
use system_tests::{browser::Browser, login_page::LoginPage, stack::Plan};

#[tokio::test]
async fn a_followers_scan_logs_in_and_the_page_shows_who_it_is() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    assert_eq!(page.session().await, "out");
    let code = page.open_code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    let way = ["loading", "pending", "completing", "confirmed", "closed"];
    assert_eq!(
        page.states().await,
        way,
        "one page load, one straight way through it"
    );
    browser.close(&[]).await;
}

#[tokio::test]
async fn whoever_scans_and_then_follows_is_logged_in() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let newcomer = stack.wechat.person("小雨🌧", false).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    let scanned = stack.wechat.scan(&newcomer, &code).await;
    assert_eq!(scanned["outcome"], "follow_page");
    assert_eq!(page.state().await, "pending");
    stack.wechat.follow(&newcomer).await;
    page.shows(&newcomer).await;
    let chat = stack.wechat.chat(&newcomer).await;
    assert_eq!(chat, ["感谢关注！您已登录网站，请回到刚才的网页继续。"]);
    browser.close(&[]).await;
}

/// Two sites share a Redis. The page is told by the one, and the other knows as well.
#[tokio::test]
async fn an_unfollow_that_ends_the_session_shows_on_the_page_at_once() {
    let plan = Plan::default()
        .sites(2)
        .site("SITE__SESSION__END_ON_UNFOLLOW", "true");
    let stack = plan.start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    stack.wechat.unfollow(&follower).await;
    let unfollowed = Instant::now();
    browser
        .until("document.querySelector('#no-more').checkVisibility()")
        .await;
    println!("shown after {:?}", unfollowed.elapsed());
    assert_eq!(page.session().await, "out");
    let said = browser
        .text("document.querySelector('#session').innerText")
        .await;
    assert!(said.contains("登录已失效"), "{said}");
    // A host's cookies are the same at each of its ports.
    let elsewhere = LoginPage::visit(&browser, &stack.sites[1].public).await;
    assert_eq!(elsewhere.session().await, "out");
    assert_eq!(elsewhere.user().await, Value::Null);
    // Following again lets nobody in by itself, and a login does.
    stack.wechat.follow(&follower).await;
    elsewhere.reload().await;
    assert_eq!(elsewhere.session().await, "out");
    let code = elsewhere.open_code().await;
    stack.wechat.scan(&follower, &code).await;
    elsewhere.shows(&follower).await;
    browser.close(&["401"]).await;
}

#[tokio::test]
async fn an_unfollow_shows_on_the_page_of_whoever_stays_signed_in() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    let chip = "document.querySelector('#user-followed').checkVisibility()";
    assert_eq!(browser.value(chip).await, json!(true));
    stack.wechat.unfollow(&follower).await;
    browser
        .until("!document.querySelector('#user-followed').checkVisibility()")
        .await;
    assert_eq!(page.session().await, "in");
    assert_eq!(page.user().await["subscribed"], json!(false));
    page.reload().await;
    assert_eq!(page.session().await, "in");
    browser.close(&[]).await;
}

#[tokio::test]
async fn logging_out_ends_the_session_in_the_browser_and_on_the_server() {
    let stack = Plan::default().start().await;
    let browser = Browser::start(&stack.log).await;
    let follower = stack.wechat.person("小林", true).await;
    let page = LoginPage::visit(&browser, &stack.sites[0].public).await;
    let code = page.open_code().await;
    stack.wechat.scan(&follower, &code).await;
    page.shows(&follower).await;
    browser.click("document.querySelector('#logout')").await;
    browser
        .until("document.querySelector('#session').dataset.session === 'out'")
        .await;
    assert_eq!(page.user().await, Value::Null);
    page.reload().await;
    assert_eq!(page.session().await, "out");
    // And in again, as somebody else.
    let other = stack.wechat.person("小雨", true).await;
    let code = page.open_code().await;
    stack.wechat.scan(&other, &code).await;
    page.shows(&other).await;
    browser.close(&[]).await;
}
