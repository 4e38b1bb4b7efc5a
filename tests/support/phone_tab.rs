//! Chromium as a phone: what the page sees is the real thing, only the name and the owner are made
//! up.

use serde_json::json;
use thirtyfour::By;

use crate::{
    browser::Browser,
    simulator::{Person, Simulator},
};

/// WeChat's own browser on a phone.
pub const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                          (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60 Language/zh_CN";

/// The one of `WeCom`, which calls itself WeChat's as well.
pub const WECOM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                         (KHTML, like Gecko) Mobile/15E148 wxwork/4.1.30 MicroMessenger/7.0.1 Language/zh";

/// Another browser on a phone.
pub const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                          (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

impl Browser {
    /// Calls itself this in the current tab.
    pub async fn call_itself(&self, user_agent: &str) {
        let parameters = json!({ "userAgent": user_agent });
        self.devtools("Network.setUserAgentOverride", parameters)
            .await;
    }

    /// Makes WeChat know whose phone this is: for the real one that is the logged-in WeChat, for
    /// the simulator a cookie.
    pub async fn belongs_to(&self, person: &Person, wechat: &Simulator) {
        let cookie = json!({
            "name": "wechat-phone", "value": person.id, "path": "/connect",
            "url": format!("{}/connect/oauth2/authorize", wechat.url()),
        });
        self.devtools("Network.setCookie", cookie).await;
    }

    /// Presses a button of a form by its value, and waits until the page that follows is there.
    pub async fn press(&self, value: &str) {
        let here = self.element("document.documentElement").await;
        self.click(&format!("document.querySelector('button[value={value}]')"))
            .await;
        // The old document's elements are stale once another one is loaded.
        crate::deadline::eventually("another page follows", async || {
            here.find(By::Css("body")).await.err()
        })
        .await;
        self.until("document.readyState === 'complete'").await;
    }
}
