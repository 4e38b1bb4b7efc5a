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

/// Makes the page believe that its tab is in the background, or in front again.
async fn hide(browser: &Browser, hidden: bool) {
    let script = format!(
        "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }}); \
         document.dispatchEvent(new Event('visibilitychange'));"
    );
    browser.run(&script).await;
}

/// In front, in the background, and while its stream was interrupted.
#[tokio::test]
async fn who_unfollows_is_shown_the_login_again() {
    let mut stack = Plan::default()
        .site("SITE__PAGE__DEMO", "false")
        .site("SITE__SESSION__END_ON_UNFOLLOW", "true")
        .start()
        .await;
    // So that it comes back where it was.
    stack.publish_site().await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;
    for case in ["in front", "hidden", "interrupted"] {
        browser.visit(&stack.sites[0].public).await;
        arrives(&browser, "/login").await;
        scan(&stack, &browser, &person).await;
        arrives(&browser, "/").await;
        browser
            .until("performance.getEntriesByType('resource').some((one) => one.name.endsWith('session-watch.js'))")
            .await;
        match case {
            "hidden" => hide(&browser, true).await,
            "interrupted" => stack.sites[0].process.kill(),
            _ => {}
        }
        stack.wechat.unfollow(&person).await;
        match case {
            "hidden" => hide(&browser, false).await,
            "interrupted" => stack.sites[0].process.restart().await.expect("the site"),
            _ => {}
        }
        arrives(&browser, "/login").await;
        stack.wechat.follow(&person).await;
    }
    let interrupted = ["favicon.ico", "401", "Failed to load resource", "ERR_"];
    browser.close(&interrupted).await;
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
