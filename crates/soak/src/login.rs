//! One login, with a browser that behaves as the modal does and a person who scans.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use harness::visitor::{ATTEMPT_COOKIE, Answer, Events, Replicas, SESSION_COOKIE, Visitor};
use login_protocol::scene::{BrowserSecret, Scene};
use reqwest::{Client, Method};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{
    deliveries::{Deliveries, Scanned},
    tally::{Count, Tally},
};

/// A login that takes longer is lost.
const LOST_AFTER: Duration = Duration::from_mins(2);

/// As often as a browser opens a broken stream again.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// How long the news of an answered scan may take before the browser asks.
const NEWS_DUE: Duration = Duration::from_secs(5);

/// How long a person takes to scan again after the chat said that the service failed.
const SCAN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// One login in so many repeats its redemption at once, as after a lost answer.
const REPEATED: u64 = 10;

/// One login in so many goes on to a client of the OpenID Connect provider.
const AT_A_CLIENT: u64 = 4;

/// What all logins share.
#[derive(Debug)]
pub(crate) struct World {
    /// The sites.
    pub(crate) site: Arc<Replicas>,
    /// The phones, as far as the account hears of them.
    pub(crate) wechat: Deliveries,
    /// The people's openids.
    pub(crate) people: Vec<String>,
    /// The counts.
    pub(crate) tally: Arc<Tally>,
    /// The browsers' client.
    pub(crate) http: Client,
}

/// Where an attempt ended.
enum Attempt {
    /// The browser is signed in.
    SignedIn,
    /// The visitor was told that the code is over, and gets a new one.
    Over,
}

impl World {
    /// Begins one login after the other until enough have begun.
    pub(crate) async fn log_in_until_done(&self) {
        while let Some(number) = self.tally.next_login() {
            let began = Instant::now();
            match timeout(LOST_AFTER, self.log_in(number)).await {
                Ok(openid) => self.tally.completed(openid, began.elapsed()),
                Err(_) => self.tally.add(Count::Lost),
            }
        }
    }

    async fn log_in(&self, number: u64) -> &str {
        let person = usize::try_from(number).unwrap_or(0) % self.people.len();
        let openid = &self.people[person];
        let mut visitor = self.visitor(number);
        loop {
            let scene = self.begin(&mut visitor).await;
            match self.attempt(&mut visitor, openid, &scene, number).await {
                Attempt::SignedIn => {
                    if number.is_multiple_of(AT_A_CLIENT) {
                        self.visit_client(&mut visitor, openid, number).await;
                    }
                    return openid;
                }
                Attempt::Over => self.tally.add(Count::Renewed),
            }
        }
    }

    /// A browser without cookies, with an address of its own.
    pub(crate) fn visitor(&self, number: u64) -> Visitor {
        let mut visitor = Visitor::behind(self.http.clone(), Arc::clone(&self.site));
        let number = u32::try_from(number & 0x00ff_ffff).unwrap_or(0);
        let address = Ipv4Addr::from(0x0a00_0000 | number);
        visitor.set_header("x-forwarded-for", &address.to_string());
        visitor
    }

    /// Opens the modal. The scene is what the code's picture would lead the phone to.
    async fn begin(&self, visitor: &mut Visitor) -> Scene {
        loop {
            let answer = visitor.try_call(Method::POST, "/api/login").await;
            let secret = visitor.cookies().get(ATTEMPT_COOKIE);
            let secret = secret.and_then(|text| BrowserSecret::parse(text).ok());
            match (status_of(answer.as_ref()), secret) {
                (201, Some(secret)) => return secret.scene(),
                _ => self.wait_as_told(answer.as_ref()).await,
            }
        }
    }

    async fn attempt(
        &self,
        visitor: &mut Visitor,
        openid: &str,
        scene: &Scene,
        number: u64,
    ) -> Attempt {
        let mut stream = Stream::open(visitor).await;
        loop {
            self.scan_until_answered(openid, scene).await;
            let heard = stream.decision(Instant::now() + NEWS_DUE, visitor).await;
            let status = if let Some(status) = heard {
                status
            } else {
                self.tally.add(Count::NewsMissed);
                self.status(visitor).await
            };
            match status.as_str() {
                "confirmed" | "consumed" => break,
                // The account answered the phone, so this scan has to be there.
                "pending" => self.tally.add(Count::AnsweredWithoutEffect),
                _ => return Attempt::Over,
            }
        }
        drop(stream);
        self.complete(visitor, openid, number).await
    }

