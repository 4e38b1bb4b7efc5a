//! `/readyz` says what keeps a site from doing its work, and not only whether Redis answers.

use std::{fs, path::PathBuf, time::Duration};

use reqwest::Method;
use rustix::process::Signal;
use service_kit::http_client;
use system_tests::{
    binaries,
    deadline::eventually,
    log_folder,
    process::{self, Process},
    redis_proxy::{self, RedisProxy},
    redis_server::RedisServer,
    stack::{API_KEY, Plan, Service, Stack},
    visitor::{Answer, Visitor},
};
use tokio::{net::TcpStream, time::Instant};

use crate::answers::assert_problem;

async fn ready(stack: &Stack) -> Answer {
    let mut operator = Visitor::new(&stack.sites[0].internal);
    operator.call(Method::GET, "/readyz").await
}

#[track_caller]
fn assert_says(answer: &Answer, words: &[&str]) {
    let detail = answer.json["detail"].as_str().unwrap_or_default();
    for word in words {
        assert!(detail.contains(word), "{word}: {detail}");
    }
}

async fn configure(stack: &Stack, name: &str, value: &str) {
    let _: String = stack.redis.command(&["CONFIG", "SET", name, value]).await;
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_told_from_one_that_does() {
    let stack = Plan::default().gateways(0).start().await;
    let refusals = [
        (
            "maxmemory",
            "CONFIG SET maxmemory 1",
            "CONFIG SET maxmemory 0",
        ),
        (
            "read only replica",
            "REPLICAOF 127.0.0.1 1",
            "REPLICAOF NO ONE",
        ),
        (
            "replicas",
            "CONFIG SET min-replicas-to-write 1",
            "CONFIG SET min-replicas-to-write 0",
        ),
    ];
    let command = async |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        let _: String = stack.redis.command(&words).await;
    };
    for (words, breaking, mending) in refusals {
        command(breaking).await;
        let answer = ready(&stack).await;
        assert_eq!(answer.status, 503, "{words}: {}", answer.text);
        assert_problem(&answer, 503, "store_unavailable");
        assert_says(&answer, &["rejects writes", words]);
        command(mending).await;
        let answer = ready(&stack).await;
        assert_eq!(answer.status, 200, "{words}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_redis_that_cant_save_is_no_good() {
    let stack = Plan::default().gateways(0).start().await;
    let folder: Vec<String> = stack.redis.command(&["CONFIG", "GET", "dir"]).await;
    // No snapshot can take the place of a folder, as none can be written to a full disk.
    let snapshot = PathBuf::from(&folder[1]).join("dump.rdb");
    fs::create_dir_all(snapshot.join("full")).expect("a folder can be made");
    configure(&stack, "appendonly", "no").await;
    configure(&stack, "save", "3600 1").await;
    let _: String = stack.redis.command(&["BGSAVE"]).await;
    eventually("the snapshot fails", async || {
        let facts: String = stack.redis.command(&["INFO", "persistence"]).await;
        facts.contains("rdb_last_bgsave_status:err").then_some(())
    })
    .await;
    let answer = ready(&stack).await;
    assert_problem(&answer, 503, "store_unavailable");
    assert_says(&answer, &["rejects writes", "MISCONF"]);
}

#[tokio::test]
async fn a_redis_that_hangs_is_told_in_time() {
    let stack = Plan::default().gateways(0).start().await;
    stack.redis.process.signal(Signal::STOP);
    let asked = Instant::now();
    let answers = futures_util::future::join_all((0..20).map(|_| ready(&stack))).await;
    let took = asked.elapsed();
    stack.redis.process.signal(Signal::CONT);
    for answer in answers {
        assert_problem(&answer, 503, "store_unavailable");
    }
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test]
async fn frequent_questions_are_no_load_for_redis() {
    let stack = Plan::default().gateways(0).start().await;
    let writes = async || {
        let statistics: String = stack.redis.command(&["INFO", "commandstats"]).await;
        let line = statistics
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_set:calls="));
        let digits = line.and_then(|line| line.split(',').next());
        digits.map_or(0, |digits| digits.parse::<u64>().expect("a number"))
    };
    let before = writes().await;
    let began = Instant::now();
    for _ in 0..30 {
        futures_util::future::join_all((0..10).map(|_| ready(&stack))).await;
    }
    let seconds = began.elapsed().as_secs() + 2;
    let written = writes().await - before;
    assert!(written <= 10 * seconds, "{written} in {seconds} s");
    assert!(written > 0);
}

/// The environment of a site with this Redis and nothing else to reach.
fn environment(redis: &str) -> Vec<(String, String)> {
    let settings = [
        ("SITE__PUBLIC__BIND", "127.0.0.1:0"),
        ("SITE__PUBLIC__URL", "http://localhost"),
        ("SITE__INTERNAL__BIND", "127.0.0.1:0"),
        ("SITE__REDIS__URL", redis),
        ("SITE__GATEWAY__URL", "http://127.0.0.1:1"),
        ("SITE__GATEWAY__API_KEY", API_KEY),
    ];
    settings
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// A site of its own, whose Redis says something else than the one behind it.
fn site_at(redis: &str) -> Process {
    let log = log_folder::create();
    let site = binaries::path("site");
    process::start("site", site, [""; 0], &environment(redis), &log)
}

#[tokio::test]
async fn a_redis_that_is_too_old_is_named_at_the_start() {
    let log = log_folder::create();
    let redis = RedisServer::start(&log).await;
    let old = RedisProxy::start(&redis, redis_proxy::say_4_0).await;
    let mut site = site_at(old.url());
    let line = site.line_with("not ready yet").await;
    for word in ["Redis 4.0.", "is too old", "5.0 or newer is needed"] {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[tokio::test]
async fn a_redis_that_is_too_old_is_no_good() {
    let stack = Plan::default().gateways(0).start().await;
    assert_eq!(ready(&stack).await.status, 200);
    let old = RedisProxy::start(&stack.redis, redis_proxy::say_4_0).await;
    let mut site = site_at(old.url());
    let line = site.line_with("listening").await;
    let address = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("internal="))
        .expect("it says where it listens");
    let mut operator = Visitor::new(&format!("http://{address}"));
    let answer = operator.call(Method::GET, "/readyz").await;
    assert_problem(&answer, 503, "store_unavailable");
    assert_says(&answer, &["Redis 4.0.", "too old", "5.0"]);
}

#[tokio::test]
async fn a_clock_that_is_not_redis_is_told() {
    let log = log_folder::create();
    let redis = RedisServer::start(&log).await;
    let ahead = RedisProxy::start(&redis, redis_proxy::clock_ahead(600_000)).await;
    let mut site = site_at(ahead.url());
    let line = site.line_with("not ready yet").await;
    assert!(line.contains("s behind Redis'"), "{line}");
    let near = RedisProxy::start(&redis, redis_proxy::clock_ahead(120_000)).await;
    site_at(near.url()).line_with("site ready").await;
}

#[tokio::test]
async fn a_site_that_can_open_no_more_files_says_so_before_it_has_none() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let site = binaries::path("site");
    let few = format!("ulimit -n 256 && exec {}", site.display());
    let log = log_folder::create();
    let process = process::start("site", "sh", ["-c", &few], &environment(&redis.url()), &log);
    let site = Service::ready(process, "site ready ").await;

    let address = site.public.replace("http://", "");
    let mut held = Vec::new();
    let answer = loop {
        // Each question over a connection of its own, as an orchestrator asks.
        let client = http_client::builder().pool_max_idle_per_host(0).build();
        let client = client.expect("a client can be made");
        let answer = client.get(format!("{}/readyz", site.internal)).send().await;
        let answer = answer.expect("there is a file left for whoever asks");
        if answer.status() != 200 {
            break answer;
        }
        assert!(held.len() < 256, "more connections than files");
        for _ in 0..4 {
            held.push(TcpStream::connect(&address).await.expect("it listens"));
        }
    };
    assert_eq!(answer.status(), 503);
    let problem: serde_json::Value = answer.json().await.expect("a problem");
    assert_eq!(problem["code"], "not_ready");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("any more files"), "{detail}");

    drop(held);
    let mut operator = Visitor::new(&site.internal);
    eventually("files are free again", async || {
        let answer = operator.call(Method::GET, "/readyz").await;
        (answer.status == 200).then_some(())
    })
    .await;
}
