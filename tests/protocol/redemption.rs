//! Redeeming: once, and again by the same browser for a minute.

use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    scene::Scene,
    steps::{REDEMPTION_WINDOW, RecordScan, Redemption},
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, member, new_openid, redeem},
    log_folder,
    redis_server::RedisServer,
};

async fn confirmed(store: &Store, openid: &str) -> Scene {
    let scene = attempts::open(store).await;
    let step = RecordScan {
        scene: scene.clone(),
        account: AccountName::default(),
        member: member(openid),
        approval: Approval::Scan,
    };
    store.run(&step).await.expect("Redis is running");
    scene
}

/// Moves the redemption into the past, as if this much time had gone by since.
async fn time_goes_by(redis: &RedisServer, milliseconds: i64) {
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:attempt:*"]).await;
    for key in keys {
        let change = format!("-{milliseconds}");
        let _: i64 = redis
            .command(&["HINCRBY", &key, "redeemed_at_ms", &change])
            .await;
    }
}

#[tokio::test]
async fn a_repeat_within_the_window_gets_the_first_answer() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = new_openid();
    let scene = confirmed(&store, &person).await;
    let redeem = async |nonce| match redeem(&store, &scene, nonce).await {
        Redemption::Redeemed(identified) => identified,
        refused => panic!("the attempt is refused: {refused:?}"),
    };
    let first = redeem("one").await;
    assert_eq!(
        (first.member.clone(), first.nonce.as_str()),
        (member(&person), "one")
    );
    assert_eq!(
        redeem("two").await,
        first,
        "the time is the first one's as well"
    );
    let window = i64::try_from(REDEMPTION_WINDOW.as_millis()).expect("a minute");
    time_goes_by(&redis, window - 5_000).await;
    assert_eq!(redeem("three").await.nonce, "one");
}

#[tokio::test]
async fn a_repeat_after_the_window_is_refused() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let scene = confirmed(&store, &new_openid()).await;
    redeem(&store, &scene, "one").await;
    let window = i64::try_from(REDEMPTION_WINDOW.as_millis()).expect("a minute");
    time_goes_by(&redis, window + 1).await;
    let refused = Redemption::Refused(AttemptStatus::Consumed);
    assert_eq!(redeem(&store, &scene, "one").await, refused);
    assert_eq!(redeem(&store, &scene, "two").await, refused);
}

#[tokio::test]
async fn a_redeemed_attempt_stays_for_the_whole_window() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let scene = confirmed(&store, &new_openid()).await;
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:attempt:*"]).await;
    let _: i64 = redis.command(&["PEXPIRE", &keys[0], "20000"]).await;
    redeem(&store, &scene, "one").await;
    let left: u128 = redis.command(&["PTTL", &keys[0]]).await;
    assert!(left > REDEMPTION_WINDOW.as_millis() - 10_000, "{left} ms");
}

#[tokio::test]
async fn another_browsers_secret_redeems_nothing() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    confirmed(&store, &new_openid()).await;
    assert_eq!(
        redeem(&store, &attempts::new_scene(), "one").await,
        Redemption::Refused(AttemptStatus::Expired)
    );
}
