//! The hosted login page: the front leads to it, and it goes on to where the visitor wanted to go.

use system_tests::{
    browser::Browser,
    deadline::eventually,
    login_page::CODE,
    simulator::Person,
    stack::{Plan, Stack},
};

/// Scans the code that the page shows without being asked.
async fn scan(stack: &Stack, browser: &Browser, person: &Person) {
    let code = eventually("a phone can read the code", async || {
        browser.qr_code(CODE).await
    })
    .await;
    stack.wechat.scan(person, &code).await;
}

async fn arrives(browser: &Browser, address: &str) {
    browser
        .until(&format!(
            "location.pathname + location.search === '{address}'"
        ))
        .await;
}

#[tokio::test]
async fn the_front_leads_to_the_page_and_back_and_out_again() {
    let stack = Plan::default()
        .site("SITE__PAGE__DEMO", "false")
        .site("SITE__PAGE__NAME", "花店")
        .site("SITE__PAGE__LOGO", "/assets/icon.svg")
        .start()
        .await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    let site = &stack.sites[0].public;
    browser.visit(site).await;
    arrives(&browser, "/login").await;
    let title = browser.text("document.querySelector('h1').innerText").await;
    assert_eq!(title, "登录花店");
    browser
        .until("document.querySelector('.logo').naturalWidth > 0")
        .await;
    scan(&stack, &browser, &person).await;
    arrives(&browser, "/").await;
    let said = browser.text("document.body.innerText").await;
    assert!(said.contains("小林"), "{said}");

    browser
        .visit(&format!("{site}/login?return_to=/assets/icon.svg"))
        .await;
    arrives(&browser, "/assets/icon.svg").await;

    browser.visit(site).await;
    browser.click("document.querySelector('#sign-out')").await;
    arrives(&browser, "/login").await;
    let wanted = "/login?return_to=%2Fassets%2Ficon.svg%3Fa%3D%2522";
    browser.visit(&format!("{site}{wanted}")).await;
    scan(&stack, &browser, &person).await;
    arrives(&browser, "/assets/icon.svg?a=%22").await;
    browser.close(&["favicon.ico"]).await;
}
