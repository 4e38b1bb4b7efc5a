//! One login, walked to any point and on from there as a browser and a phone do that meet an
//! outage.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    deadline::eventually,
    simulator::Person,
    visitor::{Answer, Events, Visitor},
};
use tokio::time::timeout;

use crate::system::System;

/// The site notices at the latest after nine seconds that its news broke off, and catches up after
/// two more.
const NEWS_DUE: Duration = Duration::from_secs(20);

const COMPLETE: &str = "/api/login/complete";
const SESSION_COOKIE: &str = "wechat-session";

/// How far a login has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The page is open and nothing else happened.
    BeforeTheCode,
    /// The visitor looks at the code.
    CodeShown,
    /// In tap mode: the person has scanned and not yet pressed.
    Scanned,
    /// The browser knows that the scan was good.
    Confirmed,
    /// The site redeemed the attempt, and its answer never reached the browser.
    AnswerLost,
    /// The browser holds its session.
    SignedIn,
}

/// All of them, in their order.
pub(crate) const PHASES: [Phase; 6] = [
    Phase::BeforeTheCode,
    Phase::CodeShown,
    Phase::Scanned,
    Phase::Confirmed,
    Phase::AnswerLost,
    Phase::SignedIn,
];

/// A login on its way.
pub(crate) struct Login {
    phase: Phase,
    /// Whether the phone must also press.
    tap: bool,
    person: Person,
    visitor: Visitor,
    content: String,
    events: Option<Events>,
    /// The push that was sent during an outage.
    delivery: Option<String>,
    /// The session that a redemption led to.
    session: Option<String>,
}

impl Login {
    /// Walks a new login to this point.
    pub(crate) async fn reach(system: &System, phase: Phase) -> Self {
        let mut login = Self {
            phase,
            tap: system.tap,
            person: system.stack.wechat.person("小林", true).await,
            visitor: system.visitor(),
            content: String::new(),
            events: None,
            delivery: None,
            session: None,
        };
        if phase >= Phase::CodeShown {
            login.content = login.visitor.start_login().await;
            login.hears("pending").await;
        }
        if phase >= Phase::Scanned {
            let wechat = &system.stack.wechat;
            wechat.scan(&login.person, &login.content).await;
        }
        if phase >= Phase::Scanned && login.tap {
            login.hears("scanned").await;
        }
        if phase >= Phase::Confirmed {
            if login.tap {
                login.press(system).await;
            }
            login.hears("confirmed").await;
        }
        if phase >= Phase::AnswerLost {
            let mut unheard = login.visitor.clone();
            unheard.complete().await;
            login.session = unheard.cookies().get(SESSION_COOKIE).cloned();
        }
        if phase == Phase::SignedIn {
            login.visitor.complete().await;
        }
        login
    }

    /// Takes the next step while Redis is away: whoever takes it is told so, and nothing is taken
    /// for done.
    pub(crate) async fn is_told(&mut self, system: &System) {
        let (method, path) = match self.phase {
            Phase::BeforeTheCode => (Method::POST, "/api/login"),
            Phase::CodeShown => {
                self.scan_is_refused(system).await;
                (Method::GET, "/api/login")
            }
            Phase::Scanned => {
                self.phone_is_told(system).await;
                (Method::GET, "/api/login")
            }
            Phase::Confirmed | Phase::AnswerLost => (Method::POST, COMPLETE),
            Phase::SignedIn => (Method::GET, "/api/session"),
        };
        let cookies = self.visitor.cookies().clone();
        let answer = self.visitor.call(method, path).await;
        assert!(is_outage(&answer), "{:?}: {}", self.phase, answer.text);
        assert_eq!(answer.json["code"], "store_unavailable", "{:?}", self.phase);
        assert_eq!(*self.visitor.cookies(), cookies, "{:?}", self.phase);
    }

    /// The page behind the reply's link says that it isn't possible now.
    pub(crate) async fn phone_is_told(&self, system: &System) {
        let page = self.open_link(system).await;
        assert!(text(&page).contains("暂时无法完成"), "{page}");
    }

    /// No login begins, and the browser is told why and when to ask again.
    pub(crate) async fn code_is_refused(&mut self, code: &str) {
        let answer = self.visitor.call(Method::POST, "/api/login").await;
        assert!(is_outage(&answer), "{}", answer.text);
        assert_eq!(answer.json["code"], code);
        assert!(self.visitor.cookies().is_empty());
    }

    /// The push is answered so that WeChat sends it again.
    async fn scan_is_refused(&mut self, system: &System) {
        let id = self.scan(system).await;
        eventually("a gateway refuses the push", async || {
            let delivery = delivery(system, &id).await;
            assert_eq!(delivery["outcome"], "pending", "{delivery}");
            (delivery["attempts"][0]["status"] == 503).then_some(())
        })
        .await;
        self.delivery = Some(id);
    }

    /// The person scans; what comes of it is seen later.
    pub(crate) async fn scan_without_waiting(&mut self, system: &System) {
        self.delivery = Some(self.scan(system).await);
    }

    /// Asks for the session and keeps nothing of the answer.
    pub(crate) async fn completes_unheard(&self) -> Answer {
        self.visitor.clone().call(Method::POST, COMPLETE).await
    }

    /// How many sessions the person has.
    pub(crate) async fn sessions(&self, system: &System) -> usize {
        system.sessions_of(&self.person.openid).await
    }

