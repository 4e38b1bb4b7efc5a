//! The shared access token and the lock under which one gateway refreshes it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    identity::AppId,
    steps::{
        LockTokenRefresh, ReadAccessToken, ReleaseTokenRefresh, StoreAccessToken, StoredAccessToken,
    },
};
use service_kit::redis::Store;
use system_tests::{log_folder, redis_server::RedisServer, stack::APP_ID};

fn app_id() -> AppId {
    AppId::parse(APP_ID).expect("it is an AppID")
}

async fn lock(store: &Store, holder: &str) -> bool {
    let step = LockTokenRefresh {
        app_id: app_id(),
        holder: holder.to_owned(),
        lease: Duration::from_secs(12),
    };
    store.run(&step).await.expect("Redis is running")
}

async fn release(store: &Store, holder: &str) {
    let step = ReleaseTokenRefresh {
        app_id: app_id(),
        holder: holder.to_owned(),
    };
    store.run(&step).await.expect("Redis is running");
}

#[tokio::test]
async fn the_lock_is_one_holders_and_only_the_holder_releases_it() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert!(lock(&store, "a").await);
    assert!(!lock(&store, "b").await);
    release(&store, "b").await;
    assert!(!lock(&store, "b").await, "b released a's lock");
    release(&store, "a").await;
    assert!(lock(&store, "b").await);
}

#[tokio::test]
async fn the_lock_outlives_no_lease() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    lock(&store, "a").await;
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let left: i64 = redis.command(&["PTTL", &keys[0]]).await;
    assert!((1..=12_000).contains(&left), "{left} ms");
    // The lease runs out; a holder that comes back late must not take the next one's lock away.
    let _: i64 = redis.command(&["PEXPIRE", &keys[0], "0"]).await;
    assert!(lock(&store, "b").await);
    release(&store, "a").await;
    assert!(!lock(&store, "c").await, "a released b's lock");
}

#[tokio::test]
async fn a_shared_token_is_read_until_its_end() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let read = ReadAccessToken { app_id: app_id() };
    assert_eq!(store.run(&read).await.unwrap(), None);
    let end = Timestamp::now() + SignedDuration::from_hours(2);
    let token = StoredAccessToken {
        token: "99_sim_made_up".to_owned(),
        expires_at: Timestamp::from_millisecond(end.as_millisecond()).unwrap(),
    };
    let step = StoreAccessToken {
        app_id: app_id(),
        token: token.clone(),
    };
    store.run(&step).await.unwrap();
    assert_eq!(store.run(&read).await.unwrap(), Some(token.clone()));
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let left: i64 = redis.command(&["PTTL", &keys[0]]).await;
    assert!((7_100_000..=7_200_000).contains(&left), "{left} ms");

    let over = StoreAccessToken {
        app_id: app_id(),
        token: StoredAccessToken {
            expires_at: Timestamp::now() - SignedDuration::from_secs(1),
            ..token
        },
    };
    store.run(&over).await.unwrap();
    assert_eq!(store.run(&read).await.unwrap(), None);
}

#[tokio::test]
async fn another_accounts_token_is_not_ours() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let step = StoreAccessToken {
        app_id: AppId::parse("wxother").unwrap(),
        token: StoredAccessToken {
            token: "99_sim_made_up".to_owned(),
            expires_at: Timestamp::now() + SignedDuration::from_hours(2),
        },
    };
    store.run(&step).await.unwrap();
    let read = ReadAccessToken { app_id: app_id() };
    assert_eq!(store.run(&read).await.unwrap(), None);
}
