//! The browser on a phone over HTTP, so that a test can look at every step, and leave some out.

use reqwest::Method;
use system_tests::{
    simulator::Person,
    stack::Stack,
    visitor::{Answer, Visitor},
};
use url::Url;

/// One browser that opens the gateway's pages.
#[derive(Clone)]
pub(crate) struct PhoneBrowser {
    pub(crate) visitor: Visitor,
}

impl PhoneBrowser {
    pub(crate) fn new(stack: &Stack) -> Self {
        let visitor = Visitor::new(&stack.gateways[0].public);
        Self { visitor }
    }

    pub(crate) async fn get(&mut self, address: &Url) -> Answer {
        let query = address.query().unwrap_or_default();
        let path = format!("{}?{query}", address.path());
        self.visitor.call(Method::GET, &path).await
    }

    /// Opens a link and is sent to WeChat.
    pub(crate) async fn begins(&mut self, link: &str) -> Url {
        let answer = self.get(&Url::parse(link).expect("an address")).await;
        sent_to_wechat(&answer)
    }

    /// Opens a link, lets WeChat see whose phone it is, and says to which address that leads back.
    pub(crate) async fn goes(&mut self, stack: &Stack, person: &Person, link: &str) -> Url {
        let authorize_url = self.begins(link).await;
        stack.wechat.authorize(person, authorize_url.as_str()).await
    }

    /// Opens a link to the page that asks, and returns that page's address.
    pub(crate) async fn is_asked(&mut self, stack: &Stack, person: &Person, link: &str) -> Url {
        let back = self.goes(stack, person, link).await;
        let answer = self.get(&back).await;
        back.join(&location(&answer)).expect("an address")
    }

    pub(crate) async fn presses(&mut self, asking: &Url, decision: &str) -> Answer {
        let ticket = asking.query_pairs().find(|(name, _)| name == "ticket");
        let ticket = ticket.expect("the page has a ticket").1;
        let body = format!("ticket={ticket}&decision={decision}");
        self.visitor.post_form(asking.path(), body).await
    }
}

/// Where an answer sends the browser.
pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 302, "{}", answer.text);
    let location = answer.headers["location"].to_str();
    location.expect("it is an address").to_owned()
}

/// The address of WeChat to which an answer sends the browser.
#[track_caller]
pub(crate) fn sent_to_wechat(answer: &Answer) -> Url {
    let address = location(answer);
    assert!(address.contains("/connect/oauth2/authorize?"), "{address}");
    Url::parse(&address).expect("an address")
}

/// The same address with another value of this parameter, or without it.
pub(crate) fn with(address: &Url, name: &str, value: Option<&str>) -> Url {
    let pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    let mut changed = address.clone();
    changed
        .query_pairs_mut()
        .clear()
        .extend_pairs(pairs.iter().filter(|(key, _)| key != name))
        .extend_pairs(value.map(|value| (name, value)));
    changed
}
