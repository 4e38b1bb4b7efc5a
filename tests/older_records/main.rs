//! Has the version before write down what an upgrade in mid-login finds, as a fixture for
//! `resilience::upgrade`.
//!
//! `cargo xtask test rolling_upgrade` builds that version's binaries below `target/older`; then
//!
//! ```sh
//! LOGIN_OLDER_BINARIES=$PWD/target/older/COMMIT/build/debug \
//!     cargo run -p system-tests --example older_records
//! ```
//!
//! writes `tests/resilience/fixtures/version-COMMIT.json`. It is made anew when `harness::older`
//! names another version, or when it has to hold more. Redis, the simulator and the made-up account
//! are today's.

use std::path::Path;

use harness::{older, ports};
use reqwest::Method;
use system_tests::{
    older_records::{Browser, OlderRecords, Phone},
    simulator::Person,
    stack::{Plan, Stack},
    visitor::{SESSION_COOKIE, Visitor},
};
use url::Url;

#[tokio::main]
async fn main() {
    let folder = std::env::var_os(older::BINARIES);
    let folder = folder.unwrap_or_else(|| panic!("{} names no folder", older::BINARIES));
    let public = ports::local(ports::free()).to_string();
    let plan = Plan::default()
        .binaries(Path::new(&folder))
        .gateway("GATEWAY__PUBLIC__BIND", &public)
        .gateway("GATEWAY__PUBLIC__URL", &format!("http://{public}"));
    let mut stack = plan.start().await;

    let mut signed_in = Login::scanned(&stack, "小林").await;
    signed_in.visitor.complete().await;
    let waiting = Login::begun(&stack, signed_in.person.clone()).await;
    let confirmed = Login::scanned(&stack, "阿雅").await;
    let answer_lost = Login::scanned(&stack, "小周").await;
    let mut unheard = answer_lost.visitor.clone();
    unheard.complete().await;
    let mut signed_out = Login::scanned(&stack, "老王").await;
    signed_out.visitor.complete().await;
    let mut elsewhere = Login::begun(&stack, signed_out.person.clone()).await;
    elsewhere.scan(&stack).await;
    elsewhere.visitor.complete().await;
    let answer = elsewhere
        .visitor
        .call(Method::DELETE, "/api/sessions")
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text);

    must_also_press(&mut stack).await;
    let scanned = Login::scanned(&stack, "小陈").await;
    let deciding = Login::scanned(&stack, "小吴").await;
    let phone = asked(&stack, &deciding.person).await;

    let browsers = [
        ("signed_in", signed_in.browser()),
        ("waiting", waiting.browser()),
        ("confirmed", confirmed.browser()),
        (
            "answer_lost",
            Browser {
                lost_session: unheard.cookies().remove(SESSION_COOKIE),
                ..answer_lost.browser()
            },
        ),
        ("signed_out_everywhere", signed_out.browser()),
        ("scanned", scanned.browser()),
        (
            "deciding",
            Browser {
                phone: Some(phone),
                ..deciding.browser()
            },
        ),
    ];
    let browsers = browsers.map(|(name, browser)| (name.to_owned(), browser));
    let records = OlderRecords::of(older::COMMIT, &stack.redis, browsers.into()).await;
    records.write();
}

/// A login in a browser, and whose phone goes with it.
struct Login {
    person: Person,
    visitor: Visitor,
    content: String,
}

impl Login {
    async fn begun(stack: &Stack, person: Person) -> Self {
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        Self {
            person,
            visitor,
            content,
        }
    }

    async fn scanned(stack: &Stack, nickname: &str) -> Self {
        let person = stack.wechat.person(nickname, true).await;
        let login = Self::begun(stack, person).await;
        login.scan(stack).await;
        login
    }

    async fn scan(&self, stack: &Stack) {
        let scanned = stack.wechat.scan(&self.person, &self.content).await;
        assert_eq!(scanned["delivery"]["outcome"], "answered", "{scanned}");
    }

    fn browser(mut self) -> Browser {
        Browser::of(&mut self.visitor, &self.person.openid, &self.content)
    }
}

/// From here on the scan alone logs nobody in.
async fn must_also_press(stack: &mut Stack) {
    let mut gateway = stack.gateways.remove(0);
    gateway.process.stop().await;
    let plan = stack.plan.clone();
    stack.plan = plan.gateway("GATEWAY__LOGIN__APPROVAL", "tap");
    stack.add_gateway().await;
    stack.push_to(0).await;
    // The site before asks the gateway before.
    stack.sites.clear();
    stack.add_site().await;
}

/// Opens the reply's link, up to the page that asks.
async fn asked(stack: &Stack, person: &Person) -> Phone {
    let chat = stack.wechat.chat(person).await;
    let link = chat.last().and_then(|line| line.split_once("href=\""));
    let (link, _) = link
        .and_then(|(_, rest)| rest.split_once('"'))
        .expect("the reply holds a link");
    let mut phone = Visitor::new(&stack.gateways[0].public);
    let address = Url::parse(link).expect("it is an address");
    let to_wechat = location(&mut phone, &path(&address)).await;
    let back = path(&stack.wechat.authorize(person, &to_wechat).await);
    let asking = location(&mut phone, &back).await;
    Phone::of(&mut phone, &back, &asking)
}

fn path(address: &Url) -> String {
    format!("{}?{}", address.path(), address.query().unwrap_or_default())
}

async fn location(phone: &mut Visitor, path: &str) -> String {
    let answer = phone.call(Method::GET, path).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    let location = answer.headers["location"].to_str();
    location.expect("it is an address").to_owned()
}
