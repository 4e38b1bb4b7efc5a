//! What the site asks of a browser where logins begin faster than people begin them.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Instant};

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    proof_of_work::{encode, proof_of, solve},
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};

use crate::{
    answers::{header, retry_after},
    web_authorization,
};

/// Addresses are said by a proxy; so many logins begin without work.
fn plan(without_proof: &str) -> Plan {
    Plan::default()
        .site("SITE__PUBLIC__TRUSTED_PROXIES", "127.0.0.0/8")
        .site("SITE__LIMITS__LOGINS_WITHOUT_PROOF", without_proof)
}

/// Starts a login in a new browser at an address of its own.
async fn start(stack: &Stack, site: usize, proof: &str) -> Answer {
    let mut visitor = Visitor::new(&stack.sites[site].public);
    let path = if proof.is_empty() {
        "/api/login".to_owned()
    } else {
        format!("/api/login?proof={proof}")
    };
    visitor.call(Method::POST, &path).await
}

/// The work that an answer asks for.
#[track_caller]
fn challenge(answer: &Answer) -> Value {
    assert_eq!(answer.status, 429, "{}", answer.text);
    assert_eq!(answer.json["code"], "proof_of_work_required");
    assert_eq!(header(&answer.headers, "cache-control"), "no-store");
    assert!(header(&answer.headers, "set-cookie").is_empty());
    answer.json["challenge"].clone()
}

async fn codes(stack: &Stack) -> u64 {
    stack.wechat.calls("/cgi-bin/qrcode/create").await as u64
}

#[tokio::test]
async fn a_flood_of_starts_makes_no_more_codes_than_may_begin_without_work() {
    let since = Instant::now();
    let stack = plan("100").sites(2).start().await;
    let client = service_kit::http_client::build(system_tests::deadline::PATIENCE).unwrap();
    let flood = (0..10_000_u32).map(|number| {
        let site = &stack.sites[number as usize % 2].public;
        let address = Ipv4Addr::from(0x0a00_0000 + number).to_string();
        let request = client
            .post(format!("{site}/api/login"))
            .header("x-forwarded-for", address);
        async move {
            request
                .send()
                .await
                .expect("the site answers")
                .status()
                .as_u16()
        }
    });
    let statuses: Vec<u16> = stream::iter(flood).buffer_unordered(50).collect().await;
    let mut count = BTreeMap::new();
    for status in statuses {
        *count.entry(status).or_insert(0) += 1;
    }
    let begun = count.remove(&201).unwrap_or_default();
    let made = codes(&stack).await;
    // On a busy machine Redis may be too late for a few.
    let late = count.remove(&503).unwrap_or_default();
    // A slow machine may take more than the minute.
    let most = 200 * (since.elapsed().as_secs() / 60 + 1);
    assert!(begun <= made && made <= most, "{begun} of {made}");
    assert_eq!(count, BTreeMap::from([(429, 10_000 - begun - late)]));
    assert!(begun + late >= 200, "{begun} and {late}");

    // A person behind the same flood still gets in.
    let person = stack.wechat.person("小林", true).await;
    let mut visitor = stack.visitor();
    let mut begun = visitor.call(Method::POST, "/api/login").await;
    if begun.status != 201 {
        assert!((1..=60).contains(&retry_after(&begun)));
        let proof = solve(&challenge(&begun));
        let path = format!("/api/login?proof={proof}");
        begun = visitor.call(Method::POST, &path).await;
    }
    assert_eq!(begun.status, 201, "{}", begun.text);
    let content = begun.json["qr"]["content"].as_str().expect("a code");
    stack.wechat.scan(&person, content).await;
    visitor.status_becomes("confirmed").await;
    visitor.complete().await;
}

#[tokio::test]
async fn a_proof_is_good_once_at_all_replicas_together() {
    let stack = plan("1").sites(2).start().await;
    for site in [0, 1] {
        assert_eq!(start(&stack, site, "").await.status, 201);
    }
    let challenge = challenge(&start(&stack, 0, "").await);
    let proof = solve(&challenge);
    let tries = (0..20).map(|number| start(&stack, number % 2, &proof));
    let answers = futures_util::future::join_all(tries).await;
    let begun = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(begun, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_ne!(self::challenge(answer)["challenge"], challenge["challenge"]);
    }
    assert_eq!(codes(&stack).await, 3);
}

