//! A million members: what listing, exporting and erasing take, and what another client of Redis
//! notices meanwhile.
//!
//! `cargo run --release -p system-tests --example million_members -- 1000000`
//!
//! It needs about 1.5 GB, starts a Redis and a gateway of its own, and ends within minutes. The
//! gateway is the one of the folder that `LOGIN_BINARIES` names, or else the one that tests use.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use login_protocol::steps::{GiveSubject, IndexMember, RecordFollow};
use login_protocol::subject::Subject;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use service_kit::redis::Store;
use system_tests::{
    attempts::member,
    stack::{API_KEY, Plan, Stack},
};

/// How many members are written at once.
const AT_ONCE: usize = 1_000;

/// How many pages are read, from the newest on and from the middle on.
const PAGES: usize = 200;

/// How many people are erased.
const ERASED: usize = 20;

fn openid(number: usize) -> String {
    format!("oMem{number:024}")
}

#[tokio::main]
async fn main() {
    let count = std::env::args().nth(1);
    let count = count.map_or(1_000_000, |count| {
        count.parse().expect("a number of members")
    });
    let mut plan = Plan::default().sites(0);
    if let Some(folder) = std::env::var_os("LOGIN_BINARIES") {
        plan = plan.binaries(&PathBuf::from(folder));
    }
    let stack = plan.start().await;
    let store = Arc::new(stack.redis.store());
    let began = Instant::now();
    fill(&store, count).await;
    println!("{count} members in {:?}\n", began.elapsed());
    println!("| what | times | median | p99 | longest | another client's `PING`: p99 | longest |");
    println!("|---|---|---|---|---|---|---|");
    let quiet = Others::watch(&store);
    tokio::time::sleep(Duration::from_secs(2)).await;
    report("nothing", Vec::new(), quiet.end().await);
    for (name, query) in [
        ("a page of 100", "limit=100"),
        ("a page of 100 who follow", "limit=100&subscribed=true"),
        ("a page of 100 who don't", "limit=100&subscribed=false"),
        ("a page of 1000", "limit=1000"),
    ] {
        let others = Others::watch(&store);
        let times = pages(&stack, query).await;
        report(name, times, others.end().await);
    }
    let others = Others::watch(&store);
    let (lines, time) = export(&stack).await;
    assert_eq!(lines, count, "an export has everybody");
    report("the export", vec![time], others.end().await);
    let others = Others::watch(&store);
    let mut times = Vec::new();
    for number in 0..ERASED.min(count) {
        let path = format!("/v1/members/{}", openid(number * (count / ERASED).max(1)));
        let began = Instant::now();
        let answer = request(&stack, Method::DELETE, &path).send().await;
        assert_eq!(answer.expect("it answers").status(), 204);
        times.push(began.elapsed());
    }
    report("an erasure", times, others.end().await);
}

/// Writes members as logins do.
async fn fill(store: &Store, count: usize) {
    for from in (0..count).step_by(AT_ONCE) {
        let people =
            || (from..count.min(from + AT_ONCE)).map(|number| (number, member(&openid(number))));
        let at = |number: usize| {
            let second = 1_600_000_000 + i64::try_from(number * 60).expect("a time");
            Timestamp::from_second(second).expect("a time")
        };
        let follows: Vec<_> = people()
            .map(|(number, member)| RecordFollow {
                member,
                at: at(number),
                profile: None,
            })
            .collect();
        let indexed: Vec<_> = people()
            .map(|(number, member)| IndexMember {
                member,
                first_seen_at: at(number),
                only_new: false,
            })
            .collect();
        let subjects: Vec<_> = people()
            .map(|(number, member)| {
                let mut bytes = [0; 16];
                bytes[8..].copy_from_slice(&(number as u64).to_be_bytes());
                GiveSubject {
                    member,
                    subject: Subject::from_random(bytes),
                    given_at: Some(at(number)),
                    union: None,
                }
            })
            .collect();
        store.run_all(&follows).await.expect("Redis is running");
        store.run_all(&indexed).await.expect("Redis is running");
        store.run_all(&subjects).await.expect("Redis is running");
    }
}

fn request(stack: &Stack, method: Method, path: &str) -> RequestBuilder {
    static CLIENT: std::sync::OnceLock<Client> = std::sync::OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let built = service_kit::http_client::build(Duration::from_mins(10));
        built.expect("a client can be made")
    });
    client
        .request(method, format!("{}{path}", stack.gateways[0].internal))
        .bearer_auth(API_KEY)
}

/// Pages one after the other.
async fn pages(stack: &Stack, query: &str) -> Vec<Duration> {
    let mut cursor = String::new();
    let mut times = Vec::new();
    for _ in 0..PAGES {
        let path = format!("/v1/members?{query}&cursor={cursor}");
        let began = Instant::now();
        let answer = request(stack, Method::GET, &path).send().await;
        let text = answer.expect("it answers").text().await.expect("a body");
        times.push(began.elapsed());
        let page: Value = serde_json::from_str(&text).expect("JSON");
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    times
}

/// How many lines the export has, and how long it takes.
async fn export(stack: &Stack) -> (usize, Duration) {
    let began = Instant::now();
    let answer = request(stack, Method::GET, "/v1/members/export")
        .send()
        .await;
    let mut answer = answer.expect("it answers");
    let mut lines = 0;
    while let Some(part) = answer.chunk().await.expect("the export goes on") {
        lines += part.split(|byte| *byte == b'\n').count() - 1;
    }
    (lines, began.elapsed())
}

/// Another client of Redis, which asks all the time.
struct Others {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Vec<Duration>>,
}

impl Others {
    fn watch(store: &Arc<Store>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (store, stopped) = (Arc::clone(store), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut times = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let began = Instant::now();
                store.ping().await.expect("Redis is running");
                times.push(began.elapsed());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            times
        });
        Self { stop, task }
    }

    async fn end(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("it asks to the end")
    }
}

fn report(what: &str, times: Vec<Duration>, others: Vec<Duration>) {
    let [count, median, p99, longest] = row(times);
    let [_, _, others_p99, others_longest] = row(others);
    println!(
        "| {what} | {count} | {median} | {p99} | {longest} | {others_p99} | {others_longest} |"
    );
}

fn row(mut times: Vec<Duration>) -> [String; 4] {
    times.sort_unstable();
    let at = |part: usize| {
        let found = times.get((times.len() * part / 100).min(times.len().saturating_sub(1)));
        found.map_or_else(
            || "–".to_owned(),
            |time| format!("{:.2} ms", time.as_secs_f64() * 1e3),
        )
    };
    [times.len().to_string(), at(50), at(99), at(100)]
}
