//! What webhooks cost a login's push: gateways without a receiver, with one, and with one that
//! hangs, side by side in alternating rounds.
//!
//! `cargo run -p system-tests --example webhook_pushes -- 100`, where 100 is the number of rounds.
//! The gateways are those of the folder that `LOGIN_BINARIES` names, or else those that tests use.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use harness::phone::{Mode, Phone};
use reqwest::{Client, header::CONTENT_TYPE};
use service_kit::redis::Store;
use system_tests::{
    attempts,
    stack::{Plan, Stack},
    webhook_receiver::{Receiver, Reply, SECRET},
};
use wechat_wire::push::PushBody;

/// How many pushes a gateway gets in a round.
const PUSHES: usize = 20;

/// A gateway with its own Redis, and what its pushes took.
struct Side {
    name: &'static str,
    stack: Stack,
    store: Store,
    times: Vec<Duration>,
}

#[tokio::main]
async fn main() {
    let rounds = std::env::args().nth(1);
    let rounds = rounds.map_or(100, |rounds| rounds.parse().expect("a number of rounds"));
    let (takes, hangs) = (Receiver::start().await, Receiver::start().await);
    hangs.answer(|_| Reply::Never);
    let mut sides = [
        Side::start("no webhook", None).await,
        Side::start("a webhook", Some(&takes)).await,
        Side::start("a webhook that hangs", Some(&hangs)).await,
    ];
    let (http, phone) = (
        service_kit::http_client::build(Duration::from_secs(5)),
        Phone::default(),
    );
    let http = http.expect("a client can be made");
    // The first round warms up, and isn't counted.
    for round in 0..=rounds {
        // Who goes first isn't always the same.
        for place in 0..sides.len() {
            let count = sides.len();
            let side = &mut sides[(round + place) % count];
            let times = side.push(&http, &phone, round).await;
            if round > 0 {
                side.times.extend(times);
            }
        }
    }
    println!("| gateway | pushes | p50 | p95 | p99 | events delivered |");
    println!("|---|---|---|---|---|---|");
    let delivered = [0, takes.deliveries().len(), hangs.deliveries().len()];
    for (side, delivered) in sides.iter_mut().zip(delivered) {
        side.times.sort_unstable();
        let at = |part: usize| {
            let time = side.times[(side.times.len() * part / 100).min(side.times.len() - 1)];
            format!("{:.3} ms", time.as_secs_f64() * 1e3)
        };
        let (name, count) = (side.name, side.times.len());
        println!(
            "| {name} | {count} | {} | {} | {} | {delivered} |",
            at(50),
            at(95),
            at(99)
        );
    }
}

impl Side {
    async fn start(name: &'static str, receiver: Option<&Receiver>) -> Self {
        let mut plan = Plan::default().sites(0);
        if let Some(folder) = std::env::var_os("LOGIN_BINARIES") {
            plan = plan.binaries(&PathBuf::from(folder));
        }
        if let Some(receiver) = receiver {
            plan = plan
                .gateway("GATEWAY__WEBHOOK__CRM__URL", &receiver.url())
                .gateway("GATEWAY__WEBHOOK__CRM__SECRET", SECRET);
        }
        let stack = plan.start().await;
        let store = stack.redis.store();
        Self {
            name,
            stack,
            store,
            times: Vec::new(),
        }
    }

    /// Pushes of newcomers who follow by a login's code: each is an event.
    async fn push(&self, http: &Client, phone: &Phone, round: usize) -> Vec<Duration> {
        let gateway = &self.stack.gateways[0].public;
        let mut times = Vec::with_capacity(PUSHES);
        for number in 0..PUSHES {
            let scene = attempts::open(&self.store).await;
            let openid = format!("oMem{:024}", round * PUSHES + number);
            let mut push = phone.scan(&openid, &scene);
            push.body = PushBody::subscribe_with_code(scene.as_str(), "a ticket");
            let signed = phone.sign(&push, Mode::Safe);
            let request = http
                .post(format!("{gateway}/wechat/callback?{}", signed.query()))
                .header(CONTENT_TYPE, "text/xml")
                .body(signed.body);
            let began = Instant::now();
            let answer = request.send().await.expect("it answers");
            assert_eq!(answer.status(), 200);
            answer.bytes().await.expect("all of it");
            times.push(began.elapsed());
        }
        times
    }
}
