//! The shared access token and the lock under which one gateway refreshes it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    identity::AppId,
    steps::{
        ForceTokenRefresh, ForcedRefresh, LockTokenRefresh, ReadAccessToken, ReleaseTokenRefresh,
        StoreAccessToken, StoredAccessToken,
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
async fn a_holder_whose_answer_got_lost_is_told_again_that_it_holds_the_lock() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert!(lock(&store, "a").await);
    assert!(lock(&store, "a").await, "a was locked out by its own lock");
    assert!(!lock(&store, "b").await);
    release(&store, "a").await;
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

const SPACING: Duration = Duration::from_secs(31);
const PER_DAY: u32 = 20;

async fn force(store: &Store, asker: &str) -> ForcedRefresh {
    let step = ForceTokenRefresh {
        app_id: app_id(),
        asker: asker.to_owned(),
        spacing: SPACING,
        per_day: PER_DAY,
    };
    store.run(&step).await.expect("Redis is running")
}

/// Makes all forced refreshes so far this much older, since a test can't wait for hours.
async fn age(redis: &RedisServer, by: Duration) {
    let keys: Vec<String> = redis.command(&["KEYS", "*forced*"]).await;
    let key = &keys[0];
    let askers: Vec<String> = redis.command(&["ZRANGE", key, "0", "-1"]).await;
    let by = format!("-{}", by.as_millis());
    for asker in askers {
        let _: String = redis.command(&["ZINCRBY", key, &by, &asker]).await;
    }
}

#[tokio::test]
async fn forced_refreshes_keep_wechats_spacing_on_all_replicas() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let stores = [redis.store(), redis.store()];
    assert_eq!(force(&stores[0], "a").await, ForcedRefresh::Admitted);
    let ForcedRefresh::TooSoon { retry_after } = force(&stores[1], "b").await else {
        panic!("b was admitted within {SPACING:?} of a");
    };
    assert!(
        !retry_after.is_zero() && retry_after <= SPACING,
        "{retry_after:?}"
    );
    age(&redis, SPACING).await;
    assert_eq!(force(&stores[1], "b").await, ForcedRefresh::Admitted);
    assert!(matches!(
        force(&stores[0], "c").await,
        ForcedRefresh::TooSoon { .. }
    ));
}

#[tokio::test]
async fn forced_refreshes_keep_wechats_daily_limit() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for number in 0..PER_DAY {
        assert_eq!(
            force(&store, &format!("asker {number}")).await,
            ForcedRefresh::Admitted,
            "{number}"
        );
        age(&redis, Duration::from_hours(1)).await;
    }
    // The oldest happened twenty hours ago.
    let ForcedRefresh::UsedUp { retry_after } = force(&store, "one more").await else {
        panic!("the twenty-first was admitted");
    };
    let expected = Duration::from_hours(3)..=Duration::from_hours(4);
    assert!(expected.contains(&retry_after), "{retry_after:?}");
    age(&redis, Duration::from_hours(4)).await;
    assert_eq!(force(&store, "one more").await, ForcedRefresh::Admitted);
    assert!(matches!(
        force(&store, "and one more").await,
        ForcedRefresh::TooSoon { .. } | ForcedRefresh::UsedUp { .. }
    ));
}

#[tokio::test]
async fn an_admission_whose_answer_got_lost_is_repeated_and_counted_once() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for _ in 0..3 {
        assert_eq!(force(&store, "a").await, ForcedRefresh::Admitted);
    }
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let counted: u32 = redis.command(&["ZCARD", &keys[0]]).await;
    assert_eq!(counted, 1);
    let left: i64 = redis.command(&["PTTL", &keys[0]]).await;
    assert!((1..=86_400_000).contains(&left), "{left} ms");
}

#[tokio::test]
async fn of_many_askers_at_once_one_is_admitted() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let askers: Vec<String> = (0..50).map(|number| format!("asker {number}")).collect();
    let asked = askers.iter().map(|asker| force(&store, asker));
    let admitted = futures_util::future::join_all(asked)
        .await
        .into_iter()
        .filter(|outcome| *outcome == ForcedRefresh::Admitted);
    assert_eq!(admitted.count(), 1);
}
