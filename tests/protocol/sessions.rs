//! Sessions: whose they are, how long they live, and that they end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    identity::MemberId,
    steps::{
        CreateSession, EndAllSessions, EndSession, ReadSession, ReadSessionsEnd, Session,
        SessionLifetime,
    },
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{member, new_openid},
    log_folder,
    redis_server::RedisServer,
};

const LIFETIME: SessionLifetime = SessionLifetime {
    absolute: Duration::from_hours(24),
    idle: Duration::from_hours(1),
};

async fn read(store: &Store, id: &str) -> Option<Session> {
    let step = ReadSession {
        id_sha256: id.to_owned(),
        lifetime: LIFETIME,
    };
    store.run(&step).await.expect("Redis is running")
}

/// Starts a session whose login was this long ago.
async fn create(store: &Store, id: &str, person: &MemberId, ago: SignedDuration) -> Timestamp {
    let begun_at = (Timestamp::now() - ago).as_millisecond();
    let begun_at = Timestamp::from_millisecond(begun_at).expect("a time");
    let step = CreateSession {
        id_sha256: id.to_owned(),
        member: person.clone(),
        begun_at,
        lifetime: LIFETIME,
    };
    store.run(&step).await.expect("Redis is running");
    begun_at
}

async fn milliseconds_left(redis: &RedisServer) -> i64 {
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:session:*"]).await;
    redis.command(&["PTTL", &keys[0]]).await
}

#[tokio::test]
async fn a_session_is_its_members_until_it_ends() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    assert_eq!(read(&store, "one").await, None);
    let begun_at = create(&store, "one", &person, SignedDuration::ZERO).await;
    let session = Session {
        member: person,
        begun_at,
    };
    assert_eq!(read(&store, "one").await, Some(session));
    assert_eq!(read(&store, "two").await, None);
    let end = EndSession {
        id_sha256: "one".to_owned(),
    };
    store.run(&end).await.expect("Redis is running");
    store.run(&end).await.expect("Redis is running");
    assert_eq!(read(&store, "one").await, None);
}

#[tokio::test]
async fn use_prolongs_a_session_and_never_beyond_its_whole_life() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let hour = 3_590_000..=3_600_000;
    create(&store, "one", &person, SignedDuration::from_hours(2)).await;
    assert!(hour.contains(&milliseconds_left(&redis).await));
    // It is about to end for want of use.
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let _: i64 = redis.command(&["PEXPIRE", &keys[0], "60000"]).await;
    assert!(read(&store, "one").await.is_some());
    assert!(hour.contains(&milliseconds_left(&redis).await));

    create(
        &store,
        "one",
        &person,
        SignedDuration::from_mins(24 * 60 - 5),
    )
    .await;
    assert!(read(&store, "one").await.is_some());
    let left = milliseconds_left(&redis).await;
    assert!((290_000..=300_000).contains(&left), "{left} ms");

    create(&store, "one", &person, SignedDuration::from_hours(24)).await;
    assert_eq!(read(&store, "one").await, None, "its whole life is over");
}

#[tokio::test]
async fn the_end_of_all_sessions_is_remembered_as_long_as_one_could_live() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let ended = async || {
        let step = ReadSessionsEnd {
            member: person.clone(),
        };
        store.run(&step).await.expect("Redis is running")
    };
    assert_eq!(ended().await, None);
    let end = EndAllSessions {
        member: person.clone(),
        lifetime: LIFETIME,
    };
    store.run(&end).await.expect("Redis is running");
    let ended_at = ended().await.expect("it is remembered");
    let ago = Timestamp::now().duration_since(ended_at).abs();
    assert!(ago < SignedDuration::from_secs(10), "{ago:?}");
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let left: i64 = redis.command(&["PTTL", &keys[0]]).await;
    assert!((86_390_000..=86_400_000).contains(&left), "{left} ms");
}
