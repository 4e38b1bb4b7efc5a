//! The day's QR codes: all gateways together stop before WeChat's quota does, and clients who had
//! many before that.

use reqwest::Method;
use serde_json::json;
use system_tests::{
    attempts::new_scene,
    deadline::eventually,
    stack::{Plan, Service, Stack},
    visitor::Answer,
};

use crate::http::{self, assert_problem, retry_after};

const PER_DAY: usize = 45;

fn plan(per_day: usize) -> Plan {
    Plan::default().gateway("GATEWAY__LIMITS__QR_CODES_PER_DAY", &per_day.to_string())
}

async fn create(gateway: &Service) -> Answer {
    let body = json!({ "scene": new_scene().as_str(), "ttl_seconds": 300 });
    http::post(gateway, "/v1/qrcodes", &body).await
}

/// Creates a code for a client who had so many.
async fn create_for(gateway: &Service, client_logins: &str) -> Answer {
    let scene = new_scene();
    let body = json!({
        "scene": scene.as_str(), "ttl_seconds": 300, "client_logins": client_logins,
    });
    http::post(gateway, "/v1/qrcodes", &body).await
}

/// Creates codes for clients who had many until there are none; how many there were.
async fn exhaust_many(gateway: &Service) -> (usize, Answer) {
    for created in 0.. {
        let answer = create_for(gateway, "many").await;
        if answer.status != 201 {
            return (created, answer);
        }
    }
    unreachable!()
}

async fn ask(gateway: &Service, path: &str) -> Answer {
    http::send(http::client().get(format!("{}{path}", gateway.internal))).await
}

async fn figure(gateway: &Service, name: &str) -> Option<usize> {
    let figures = ask(gateway, "/metrics").await.text;
    let line = figures.lines().find_map(|line| line.strip_prefix(name));
    line.map(|value| value.trim().parse().expect("a whole number"))
}

/// How many scripts Redis has run.
async fn scripts_run(stack: &Stack) -> String {
    let statistics: String = stack.redis.command(&["INFO", "commandstats"]).await;
    let line = statistics
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    let calls = line.and_then(|line| line.split(',').next());
    calls.expect("it ran some").to_owned()
}

/// The gateways' logs say this so often, all together.
async fn assert_said(stack: &Stack, words: &str, times: usize) {
    eventually(&format!("{words:?} is said {times} times"), async || {
        let lines = stack
            .gateways
            .iter()
            .flat_map(|gateway| gateway.process.lines());
        (lines.filter(|line| line.contains(words)).count() == times).then_some(())
    })
    .await;
}

#[tokio::test]
async fn gateways_share_the_days_codes_and_stop_at_its_end() {
    let stack = http::start(plan(PER_DAY).gateways(2)).await;
    let mut created = 0;
    for number in 0..2 * PER_DAY {
        let answer = create(&stack.gateways[number % 2]).await;
        if answer.status == 201 {
            created += 1;
            continue;
        }
        assert_problem(&answer, 503, "daily_codes_used_up");
        let wait = retry_after(&answer);
        assert!((1..=86_400).contains(&wait), "until the day ends: {wait} s");
    }
    assert_eq!(created, PER_DAY);
    let calls = stack.wechat.calls("/cgi-bin/qrcode/create").await;
    assert_eq!(calls, PER_DAY as u64, "a refusal costs WeChat nothing");

    // Said once for all gateways, or once by each, however many are refused.
    assert_said(&stack, "half of the day's QR codes are used", 1).await;
    assert_said(&stack, "QR codes are nearly used up", 1).await;
    assert_said(&stack, "the day's QR codes are used up", 2).await;
}

