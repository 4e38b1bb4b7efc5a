//! In a real browser, behind nginx and Caddy: to a deep link of another host, in through the phone,
//! at that link; and out again after an unfollow.

use system_tests::{
    browser::Browser,
    deadline::eventually,
    protected_host::{self, PROXIES, ProtectedHost, Proxy},
    stack::Plan,
};

/// The picture of the code on the hosted login page.
const CODE: &str = "document.querySelector('#login').shadowRoot.querySelector('.code')";

async fn in_and_out(proxy: Proxy) {
    let port = protected_host::free_port();
    let wiki = format!("http://wiki.localhost:{port}");
    let plan = Plan::default()
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.1")
        .site("SITE__FORWARD_AUTH__ORIGINS", &wiki)
        .site("SITE__FORWARD_AUTH__REQUIRE_FOLLOWING", "true");
    let mut stack = plan.start().await;
    stack.publish_site().await;
    let site = stack.sites[0].public.trim_start_matches("http://");
    let _host = ProtectedHost::start(proxy, port, site, &stack.log).await;
    let browser = Browser::start(&stack.log).await;
    let person = stack.wechat.person("小林", true).await;

    let page = format!("{wiki}/page?a=b&c=%E8%8A%B1");
    browser.visit(&page).await;
    let at_login = format!(
        "location.href.startsWith('{}/login')",
        stack.sites[0].public
    );
    browser.until(&at_login).await;
    let code = eventually("a phone can read the code", async || {
        browser.qr_code(CODE).await
    })
    .await;
    stack.wechat.scan(&person, &code).await;
    browser.until(&format!("location.href === '{page}'")).await;
    let shown = "document.body.innerText";
    let text = browser.text(shown).await;
    assert!(text.starts_with("GET /page?a=b&c=%E8%8A%B1 "), "{text}");
    assert!(text.to_lowercase().contains("remote-user: "), "{text}");

    // The next page needs no login, nor does another tab.
    browser.visit(&format!("{wiki}/other")).await;
    let text = browser.text(shown).await;
    assert!(text.starts_with("GET /other "), "{text}");

    stack.wechat.unfollow(&person).await;
    browser.visit(&page).await;
    let says = "document.body.innerText.includes('请先关注公众号')";
    browser.until(says).await;
    stack.wechat.follow(&person).await;
    browser.click("document.querySelector('a')").await;
    browser.until(&format!("location.href === '{page}'")).await;
    let text = browser.text(shown).await;
    assert!(text.starts_with("GET /page?a=b&c=%E8%8A%B1 "), "{text}");
    browser.close(&[]).await;
}

#[tokio::test]
async fn to_a_deep_link_of_another_host_and_out_after_an_unfollow() {
    for proxy in PROXIES {
        in_and_out(proxy).await;
    }
}