#[tokio::test]
async fn what_is_no_proof_is_answered_with_other_work() {
    let stack = plan("1").start().await;
    assert_eq!(start(&stack, 0, "").await.status, 201);
    let good = proof_of(&challenge(&start(&stack, 0, "").await));
    let with = |name: &str, value: Value| {
        let mut proof = good.clone();
        proof[name] = value;
        encode(&proof)
    };
    let number = good["number"].as_u64().unwrap();
    for proof in [
        "x".to_owned(),
        "%00".to_owned(),
        "A".repeat(4000),
        with("number", json!(number + 1)),
        with("salt", json!("0?expires=9999999999&")),
        with("signature", json!("00".repeat(32))),
        with("challenge", json!("00".repeat(32))),
    ] {
        challenge(&start(&stack, 0, &proof).await);
    }
    assert_eq!(codes(&stack).await, 1);
    assert_eq!(start(&stack, 0, &encode(&good)).await.status, 201);
}

#[tokio::test]
async fn a_proof_for_another_site_is_none() {
    let stack = plan("1").start().await;
    let other = plan("1")
        .site("SITE__PUBLIC__URL", "http://login.example")
        .start()
        .await;
    for stack in [&stack, &other] {
        assert_eq!(start(stack, 0, "").await.status, 201);
    }
    let proof = solve(&challenge(&start(&other, 0, "").await));
    challenge(&start(&stack, 0, &proof).await);
}

#[tokio::test]
async fn completed_logins_dont_count() {
    let stack = plan("2").start().await;
    let person = stack.wechat.person("小林", true).await;
    assert_eq!(start(&stack, 0, "").await.status, 201);
    for _ in 0..5 {
        let mut visitor = stack.visitor();
        let content = visitor.start_login().await;
        stack.wechat.scan(&person, &content).await;
        visitor.status_becomes("confirmed").await;
        // The answer got lost: a repeat is no other login.
        visitor.complete().await;
        visitor.complete().await;
    }
    assert_eq!(start(&stack, 0, "").await.status, 201);
    challenge(&start(&stack, 0, "").await);
}

#[tokio::test]
async fn logins_inside_wechat_make_no_room_for_others() {
    let stack = web_authorization::start(plan("1")).await;
    let person = stack.wechat.person("小林", true).await;
    assert_eq!(start(&stack, 0, "").await.status, 201);
    challenge(&start(&stack, 0, "").await);
    for _ in 0..3 {
        let (mut visitor, back) = web_authorization::returning(&stack, &person).await;
        let answer = web_authorization::come_back(&mut visitor, &back).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert!(visitor.session().await.is_some());
    }
    challenge(&start(&stack, 0, "").await);
}

/// Starts a login at an address where many do.
async fn start_again(stack: &Stack, proof: &str) -> Answer {
    let mut visitor = stack.visitor();
    visitor.set_header("x-forwarded-for", "203.0.113.7");
    let path = format!("/api/login?proof={proof}");
    visitor.call(Method::POST, &path).await
}

/// Starts as many there, five a minute, as people do in a day.
async fn start_many(stack: &Stack) {
    for _ in 0..4 {
        for _ in 0..5 {
            assert_eq!(start_again(stack, "").await.status, 201);
        }
        // The minute is over, the day isn't.
        let pattern = "wechat-login:logins-begun:*";
        let keys: Vec<String> = stack.redis.command(&["KEYS", pattern]).await;
        let counts: String = stack.redis.command(&["HGET", &keys[0], "32"]).await;
        let (_, rest) = counts.split_once(' ').expect("several numbers");
        let counts = format!("0 {rest}");
        let _: i64 = stack
            .redis
            .command(&["HSET", &keys[0], "32", &counts])
            .await;
    }
}

#[tokio::test]
async fn who_begins_more_than_people_do_works_for_it_while_others_dont() {
    let plan = plan("1000").site("SITE__LIMITS__LOGINS_PER_MINUTE", "5");
    let stack = plan.start().await;
    start_many(&stack).await;
    let proof = solve(&challenge(&start_again(&stack, "").await));
    assert_eq!(start_again(&stack, &proof).await.status, 201);
    challenge(&start_again(&stack, "").await);
    assert_eq!(start(&stack, 0, "").await.status, 201);
}

#[tokio::test]
async fn nobody_works_where_that_is_off() {
    let plan = plan("0").site("SITE__LIMITS__LOGINS_PER_MINUTE", "5");
    let stack = plan.start().await;
    start_many(&stack).await;
    assert_eq!(start_again(&stack, "").await.status, 201);
}

#[tokio::test]
async fn without_limits_nobody_works() {
    let plan = plan("1").site("SITE__LIMITS__LOGINS_PER_MINUTE", "0");
    let stack = plan.start().await;
    for _ in 0..30 {
        assert_eq!(start_again(&stack, "").await.status, 201);
    }
}