#[tokio::test]
async fn what_is_left_is_a_figure_and_readiness_says_when_it_is_little() {
    let stack = http::start(plan(100)).await;
    let gateway = &stack.gateways[0];
    let left = r#"wechat_qr_codes_left{account="default"} "#;
    eventually("the figure is there from the start", async || {
        (figure(gateway, left).await == Some(100)).then_some(())
    })
    .await;
    for _ in 0..60 {
        assert_eq!(create(gateway).await.status, 201);
    }
    assert_eq!(figure(gateway, left).await, Some(40));
    let ready = ask(gateway, "/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), ready.json),
        (200, json!({ "status": "ready" }))
    );

    // Another gateway takes the others.
    let taken: i64 = {
        let keys: Vec<String> = stack.redis.command(&["KEYS", "*codes-taken*"]).await;
        stack.redis.command(&["INCRBY", &keys[0], "30"]).await
    };
    assert_eq!(taken, 90);
    let ready = ask(gateway, "/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), &ready.json["status"]),
        (200, &json!("ready"))
    );
    let warning = ready.json["warning"].as_str().expect("a warning");
    assert!(
        warning.contains("nearly used up") && warning.contains("10 of 100"),
        "{warning}"
    );
    assert_eq!(figure(gateway, left).await, Some(10));
    for _ in 0..10 {
        assert_eq!(create(gateway).await.status, 201);
    }
    assert_problem(&create(gateway).await, 503, "daily_codes_used_up");
    let ready = ask(gateway, "/readyz").await;
    assert_eq!(
        ready.status, 200,
        "scans and logins inside WeChat still work"
    );
    let warning = ready.json["warning"].as_str().expect("a warning");
    assert!(warning.contains("used up, all 100"), "{warning}");
    let refused = "wechat_qr_codes_refused_total{reason=\"used_up\",account=\"default\"} ";
    assert_eq!(figure(gateway, refused).await, Some(1));
}

#[tokio::test]
async fn who_had_many_leaves_a_reserve_to_who_had_few() {
    let stack = http::start(plan(200).gateways(2)).await;
    let mut created = 0;
    for gateway in &stack.gateways {
        let (codes, refused) = exhaust_many(gateway).await;
        created += codes;
        assert_problem(&refused, 429, "too_many_logins");
        let wait = retry_after(&refused);
        assert!((1..=86_400).contains(&wait), "{wait} s");
    }
    // An eighth of the day's at its beginning, three quarters at its end.
    assert!((25..=150).contains(&created), "{created}");
    let asked = scripts_run(&stack).await;
    for _ in 0..5 {
        let refused = create_for(&stack.gateways[0], "many").await;
        assert_problem(&refused, 429, "too_many_logins");
    }
    assert_eq!(scripts_run(&stack).await, asked, "Redis is left alone");
    for number in created..200 {
        let gateway = &stack.gateways[number % 2];
        let answer = match number % 3 {
            0 => create(gateway).await,
            _ => create_for(gateway, "few").await,
        };
        // The last share may be the other gateway's.
        assert!(
            answer.status == 201 || number >= 180,
            "{number}: {}",
            answer.text
        );
    }
    let paced = "wechat_qr_codes_refused_total{reason=\"paced\",account=\"default\"} ";
    assert!(figure(&stack.gateways[0], paced).await >= Some(6));
    assert_said(&stack, "are held back", 2).await;
}

#[tokio::test]
async fn without_a_budget_nobody_is_held_back_and_nothing_counted() {
    let stack = http::start(plan(0)).await;
    let gateway = &stack.gateways[0];
    for _ in 0..30 {
        assert_eq!(create_for(gateway, "many").await.status, 201);
    }
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*codes*"]).await;
    assert!(keys.is_empty(), "{keys:?}");
    assert_eq!(
        figure(gateway, r#"wechat_qr_codes_left{account="default"} "#).await,
        None
    );
    let ready = ask(gateway, "/readyz").await;
    assert_eq!(ready.json, json!({ "status": "ready" }));
}

#[tokio::test]
async fn twenty_codes_cost_one_round_trip_for_each_kind_of_client() {
    let stack = http::start(Plan::default()).await;
    let gateway = &stack.gateways[0];
    for _ in 0..20 {
        for kind in ["few", "many"] {
            assert_eq!(create_for(gateway, kind).await.status, 201);
        }
    }
    let keys: Vec<String> = stack.redis.command(&["KEYS", "*codes-taken*"]).await;
    let taken: String = stack.redis.command(&["GET", &keys[0]]).await;
    assert_eq!(taken, "40");
}

#[tokio::test]
async fn while_redis_is_away_wechat_counts() {
    let mut stack = http::start(Plan::default()).await;
    stack.redis.kill();
    let gateway = &stack.gateways[0];
    for client_logins in ["few", "many"] {
        let body = json!({
            "scene": new_scene().as_str(), "ttl_seconds": 300, "client_logins": client_logins,
        });
        let request = http::internal(gateway, Method::POST, "/v1/qrcodes").json(&body);
        let answer = http::send(request).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}

#[tokio::test]
async fn another_kind_of_client_is_none() {
    let stack = http::start(Plan::default()).await;
    let answer = create_for(&stack.gateways[0], "several").await;
    assert_problem(&answer, 400, "invalid_request");
}