    async fn scan_until_answered(&self, openid: &str, scene: &Scene) {
        loop {
            let (scanned, deliveries) = self.wechat.scan(openid, scene).await;
            if deliveries > 1 {
                self.tally.add(Count::PushRepeated);
            }
            match scanned {
                Scanned::Answered => return,
                Scanned::Fault => {
                    self.tally.add(Count::ScannedAgain);
                    sleep(SCAN_AGAIN_AFTER).await;
                }
            }
        }
    }

    /// Where the attempt stands, from whoever can say.
    async fn status(&self, visitor: &mut Visitor) -> String {
        loop {
            let answer = visitor.try_call(Method::GET, "/api/login").await;
            match (status_of(answer.as_ref()), &answer) {
                (200, Some(answer)) => {
                    let status = answer.json["status"].as_str();
                    return status.unwrap_or_default().to_owned();
                }
                (404 | 410, _) => return "expired".to_owned(),
                _ => self.wait_as_told(answer.as_ref()).await,
            }
        }
    }

    async fn complete(&self, visitor: &mut Visitor, openid: &str, number: u64) -> Attempt {
        let mut session = None;
        let mut repeats = u64::from(number.is_multiple_of(REPEATED));
        loop {
            let answer = visitor.try_call(Method::POST, "/api/login/complete").await;
            match (status_of(answer.as_ref()), &answer) {
                (200, Some(answer)) => {
                    if answer.json["user"]["openid"] != *openid {
                        self.tally.add(Count::WrongPerson);
                    }
                    let cookie = visitor.cookies().get(SESSION_COOKIE).cloned();
                    if session.is_some() && session != cookie {
                        self.tally.add(Count::Doubled);
                    }
                    session = cookie;
                    if repeats == 0 {
                        break;
                    }
                    repeats -= 1;
                }
                (404 | 410, _) => {
                    // As the modal: perhaps another request of this browser's went through.
                    if self.is_signed_in(visitor, openid).await {
                        return Attempt::SignedIn;
                    }
                    self.tally.add(Count::RefusedAfterScan);
                    return Attempt::Over;
                }
                _ => {
                    self.tally.add(Count::RedemptionRepeated);
                    self.wait_as_told(answer.as_ref()).await;
                }
            }
        }
        if !self.is_signed_in(visitor, openid).await {
            self.tally.add(Count::SessionMissing);
        }
        Attempt::SignedIn
    }

    async fn is_signed_in(&self, visitor: &mut Visitor, openid: &str) -> bool {
        loop {
            let answer = visitor.try_call(Method::GET, "/api/session").await;
            match (status_of(answer.as_ref()), &answer) {
                (200, Some(answer)) => return answer.json["user"]["openid"] == *openid,
                (401, _) => return false,
                _ => self.wait_as_told(answer.as_ref()).await,
            }
        }
    }

    /// Waits as long as the answer says, or as a browser does that got none.
    pub(crate) async fn wait_as_told(&self, answer: Option<&Answer>) {
        self.tally.add(if answer.is_some() {
            Count::Refused
        } else {
            Count::Unanswered
        });
        let told = answer.and_then(Answer::retry_after);
        sleep(told.map_or(RECONNECT_AFTER, Duration::from_secs)).await;
    }
}

/// The status of an answer; 0 when there was none.
pub(crate) fn status_of(answer: Option<&Answer>) -> u16 {
    answer.map_or(0, |answer| answer.status.as_u16())
}

/// The browser's event stream, opened again whenever it breaks.
struct Stream(Option<Events>);

impl Stream {
    async fn open(visitor: &mut Visitor) -> Self {
        Self(visitor.try_events().await)
    }

    /// The first status that isn't `pending`; `None` when there was none in time.
    async fn decision(&mut self, end: Instant, visitor: &mut Visitor) -> Option<String> {
        let decided = async {
            loop {
                let status = match &mut self.0 {
                    Some(events) => events.next_status().await,
                    None => None,
                };
                match status {
                    Some(status) if status == "pending" => {}
                    Some(status) => return status,
                    None => {
                        sleep(RECONNECT_AFTER).await;
                        self.0 = visitor.try_events().await;
                    }
                }
            }
        };
        timeout_at(end, decided).await.ok()
    }
}
