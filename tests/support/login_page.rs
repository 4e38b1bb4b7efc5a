//! The page with the login modal, as a visitor sees and uses it.

use serde_json::{Value, json};

use crate::{browser::Browser, deadline::eventually, simulator::Person};

/// Everything in the modal lies in its open shadow root.
macro_rules! modal {
    ($selector:literal) => {
        concat!(
            "document.querySelector('#login').shadowRoot.querySelector('",
            $selector,
            "')"
        )
    };
}

/// The button that opens the modal.
pub const TRIGGER: &str = modal!(".trigger");
/// The picture of the code.
pub const CODE: &str = modal!(".code");
/// The digits that the visitor sends to the account.
pub const DIGITS: &str = modal!(".groups");
/// The button that copies them.
pub const COPY: &str = modal!(".copy");
/// The button that saves the picture, on a phone.
pub const SAVE: &str = modal!(".save");
/// What the visitor does, in steps.
pub const STEPS: &str = modal!(".steps");
/// The first of the other ways to log in.
pub const OTHER_WAY: &str = modal!(".other-way");
/// The button on the cover: a new code, or another try.
pub const ACTION: &str = modal!(".action");
/// The cross.
pub const CLOSE: &str = modal!(".close");
/// What covers the code.
pub const COVER: &str = modal!(".cover");

/// Remembers every state that the modal goes through, for states that are gone in a moment.
const RECORD: &str = "(() => {
    window.states = [];
    addEventListener('wechat-login-state', (event) => states.push(event.detail.state));
    return true;
})()";

/// The page in a browser's current tab.
pub struct LoginPage<'browser> {
    browser: &'browser Browser,
}

impl<'browser> LoginPage<'browser> {
    /// Visits the site at this address and waits until it knows whether somebody is signed in.
    pub async fn visit(browser: &'browser Browser, site: &str) -> Self {
        browser.visit(site).await;
        let page = Self { browser };
        page.settled().await;
        page
    }

    /// The page to which the browser has come by other ways.
    pub async fn here(browser: &'browser Browser) -> Self {
        let page = Self { browser };
        page.settled().await;
        page
    }

    /// Opens the site in another tab.
    pub async fn visit_in_new_tab(browser: &'browser Browser, site: &str) -> Self {
        browser.open_tab(site).await;
        let page = Self { browser };
        page.settled().await;
        page
    }

    /// Loads it again, as a visitor would.
    pub async fn reload(&self) {
        self.browser
            .driver()
            .refresh()
            .await
            .expect("the page loads");
        self.settled().await;
    }

    async fn settled(&self) {
        self.browser
            .until("document.querySelector('#session').dataset.session !== 'checking'")
            .await;
        self.browser.value(RECORD).await;
    }

    /// Presses the login button.
    pub async fn open(&self) {
        self.browser.click(TRIGGER).await;
    }

    /// Presses the login button, waits for the code and returns what it says.
    pub async fn open_code(&self) -> String {
        self.open().await;
        self.code().await
    }

    /// What a phone reads off the screen, once there is a code to read.
    pub async fn code(&self) -> String {
        self.becomes("pending").await;
        eventually("a phone can read the code", async || {
            self.browser.qr_code(CODE).await
        })
        .await
    }

    /// The digits on the screen, once there are some.
    pub async fn digits(&self) -> String {
        self.becomes("pending").await;
        let shown = format!("{DIGITS}?.textContent");
        eventually("digits are shown", async || {
            let digits = self.browser.text(&shown).await;
            let visible = format!("{DIGITS}?.checkVisibility({{ visibilityProperty: true }})");
            let visible = self.browser.value(&visible).await == json!(true);
            (visible && digits.len() >= 6).then_some(digits)
        })
        .await
    }

    /// The steps, a line each.
    pub async fn steps(&self) -> Vec<String> {
        let steps = format!(
            "[...{STEPS}.querySelectorAll('li')].map((step) =>              (step.querySelector('.either > span') ?? step).textContent)"
        );
        let steps = self.browser.value(&steps).await;
        serde_json::from_value(steps).expect("a list of steps")
    }

    /// Waits until somebody is signed in and the modal is gone. Returns who it is.
    pub async fn logged_in(&self) -> Value {
        self.browser
            .until("document.querySelector('#session').dataset.session === 'in'")
            .await;
        self.becomes("closed").await;
        self.user().await
    }

    /// The modal's state.
    pub async fn state(&self) -> String {
        self.browser
            .text("document.querySelector('#login').dataset.state")
            .await
    }

    /// Waits for a state of the modal that lasts.
    pub async fn becomes(&self, expected: &str) {
        eventually(&format!("the modal is {expected}"), async || {
            (self.state().await == expected).then_some(())
        })
        .await;
    }

    /// Every state since the page was loaded.
    pub async fn states(&self) -> Vec<String> {
        let states = self.browser.value("window.states").await;
        serde_json::from_value(states).expect("a list of states")
    }

    /// What the cover says, a line for each of its parts.
    pub async fn cover(&self) -> String {
        let words = format!("{COVER}.innerText.replace(/\\n+/g, '\\n')");
        self.browser.text(&words).await
    }

    /// Presses the cross.
    pub async fn close(&self) {
        self.browser.click(CLOSE).await;
        self.becomes("closed").await;
    }

    /// Presses the cover's button, once it may be pressed.
    pub async fn act(&self) {
        self.browser
            .until(&format!("{ACTION}.disabled === false"))
            .await;
        self.browser.click(ACTION).await;
    }

    /// Whether somebody is signed in, as the page shows it: `in` or `out`.
    pub async fn session(&self) -> String {
        self.browser
            .text("document.querySelector('#session').dataset.session")
            .await
    }

    /// Who is signed in, as the server tells this browser; null for nobody.
    pub async fn user(&self) -> Value {
        let question = "fetch('/api/session', { cache: 'no-store' }).then(
            async (answer) => (answer.ok ? (await answer.json()).user : null))";
        self.browser.value(question).await
    }

    /// Waits until the page shows this person, avatar and all, the modal is gone, and the server
    /// agrees.
    pub async fn shows(&self, person: &Person) {
        self.browser
            .until("document.querySelector('#session').dataset.session === 'in'")
            .await;
        self.becomes("closed").await;
        let nickname = "document.querySelector('#user-nickname').innerText";
        assert_eq!(self.browser.text(nickname).await, person.nickname);
        let location = "document.querySelector('#user-location').innerText";
        assert_eq!(self.browser.text(location).await, "浙江 杭州");
        self.browser
            .until("document.querySelector('#user-avatar').naturalWidth > 0")
            .await;
        self.browser
            .until("document.querySelector('#user-avatar').checkVisibility()")
            .await;
        assert_eq!(self.user().await["openid"], json!(person.openid));
    }
}
