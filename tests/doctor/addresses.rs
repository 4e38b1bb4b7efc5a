//! What lies between the gateway and everybody else: Redis, WeChat, proxies, the owner's backend.

use deadpool_redis::redis;
use serde_json::json;
use system_tests::{
    redis_proxy::{self, RedisProxy},
    stack::Plan,
};

use crate::examination::Patient;

/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn a_healthy_installation() {
    let mut patient = Patient::healthy().await;
    let verification = "MP_verify_a1B2c3D4e5F6g7H8.txt";
    patient.set("GATEWAY__PUBLIC__VERIFICATION_FILES", verification);
    let found = patient.examine().await;
    // The gateway was started without the file, so its address can't be proven yet.
    found.fails_only("web_authorization_domain", &[verification, "HTTP 404"]);

    let plan = Plan::default().gateway("GATEWAY__PUBLIC__VERIFICATION_FILES", verification);
    let mut patient = Patient::of(plan).await;
    let relay = patient.stack.wechat.url().to_owned();
    patient.set("GATEWAY__RELAY__URL", &relay);
    let found = patient.examine().await;
    assert_eq!(found.code, Some(0), "{}", found.lines);
    let names = [
        "settings",
        "push_encryption",
        "api_key",
        "redis",
        "redis_version",
        "redis_persistence",
        "redis_eviction",
        "clock",
        "access_token",
        "qr_codes",
        "quota_qrcode_create",
        "quota_user_info",
        "quota_stable_token",
        "callback",
        "callback_signature",
        "relay",
        "web_authorization_domain",
    ];
    found.all_are(&names, "ok");
    let (status, detail, _) = found.check("public_url");
    assert_eq!(status, "warn", "a loopback address is none for WeChat");
    assert!(detail.contains("ports 80 and 443"), "{detail}");
    let (_, _, enter) = found.check("web_authorization_domain");
    assert!(enter.contains("网页授权域名"), "{enter}");
    // One line each, and one that counts them.
    let checks = found.report["checks"].as_array().expect("a list");
    assert_eq!(found.lines.lines().count(), checks.len() + 1);
}

#[tokio::test]
async fn plain_mode_and_no_public_address() {
    let mut patient = Patient::of(Plan::default().plain()).await;
    patient.environment.remove("GATEWAY__PUBLIC__URL");
    patient.set(
        "GATEWAY__INTERNAL__API_KEY",
        "12341234123412341234123412341234",
    );
    let found = patient.examine().await;
    assert_eq!(found.code, Some(0), "{}", found.lines);
    found.all_are(&["push_encryption", "public_url", "api_key"], "warn");
    found.all_are(&["callback", "relay", "web_authorization_domain"], "skip");
}

#[tokio::test]
async fn redis_away() {
    let mut patient = Patient::healthy().await;
    patient.stack.redis.kill();
    let found = patient.examine().await;
    found.fails_only("redis", &["can't be reached", "GATEWAY__REDIS__URL"]);
    found.all_are(&["access_token", "clock", "callback"], "ok");
}

#[tokio::test]
async fn a_redis_that_forgets() {
    let patient = Patient::healthy().await;
    let mut connection = patient.stack.redis.connection().await;
    for (key, value) in [("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")] {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg(key).arg(value);
        let set = set.query_async::<()>(&mut connection).await;
        set.expect("Redis takes the setting");
    }
    let found = patient.examine().await;
    assert_eq!(found.code, Some(0), "{}", found.lines);
    found.all_are(&["redis_persistence", "redis_eviction"], "warn");
    assert!(found.lines.contains("appendonly yes"), "{}", found.lines);
    assert!(found.lines.contains("noeviction"), "{}", found.lines);
}

#[tokio::test]
async fn a_redis_that_cannot_be_written_to() {
    let patient = Patient::healthy().await;
    let mut connection = patient.stack.redis.connection().await;
    let mut follow = redis::cmd("REPLICAOF");
    follow.arg("127.0.0.1").arg(1);
    let follow = follow.query_async::<()>(&mut connection).await;
    follow.expect("Redis becomes a replica");
    let found = patient.examine().await;
    found.fails_only("redis", &["can't be written to", "primary, not a replica"]);
}

#[tokio::test]
async fn wechat_away() {
    let mut patient = Patient::healthy().await;
    patient.set("GATEWAY__WECHAT__API_URL", NOWHERE);
    let found = patient.examine().await;
    found.fails_only(
        "access_token",
        &["can't be reached", "refused", "GATEWAY__WECHAT__API_URL"],
    );
    // Redis' clock is left.
    let (status, detail, _) = found.check("clock");
    assert_eq!((status, detail), ("ok", "within a minute of Redis'"));
}

#[tokio::test]
async fn an_answer_that_is_not_wechats() {
    let patient = Patient::healthy().await;
    let fault = json!([{ "path": "/cgi-bin/stable_token", "kind": "html" }]);
    patient.stack.wechat.faults(fault).await;
    let found = patient.examine().await;
    found.fails_only("access_token", &["HTTP 502", "lead to WeChat"]);
}

#[tokio::test]
async fn a_callback_that_nobody_reaches() {
    let mut patient = Patient::healthy().await;
    patient.set("GATEWAY__PUBLIC__URL", NOWHERE);
    let found = patient.examine().await;
    found.fails_only("callback", &["no response from", "/wechat/callback"]);
    found.all_are(&["callback_signature"], "skip");
}

#[tokio::test]
async fn a_callback_with_another_token() {
    let mut patient = Patient::healthy().await;
    patient.set("GATEWAY__WECHAT__TOKEN", "anothertokenanothertoken");
    let found = patient.examine().await;
    found.fails_only("callback", &["rejects our signature (403)", "Token (令牌)"]);
}

#[tokio::test]
async fn a_callback_address_of_something_else() {
    let mut patient = Patient::healthy().await;
    let other = patient.stack.wechat.url().to_owned();
    patient.set("GATEWAY__PUBLIC__URL", &other);
    let found = patient.examine().await;
    found.fails_only("callback", &["HTTP 404", "reverse proxy"]);
}

#[tokio::test]
async fn a_backend_behind_the_relay_that_is_away() {
    let mut patient = Patient::healthy().await;
    patient.set("GATEWAY__RELAY__URL", NOWHERE);
    let found = patient.examine().await;
    found.fails_only("relay", &["no response from http://127.0.0.1:1"]);
}

#[tokio::test]
async fn a_redis_that_is_too_old() {
    let mut patient = Patient::healthy().await;
    let old = RedisProxy::start(&patient.stack.redis, redis_proxy::say_4_0).await;
    patient.set("GATEWAY__REDIS__URL", old.url());
    let found = patient.examine().await;
    found.fails_only("redis_version", &["4.0.", "too old", "5.0 or newer"]);
}
