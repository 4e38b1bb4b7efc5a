//! A receiver of events that is down for a while, and whether it got what happened: everything, of
//! each person in order, and nothing more than twice.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use harness::account::API_KEY;
use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use crate::output::say;

/// What the events are signed with.
pub(crate) const SECRET: &str = "whsec_dGhlIGtleSBvZiBhIHJlY2VpdmVyIGluIGEgc29haw==";

/// How long it is down.
const DOWN: Duration = Duration::from_mins(1);

/// How long the rest may take once all logins are complete. What failed when it was down is sent
/// again within minutes.
const DRAINED_WITHIN: Duration = Duration::from_mins(20);

/// How often it is asked how far the receiver is.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// How many events are read at once.
const PAGE: usize = 1000;

/// How often an event may come.
const MOST: usize = 2;

/// The receiver.
#[derive(Debug)]
pub(crate) struct Receiver {
    url: String,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The identifiers of all that came, as they came.
    got: Mutex<Vec<String>>,
    is_down: AtomicBool,
    refused: AtomicU64,
    unsigned: AtomicU64,
}

impl State {
    fn note(&self, id: String) {
        let mut got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        got.push(id);
    }
}

/// How what came compares with what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// How many events there are.
    pub(crate) events: usize,
    /// How many of them tell of a login.
    pub(crate) logins: usize,
    /// Deliveries that were refused because the receiver was down.
    pub(crate) refused: u64,
    /// Events that came twice.
    pub(crate) twice: usize,
    /// Events that came more often.
    pub(crate) too_often: usize,
    /// Events that didn't come.
    pub(crate) missing: usize,
    /// Events that came and aren't in the stream.
    pub(crate) unknown: usize,
    /// Events that came after a later one of the same person.
    pub(crate) out_of_order: usize,
    /// Deliveries whose signature is wrong.
    pub(crate) unsigned: u64,
}

impl Comparison {
    /// Whether everything came as it should, and each completed login was told of.
    pub(crate) const fn is_good(&self, completed: u64) -> bool {
        self.too_often == 0
            && self.missing == 0
            && self.unknown == 0
            && self.out_of_order == 0
            && self.unsigned == 0
            && self.logins as u64 >= completed
    }

    /// For the file of figures.
    pub(crate) fn to_json(self) -> Value {
        json!({
            "events": self.events,
            "logins": self.logins,
            "refused": self.refused,
            "twice": self.twice,
            "too_often": self.too_often,
            "missing": self.missing,
            "unknown": self.unknown,
            "out_of_order": self.out_of_order,
            "unsigned": self.unsigned,
        })
    }
}

/// An event of the stream.
struct Told {
    id: String,
    person: String,
    is_login: bool,
}

impl Receiver {
    /// Listens on a free port.
    pub(crate) async fn start() -> Result<Self, String> {
        let unusable = |error: std::io::Error| format!("no port for the receiver: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.is_down.load(Ordering::Relaxed) {
                    shared.refused.fetch_add(1, Ordering::Relaxed);
                } else {
                    tokio::spawn(serve(client, Arc::clone(&shared)));
                }
            }
        });
        Ok(Self {
            url: format!("http://{address}/events"),
            state,
        })
    }

    /// Where it takes events.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Is down for a minute from now on.
    pub(crate) fn be_down(&self) {
        say("the receiver of events is down for a minute");
        self.state.is_down.store(true, Ordering::Relaxed);
        let state = Arc::clone(&self.state);
        tokio::spawn(async move {
            sleep(DOWN).await;
            state.is_down.store(false, Ordering::Relaxed);
            say("the receiver of events is up again");
        });
    }

    /// Waits until it has got everything, and compares.
    pub(crate) async fn compare(&self, gateway: &str, http: &Client) -> Result<Comparison, String> {
        let end = Instant::now() + DRAINED_WITHIN;
        loop {
            let told = ask(http, &format!("{gateway}/v1/webhooks")).await;
            let is_done = told.is_ok_and(|told| told["webhooks"][0]["lag_events"] == 0);
            if is_done || Instant::now() > end {
                break;
            }
            sleep(ASKED_EVERY).await;
        }
        let happened = read(gateway, http).await?;
        let got = self.state.got.lock();
        let got = got.unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Comparison {
            refused: self.state.refused.load(Ordering::Relaxed),
            unsigned: self.state.unsigned.load(Ordering::Relaxed),
            ..difference(&happened, &got)
        })
    }
}