    /// Sends the push off and returns its name.
    async fn scan(&self, system: &System) -> String {
        let path = format!("/simulator/people/{}/scan", self.person.id);
        let code = json!({ "code": self.content });
        let wechat = &system.stack.wechat;
        let sent = wechat.control(Method::POST, &path, code).await;
        let id = sent["delivery_id"].as_str();
        id.expect("it is pushed").to_owned()
    }

    /// Goes on to the end, through whatever is left of the outage, and checks that it was one
    /// login.
    pub(crate) async fn finish(self, system: &System) {
        let phase = self.phase;
        let openid = self.log_in(system).await;
        assert_eq!(system.sessions_of(&openid).await, 1, "{phase:?}");
    }

    /// Goes on to the end, and returns who logged in.
    pub(crate) async fn log_in(mut self, system: &System) -> String {
        if self.phase <= Phase::BeforeTheCode {
            let answer = self.insists(Method::POST, "/api/login", 201).await;
            let content = answer.json["qr"]["content"].as_str();
            content.expect("a code").clone_into(&mut self.content);
        }
        let attempt = self.visitor.cookies().get("wechat-login").cloned();
        if self.phase <= Phase::CodeShown {
            self.scan_arrives(system).await;
        }
        if self.tap && self.phase <= Phase::Scanned {
            self.press(system).await;
        }
        if self.phase < Phase::Confirmed {
            self.hears("confirmed").await;
        }
        // Whether or not an answer got lost, the repeat leads to the same session.
        for _ in 0..2 {
            let answer = self.insists(Method::POST, COMPLETE, 200).await;
            assert_eq!(answer.json["user"]["openid"], self.person.openid);
            let session = self.visitor.cookies()[SESSION_COOKIE].clone();
            let first = self.session.get_or_insert_with(|| session.clone());
            assert_eq!(*first, session, "{:?}: two sessions", self.phase);
        }
        let signed_in = self.insists(Method::GET, "/api/session", 200).await;
        assert_eq!(signed_in.json["user"]["openid"], self.person.openid);
        let same = self.visitor.cookies().get("wechat-login").cloned();
        assert_eq!(same, attempt, "{:?}: another attempt", self.phase);
        self.person.openid
    }

    /// The push is answered in the end, and at that moment its effect is there.
    async fn scan_arrives(&mut self, system: &System) {
        if let Some(id) = self.delivery.take() {
            eventually("the push is answered", async || {
                let delivery = delivery(system, &id).await;
                assert_ne!(delivery["outcome"], "service_fault", "{delivery}");
                (delivery["outcome"] == "answered").then_some(())
            })
            .await;
        } else {
            let wechat = &system.stack.wechat;
            let scanned = wechat.scan(&self.person, &self.content).await;
            assert_eq!(scanned["delivery"]["outcome"], "answered", "{scanned}");
        }
        let answer = self.insists(Method::GET, "/api/login", 200).await;
        let done = if self.tap { "scanned" } else { "confirmed" };
        assert_eq!(answer.json["status"], done, "answered, yet not done");
    }

    /// The page that the reply's link leads to.
    async fn open_link(&self, system: &System) -> Value {
        let link = self.link(system).await;
        system.stack.wechat.open(&self.person, &link).await
    }

    async fn link(&self, system: &System) -> String {
        let chat = system.stack.wechat.chat(&self.person).await;
        let (_, after) = chat
            .last()
            .and_then(|line| line.split_once("href=\""))
            .expect("the reply holds a link");
        let (link, _) = after.split_once('"').expect("an attribute ends");
        link.to_owned()
    }

    /// Presses the link again until the page asks, and confirms.
    async fn press(&self, system: &System) {
        eventually("the page asks whether to log in", async || {
            let page = self.open_link(system).await;
            text(&page).contains("decision").then_some(())
        })
        .await;
        let link = self.link(system).await;
        let path = format!("/simulator/people/{}/open", self.person.id);
        let pressed = json!({ "url": link, "form": { "decision": "confirm" } });
        let wechat = &system.stack.wechat;
        let page = wechat.control(Method::POST, &path, pressed).await;
        assert!(text(&page).contains("已确认登录"), "{page}");
    }

    /// Waits for this event, over as many streams as it takes, as a browser does.
    async fn hears(&mut self, status: &str) {
        let what = format!("{:?}: the browser hears {status}", self.phase);
        let heard = eventually(&what, async || {
            if self.events.is_none() {
                self.events = self.visitor.try_events().await;
            }
            let heard = self.events.as_mut()?.next_status().await;
            if heard.is_none() {
                self.events = None;
            }
            (heard.as_deref() == Some(status)).then_some(())
        });
        // A stream that says nothing would be opened again in the end, and hide that the news was
        // missed.
        timeout(NEWS_DUE, heard).await.expect(&what);
    }

    /// Repeats a request until it succeeds; in between only an outage may be told.
    async fn insists(&mut self, method: Method, path: &str, status: u16) -> Answer {
        let what = format!("{:?}: {method} {path} succeeds", self.phase);
        eventually(&what, async || {
            let answer = self.visitor.try_call(method.clone(), path).await?;
            let good = answer.status == status;
            assert!(good || is_outage(&answer), "{what}: {}", answer.text);
            good.then_some(answer)
        })
        .await
    }
}

/// Whether an answer says that trying again later helps.
fn is_outage(answer: &Answer) -> bool {
    answer.status == 503 && answer.headers.contains_key("retry-after")
}

fn text(page: &Value) -> &str {
    page["body"].as_str().unwrap_or_default()
}

async fn delivery(system: &System, id: &str) -> Value {
    let path = format!("/simulator/deliveries/{id}");
    let wechat = &system.stack.wechat;
    wechat.control(Method::GET, &path, Value::Null).await
}
