//! The page without a backend, for which the login service keeps the session.

use std::fs;

use reqwest::{Method, StatusCode};
use system_tests::{browser::Browser, pages::Pages, stack::Plan, visitor::Visitor};

use crate::{
    shop::examples,
    visit::{scan, shows},
};

#[tokio::test]
async fn a_static_page() {
    let (listener, origin) = Pages::listen().await;
    let plan = Plan::default().site("SITE__PUBLIC__ALLOWED_ORIGINS", &origin);
    let mut stack = plan.start().await;
    stack.publish_site().await;
    let login = &stack.sites[0].public;
    let page = fs::read_to_string(examples().join("html/index.html")).expect("an example");
    let page = page.replace("https://login.example.com", login);
    let pages = Pages::serve_page(listener, page, "");

    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    browser.visit(&pages.origin).await;
    shows(&browser, "未登录", "未关注").await;
    scan(&browser, &stack.wechat, &person).await;
    shows(&browser, "小林", "已关注").await;
    stack.wechat.unfollow(&person).await;
    browser.visit(&pages.origin).await;
    // What was known of a follower is forgotten.
    shows(&browser, "微信用户", "未关注").await;
    browser.click("document.querySelector('#out')").await;
    shows(&browser, "未登录", "未关注").await;
    browser.visit(&pages.origin).await;
    shows(&browser, "未登录", "未关注").await;
    browser.close(&["favicon.ico"]).await;

    // Nobody else's page signs visitors out.
    let mut visitor = Visitor::new(login);
    visitor.set_header("origin", "https://evil.example");
    let answer = visitor.call(Method::DELETE, "/api/session").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}
