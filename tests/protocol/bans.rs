//! Whom an account's owner banned, and what becomes of their attempts.

use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    identity::MemberId,
    steps::{
        EraseAttempt, NoteAttempt, ReadPersonsAttempts, RecordScan, Redemption, RefuseAttempt,
        RefuseScan,
    },
};
use service_kit::{
    bans::{self, BanKeys},
    redis::Store,
};
use system_tests::{
    attempts::{self, member, new_openid},
    log_folder,
    redis_server::RedisServer,
};

async fn ask(keys: &BanKeys, store: &Store, member: &MemberId) -> bool {
    let ask = keys.ask(member);
    let answer = store.run(&ask).await.expect("Redis is running");
    keys.settle(store, ask, answer)
        .await
        .expect("Redis is running")
}

#[tokio::test]
async fn a_ban_holds_at_its_account_until_it_is_lifted_and_names_nobody() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let (one, other) = (member(&new_openid()), member(&new_openid()));
    let keys = BanKeys::default();
    let no_key: Vec<String> = redis.command(&["KEYS", "*"]).await;
    assert!(!ask(&keys, &store, &one).await);
    assert!(no_key.is_empty(), "without a ban there is no key");
    for _ in 0..2 {
        let banned = bans::ban(&store, one.clone()).await;
        banned.expect("Redis is running");
        assert!(ask(&keys, &store, &one).await);
    }
    assert!(!ask(&keys, &store, &other).await);
    let elsewhere = MemberId {
        app_id: login_protocol::identity::AppId::parse("wx-another").expect("it is an AppID"),
        openid: one.openid.clone(),
    };
    assert!(!ask(&keys, &store, &elsewhere).await);
    let people = vec![other.openid.clone(), one.openid.clone()];
    let known = bans::are_banned(&store, &one.app_id, people).await;
    assert_eq!(known.expect("Redis is running"), [false, true]);
    let found: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let [only] = found.as_slice() else {
        panic!("bans have one key: {found:?}");
    };
    let kept: Vec<String> = redis.command(&["HGETALL", only]).await;
    let openid = one.openid.as_str();
    assert!(!kept.concat().contains(openid) && !only.contains(openid));
    let life: i64 = redis.command(&["TTL", only]).await;
    assert_eq!(life, -1, "a ban has no end");
    for _ in 0..2 {
        let lifted = bans::lift(&store, one.clone()).await;
        lifted.expect("Redis is running");
        assert!(!ask(&keys, &store, &one).await);
    }
}

#[tokio::test]
async fn a_key_that_redis_lost_is_noticed() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let one = member(&new_openid());
    let keys = BanKeys::default();
    bans::ban(&store, one.clone())
        .await
        .expect("Redis is running");
    assert!(ask(&keys, &store, &one).await);
    let _: String = redis.command(&["FLUSHALL"]).await;
    assert!(!ask(&keys, &store, &one).await);
    bans::ban(&store, one.clone())
        .await
        .expect("Redis is running");
    assert!(ask(&keys, &store, &one).await, "the key is another one");
}

#[tokio::test]
async fn an_attempt_is_denied_or_erased_for_its_own_person_alone() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let (one, other) = (member(&new_openid()), member(&new_openid()));
    let scene = attempts::open(&store).await;
    let note = NoteAttempt {
        member: one.clone(),
        scene: scene.clone(),
    };
    let scan = RecordScan {
        scene: scene.clone(),
        account: AccountName::default(),
        member: one.clone(),
        approval: Approval::Scan,
    };
    for _ in 0..2 {
        store
            .run_both(&note, &scan)
            .await
            .expect("Redis is running");
    }
    let read = ReadPersonsAttempts {
        member: one.clone(),
    };
    let noted = store.run(&read).await.expect("Redis is running");
    assert_eq!(noted, std::slice::from_ref(&scene));
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:attempts-of:*"]).await;
    let life: i64 = redis.command(&["TTL", &keys[0]]).await;
    assert!((1..=3600).contains(&life), "{life}");
    let refuse = async |member: &MemberId| {
        let step = RefuseAttempt {
            scene: scene.clone(),
            member: member.clone(),
        };
        store.run(&step).await.expect("Redis is running")
    };
    assert!(!refuse(&other).await);
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Confirmed
    );
    assert!(refuse(&one).await);
    assert!(
        refuse(&one).await,
        "a repeat, whose first answer was lost, says the same"
    );
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Denied
    );
    assert_eq!(
        attempts::redeem(&store, &scene, "a nonce").await,
        Redemption::Banned
    );
    let erase = async |member: &MemberId| {
        let step = EraseAttempt {
            scene: scene.clone(),
            member: member.clone(),
        };
        store.run(&step).await.expect("Redis is running");
        attempts::status(&store, &scene).await
    };
    assert_eq!(erase(&other).await, AttemptStatus::Denied);
    assert_eq!(erase(&one).await, AttemptStatus::Expired);
}

#[tokio::test]
async fn who_is_told_that_the_person_is_banned_is_the_browser_of_the_denied_attempt() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let scene = attempts::open(&store).await;
    let refuse = RefuseScan {
        scene: scene.clone(),
        account: AccountName::default(),
        member: member(&new_openid()),
    };
    store.run(&refuse).await.expect("Redis is running");
    assert_eq!(
        attempts::redeem(&store, &scene, "a nonce").await,
        Redemption::Banned
    );
}
