//! How many logins one client may start in a minute, on all replicas together.

use std::time::Duration;

use login_protocol::steps::{Admission, AdmitLogin};
use service_kit::redis::Store;
use system_tests::{log_folder, redis_server::RedisServer};

async fn admit(store: &Store, client: &str, per_minute: u32) -> Admission {
    let step = AdmitLogin {
        client: client.parse().expect("an address"),
        per_minute,
    };
    store.run(&step).await.expect("Redis is running")
}

#[tokio::test]
async fn a_client_is_admitted_as_often_as_allowed_and_told_when_to_come_back() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let replicas = [redis.store(), redis.store()];
    for attempt in 0..4 {
        let store = &replicas[attempt % 2];
        assert_eq!(admit(store, "203.0.113.9", 4).await, Admission::Admitted);
    }
    for store in &replicas {
        let Admission::Refused { retry_after } = admit(store, "203.0.113.9", 4).await else {
            panic!("a fifth login in a minute");
        };
        let range = Duration::from_secs(30)..=Duration::from_mins(1);
        assert!(range.contains(&retry_after), "{retry_after:?}");
    }
    assert_eq!(
        admit(&replicas[0], "203.0.113.10", 4).await,
        Admission::Admitted
    );
}

#[tokio::test]
async fn the_minute_begins_with_the_first_login_and_isnt_prolonged_by_refusals() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    admit(&store, "203.0.113.9", 1).await;
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let _: i64 = redis.command(&["PEXPIRE", &keys[0], "30000"]).await;
    let Admission::Refused { retry_after } = admit(&store, "203.0.113.9", 1).await else {
        panic!("a second login in a minute");
    };
    assert!(retry_after <= Duration::from_secs(30), "{retry_after:?}");
    let _: i64 = redis.command(&["PEXPIRE", &keys[0], "0"]).await;
    assert_eq!(admit(&store, "203.0.113.9", 1).await, Admission::Admitted);
}

#[tokio::test]
async fn an_ipv6_client_is_its_64() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let one_network = ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"];
    assert_eq!(admit(&store, one_network[0], 1).await, Admission::Admitted);
    assert!(matches!(
        admit(&store, one_network[1], 1).await,
        Admission::Refused { .. }
    ));
    assert_eq!(
        admit(&store, "2001:db8:1:3::1", 1).await,
        Admission::Admitted
    );
}

#[tokio::test]
async fn a_mapped_address_is_the_one_it_maps() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert_eq!(
        admit(&store, "::ffff:203.0.113.9", 1).await,
        Admission::Admitted
    );
    assert!(matches!(
        admit(&store, "203.0.113.9", 1).await,
        Admission::Refused { .. }
    ));
    // Otherwise all of IPv4 would share one /64.
    assert_eq!(
        admit(&store, "::ffff:203.0.113.10", 1).await,
        Admission::Admitted
    );
}
