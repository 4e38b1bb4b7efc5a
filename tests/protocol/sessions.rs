//! Sessions: whose they are, how long they live, and that they end.

use std::time::Duration;

use login_protocol::steps::{CreateSession, EndSession, ReadSession};
use system_tests::{
    attempts::{member, new_openid},
    log_folder,
    redis_server::RedisServer,
};

#[tokio::test]
async fn a_session_is_its_members_until_it_ends() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let read = |id: &str| ReadSession {
        id_sha256: id.to_owned(),
    };
    assert_eq!(store.run(&read("one")).await.unwrap(), None);
    let create = CreateSession {
        id_sha256: "one".to_owned(),
        member: person.clone(),
        lifetime: Duration::from_hours(1),
    };
    store.run(&create).await.unwrap();
    assert_eq!(store.run(&read("one")).await.unwrap(), Some(person));
    assert_eq!(store.run(&read("two")).await.unwrap(), None);
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let left: i64 = redis.command(&["PTTL", &keys[0]]).await;
    assert!((3_500_000..=3_600_000).contains(&left), "{left} ms");

    let end = EndSession {
        id_sha256: "one".to_owned(),
    };
    store.run(&end).await.unwrap();
    store.run(&end).await.unwrap();
    assert_eq!(store.run(&read("one")).await.unwrap(), None);
}
