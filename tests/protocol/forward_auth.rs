//! Other hosts: a code is good once, for its origin and its browser, and becomes a cookie of one
//! origin.

use std::time::Duration;

use login_protocol::steps::{
    ForwardAuthGrant, GrantForwardAuth, IssueReturnCode, ReadForwardAuth, RedeemReturnCode,
    ReturnCodeRedemption, SessionLifetime,
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, own_realm},
    log_folder,
    redis_server::RedisServer,
};

const WIKI: &str = "https://wiki.example.com";

async fn issue(store: &Store, code: &str) {
    let step = IssueReturnCode {
        site: own_realm().site,
        code_sha256: code.to_owned(),
        session_sha256: "session".to_owned(),
        browser_sha256: "browser".to_owned(),
        origin: WIKI.to_owned(),
    };
    store.run(&step).await.expect("Redis runs");
}

fn redeem(code: &str) -> RedeemReturnCode {
    RedeemReturnCode {
        site: own_realm().site,
        code_sha256: code.to_owned(),
        origin: WIKI.to_owned(),
        browser_sha256: "browser".to_owned(),
        cookie_sha256: "cookie".to_owned(),
    }
}

async fn run(store: &Store, step: &RedeemReturnCode) -> ReturnCodeRedemption {
    store.run(step).await.expect("Redis runs")
}

#[tokio::test]
async fn a_code_is_good_once_for_its_origin_in_its_browser() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let redeemed = ReturnCodeRedemption::Redeemed("session".to_owned());
    issue(&store, "code").await;
    let good = redeem("code");
    let other_origin = RedeemReturnCode {
        origin: "https://other.example.com".to_owned(),
        ..good.clone()
    };
    let other_browser = RedeemReturnCode {
        browser_sha256: "another".to_owned(),
        ..good.clone()
    };
    let other_site = RedeemReturnCode {
        site: attempts::realm("http://elsewhere", "default").site,
        ..good.clone()
    };
    let later = RedeemReturnCode {
        cookie_sha256: "another cookie".to_owned(),
        ..good.clone()
    };
    for _ in 0..2 {
        for step in [&other_origin, &other_browser] {
            assert_eq!(run(&store, step).await, ReturnCodeRedemption::Elsewhere);
        }
        for step in [&other_site, &redeem("unknown")] {
            assert_eq!(run(&store, step).await, ReturnCodeRedemption::Unknown);
        }
        // The second time is this very step, sent again after its answer was lost.
        assert_eq!(run(&store, &good).await, redeemed);
        assert_eq!(run(&store, &later).await, ReturnCodeRedemption::Used);
    }
}

#[tokio::test]
async fn a_code_lives_for_a_minute_whether_it_was_used_or_not() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    issue(&store, "code").await;
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let left = async || -> i64 { redis.command(&["PTTL", &keys[0]]).await };
    let minute = 50_000..=60_000;
    assert!(minute.contains(&left().await));
    let _: i64 = redis.command(&["PEXPIRE", &keys[0], "40000"]).await;
    let _: String = redis.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    run(&store, &redeem("code")).await;
    assert!((30_000..=40_000).contains(&left().await));
    let _: i64 = redis.command(&["DEL", &keys[0]]).await;
    let over = run(&store, &redeem("code")).await;
    assert_eq!(over, ReturnCodeRedemption::Unknown);
}

#[tokio::test]
async fn a_cookie_leads_to_its_session_at_its_site() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let grant = ForwardAuthGrant {
        session_sha256: "session".to_owned(),
        origin: WIKI.to_owned(),
    };
    let keep = GrantForwardAuth {
        site: own_realm().site,
        cookie_sha256: "cookie".to_owned(),
        grant: grant.clone(),
        lifetime: SessionLifetime {
            absolute: Duration::from_hours(24),
            idle: Duration::from_hours(1),
        },
    };
    for _ in 0..2 {
        store.run(&keep).await.expect("Redis runs");
    }
    let read = ReadForwardAuth {
        site: own_realm().site,
        cookie_sha256: "cookie".to_owned(),
    };
    assert_eq!(store.run(&read).await.expect("Redis runs"), Some(grant));
    let elsewhere = ReadForwardAuth {
        site: attempts::realm("http://elsewhere", "default").site,
        ..read
    };
    assert_eq!(store.run(&elsewhere).await.expect("Redis runs"), None);
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let left: i64 = redis.command(&["PTTL", &keys[0]]).await;
    assert!((86_390_000..=86_400_000).contains(&left), "{left} ms");
}
