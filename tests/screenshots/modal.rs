//! The page, and the modal in each of its states.

use serde_json::json;
use system_tests::{
    browser::Browser, login_page::LoginPage, phone_tab::WECHAT, simulator::Person, stack::Stack,
};

use crate::album::{Album, Look};

/// What the server would say in tap mode: nothing else leads to these states.
fn played(status: &str) -> String {
    format!(
        "window.EventSource = class extends EventTarget {{
            readyState = 1;
            constructor() {{
                super();
                const data = JSON.stringify({{ status: '{status}', expires_at: null }});
                setTimeout(() => this.dispatchEvent(new MessageEvent('status', {{ data }})), 50);
            }}
            close() {{}}
        }};"
    )
}

struct Session<'run> {
    stack: &'run Stack,
    album: &'run Album,
    look: Look,
    browser: Browser,
}

pub(crate) async fn take(stack: &Stack, short_lived: &Stack, album: &Album, look: Look) {
    let browser = Browser::speaking(look.language, &stack.log).await;
    browser.pose(look.screen, look.dark).await;
    let person = stack.wechat.person("小林", true).await;
    let session = Session {
        stack,
        album,
        look,
        browser,
    };
    session.waiting(&person).await;
    session.troubled().await;
    session.expired(short_lived).await;
    for status in ["scanned", "denied"] {
        session.played(status).await;
    }
    if look.screen.phone {
        session.in_wechat().await;
    }
}

impl Session<'_> {
    async fn visit(&self, stack: &Stack) -> LoginPage<'_> {
        LoginPage::visit(&self.browser, &stack.sites[0].public).await
    }

    async fn keep(&self, name: &str) {
        self.album.keep(self.look, name, &self.browser).await;
    }

    async fn waiting(&self, person: &Person) {
        let page = self.visit(self.stack).await;
        self.keep("page-out").await;
        let slow = json!([{ "path": "/cgi-bin/qrcode/create", "kind": "slow", "delay_ms": 2500 }]);
        self.stack.wechat.faults(slow).await;
        page.open().await;
        page.becomes("loading").await;
        self.keep("modal-loading").await;
        let code = page.code().await;
        self.stack.wechat.faults(json!([])).await;
        self.keep("modal-pending").await;
        self.browser.block(&["*/api/login/complete"]).await;
        self.stack.wechat.scan(person, &code).await;
        page.becomes("completing").await;
        self.keep("modal-completing").await;
        self.browser.block(&[]).await;
        page.becomes("confirmed").await;
        self.keep("modal-confirmed").await;
        page.becomes("closed").await;
        self.browser
            .until("document.querySelector('#user-avatar').naturalWidth > 0")
            .await;
        self.keep("page-in").await;
        self.browser
            .click("document.querySelector('#logout')")
            .await;
        self.browser
            .until("document.querySelector('#session').dataset.session === 'out'")
            .await;
    }

    async fn in_wechat(&self) {
        self.browser.call_itself(WECHAT).await;
        let page = self.visit(self.stack).await;
        self.keep("wechat-page-out").await;
        self.browser
            .value("document.querySelector('#login').open() ?? true")
            .await;
        page.becomes("offered").await;
        self.keep("wechat-modal-offered").await;
        // The answer that would lead away never comes.
        let slow = "(() => { window.fetch = () => new Promise(() => {}); return true; })()";
        self.browser.value(slow).await;
        page.act().await;
        page.becomes("leaving").await;
        self.keep("wechat-modal-leaving").await;
        for because in ["elsewhere", "snapshot", "unavailable"] {
            let site = &self.stack.sites[0].public;
            self.browser
                .visit(&format!("{site}/login/wechat/stopped?because={because}"))
                .await;
            self.keep(&format!("wechat-stopped-{because}")).await;
        }
    }

    async fn troubled(&self) {
        let page = self.visit(self.stack).await;
        page.open().await;
        page.code().await;
        self.browser.go_offline(true).await;
        page.becomes("offline").await;
        self.keep("modal-offline").await;
        self.browser.go_offline(false).await;
        page.becomes("pending").await;
        page.close().await;
        let down = json!([{ "path": "/cgi-bin/qrcode/create", "kind": "status", "status": 502 }]);
        self.stack.wechat.faults(down).await;
        page.open().await;
        page.becomes("error").await;
        self.keep("modal-error").await;
        self.stack.wechat.faults(json!([])).await;
        page.close().await;
    }

    async fn expired(&self, short_lived: &Stack) {
        let page = self.visit(short_lived).await;
        page.open().await;
        page.becomes("expired").await;
        self.keep("modal-expired").await;
        page.close().await;
    }

    async fn played(&self, status: &str) {
        let script = json!({ "source": played(status) });
        let added = self
            .browser
            .devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await;
        let page = self.visit(self.stack).await;
        page.open().await;
        page.becomes(status).await;
        self.keep(&format!("modal-{status}")).await;
        page.close().await;
        self.browser
            .devtools("Page.removeScriptToEvaluateOnNewDocument", added)
            .await;
    }
}