fn difference(happened: &[Told], got: &[String]) -> Comparison {
    let mut came: HashMap<&str, (usize, usize)> = HashMap::new();
    for (place, id) in got.iter().enumerate() {
        came.entry(id).or_insert((place, 0)).1 += 1;
    }
    let mut found = Comparison {
        events: happened.len(),
        logins: happened.iter().filter(|told| told.is_login).count(),
        ..Comparison::default()
    };
    let mut last: HashMap<&str, usize> = HashMap::new();
    for told in happened {
        let Some((place, times)) = came.remove(&*told.id) else {
            found.missing += 1;
            continue;
        };
        found.twice += usize::from(times == MOST);
        found.too_often += usize::from(times > MOST);
        let before = last.insert(&told.person, place);
        found.out_of_order += usize::from(before.is_some_and(|before| before > place));
    }
    found.unknown = came.len();
    found
}

async fn ask(http: &Client, url: &str) -> Result<Value, String> {
    let failed = |error: reqwest::Error| format!("{url} can't be read: {error}");
    let answer = http.get(url).bearer_auth(API_KEY).send().await;
    let text = answer.map_err(failed)?.text().await.map_err(failed)?;
    serde_json::from_str(&text).map_err(|error| format!("{url} answers no JSON: {error}"))
}

/// All that happened, as the stream has it.
async fn read(gateway: &str, http: &Client) -> Result<Vec<Told>, String> {
    let mut happened: Vec<Told> = Vec::new();
    loop {
        let after = happened
            .last()
            .map_or_else(String::new, |told| format!("&after={}", told.id));
        let page = ask(http, &format!("{gateway}/v1/events?limit={PAGE}{after}")).await?;
        let events = page["events"].as_array();
        let events = events.ok_or_else(|| format!("no events: {page}"))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        happened.extend(events.iter().map(|event| Told {
            id: text(&event["id"]),
            person: text(&event["data"]["openid"]),
            is_login: event["type"] == "login.completed",
        }));
        if events.is_empty() {
            return Ok(happened);
        }
    }
}

/// Answers until the sender goes, or it is down.
async fn serve(mut client: TcpStream, state: Arc<State>) -> Option<()> {
    let webhook = Webhook::new(SECRET).ok()?;
    loop {
        let (headers, body) = take(&mut client).await?;
        if state.is_down.load(Ordering::Relaxed) {
            state.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if webhook.verify(&body, &headers).is_err() {
            state.unsigned.fetch_add(1, Ordering::Relaxed);
        }
        let id = headers.get("webhook-id")?.to_str().ok()?.to_owned();
        state.note(id);
        client
            .write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")
            .await
            .ok()?;
    }
}

/// A request's headers and body.
async fn take(client: &mut TcpStream) -> Option<(HeaderMap, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        if let Some((name, value)) = line.split_once(": ") {
            let name: HeaderName = name.parse().ok()?;
            headers.insert(name, HeaderValue::from_str(value).ok()?);
        }
    }
    let length = headers.get("content-length")?.to_str().ok()?;
    let mut body = vec![0; length.parse().ok()?];
    client.read_exact(&mut body).await.ok()?;
    Some((headers, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_compared_with_what_happened() {
        let told = |id: &str, person: &str| Told {
            id: id.to_owned(),
            person: person.to_owned(),
            is_login: id != "c",
        };
        let happened = [
            told("a", "one"),
            told("b", "two"),
            told("c", "one"),
            told("d", "two"),
            told("e", "one"),
        ];
        let got = ["c", "a", "b", "a", "d", "d", "d", "x"].map(str::to_owned);
        let found = difference(&happened, &got);
        let expected = Comparison {
            events: 5,
            logins: 4,
            twice: 1,
            too_often: 1,
            missing: 1,
            unknown: 1,
            out_of_order: 1,
            ..Comparison::default()
        };
        assert_eq!(found, expected);
        assert!(!found.is_good(4));
        let well = ["a", "b", "c", "c", "d", "e"].map(str::to_owned);
        assert!(difference(&happened, &well).is_good(4));
        assert!(!difference(&happened, &well).is_good(5));
    }
}
