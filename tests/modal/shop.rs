//! A shop whose page embeds the modal of a login service on another origin of the same site.

use system_tests::{
    browser::Browser,
    pages::Pages,
    stack::{Plan, Stack},
};

/// The shop, and the system that it uses.
pub(crate) struct Shop {
    pub(crate) stack: Stack,
    pub(crate) pages: Pages,
}

impl Shop {
    /// A shop whose page has this body, without a policy.
    pub(crate) async fn with(body: &str) -> Self {
        Self::under_policy(body, "").await
    }

    /// A shop under a Content-Security-Policy, in which `LOGIN` stands for the login service.
    pub(crate) async fn under_policy(body: &str, policy: &str) -> Self {
        Self::of(Plan::default(), body, policy).await
    }

    /// A shop beside a system of this plan.
    pub(crate) async fn of(plan: Plan, body: &str, policy: &str) -> Self {
        let (listener, origin) = Pages::listen().await;
        let plan = plan
            .site("SITE__PUBLIC__ALLOWED_ORIGINS", &origin)
            .site("SITE__INTERNAL__API_KEY", &"k".repeat(32));
        let mut stack = plan.start().await;
        stack.publish_site().await;
        let login = &stack.sites[0].public;
        let page = format!(
            "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>Shop</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <main><h1>花店</h1>{body}</main>\
             <script type=\"module\" src=\"{login}/assets/wechat-login.js\"></script></html>"
        );
        let policy = policy.replace("LOGIN", login);
        let pages = Pages::serve_page(listener, page, &policy);
        Self { stack, pages }
    }

    /// Opens the shop. From now on each page remembers every event of the modal.
    pub(crate) async fn visit(&self, browser: &Browser) {
        browser
            .prepare(
                "window.heard = [];
                 for (const name of ['', '-close', '-state', '-error']) {
                     addEventListener(`wechat-login${name}`, ({ type, detail }) => heard.push({ type, detail }));
                 }",
            )
            .await;
        browser.visit(&self.pages.origin).await;
    }
}

/// The element.
pub(crate) const LOGIN: &str = "document.querySelector('wechat-login')";

/// Something in the element's shadow.
pub(crate) fn inside(selector: &str) -> String {
    format!("{LOGIN}.shadowRoot.querySelector('{selector}')")
}

/// Waits for a state of the modal.
pub(crate) async fn becomes(browser: &Browser, state: &str) {
    browser
        .until(&format!("{LOGIN}.dataset.state === '{state}'"))
        .await;
}

/// What a phone reads off the screen.
pub(crate) async fn code(browser: &Browser) -> String {
    becomes(browser, "pending").await;
    system_tests::deadline::eventually("a phone can read the code", async || {
        browser.qr_code(&inside(".code")).await
    })
    .await
}
