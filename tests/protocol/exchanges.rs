//! How many codes of web authorisation WeChat may refuse, on all replicas together.

use std::time::Duration;

use login_protocol::steps::{Admission, Exchanger, GiveBackExchange, ReserveExchange};
use service_kit::redis::Store;
use system_tests::{attempts, log_folder, redis_server::RedisServer};

const WINDOW: Duration = Duration::from_mins(1);

async fn reserve(store: &Store, exchanger: &Exchanger, name: &str) -> Admission {
    let step = ReserveExchange {
        exchanger: exchanger.clone(),
        reservation: name.to_owned(),
        share: 2,
        window: WINDOW,
    };
    store.run(&step).await.expect("Redis is running")
}

async fn give_back(store: &Store, exchanger: &Exchanger, name: &str) {
    let step = GiveBackExchange {
        exchanger: exchanger.clone(),
        reservation: name.to_owned(),
    };
    store.run(&step).await.expect("Redis is running");
}

fn client(address: &str) -> Exchanger {
    Exchanger::Client(address.parse().expect("an address"))
}

#[track_caller]
fn assert_refused(admission: Admission, at_most: Duration) {
    let Admission::Refused { retry_after } = admission else {
        panic!("there is no place");
    };
    assert!(
        Duration::ZERO < retry_after && retry_after <= at_most,
        "{retry_after:?}"
    );
}

#[tokio::test]
async fn a_place_is_taken_until_it_is_given_back_or_its_time_is_up() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let replicas = [redis.store(), redis.store()];
    let [one, other] = &replicas;
    for exchanger in [
        client("203.0.113.9"),
        Exchanger::Attempt(attempts::new_scene()),
    ] {
        assert_eq!(reserve(one, &exchanger, "a").await, Admission::Admitted);
        assert_eq!(reserve(other, &exchanger, "b").await, Admission::Admitted);
        assert_refused(reserve(one, &exchanger, "c").await, WINDOW);
        give_back(other, &exchanger, "a").await;
        assert_eq!(reserve(one, &exchanger, "c").await, Admission::Admitted);
        assert_refused(reserve(other, &exchanger, "d").await, WINDOW);
    }
    let keys = "wechat-login:refused-codes*";
    let keys: Vec<String> = redis.command(&["KEYS", keys]).await;
    assert_eq!(keys.len(), 2);
    for key in keys {
        let left: u64 = redis.command(&["PTTL", &key]).await;
        assert!((1..=60_000).contains(&left), "{left} ms");
    }
}

#[tokio::test]
async fn a_window_begins_with_each_place() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let exchanger = client("203.0.113.9");
    reserve(&store, &exchanger, "a").await;
    reserve(&store, &exchanger, "b").await;
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    for (name, ago) in [("a", 60_000), ("b", 30_000)] {
        let at: String = redis.command(&["ZSCORE", &keys[0], name]).await;
        let at = at.parse::<u64>().expect("milliseconds") - ago;
        let _: i64 = redis
            .command(&["ZADD", &keys[0], &at.to_string(), name])
            .await;
    }
    assert_eq!(reserve(&store, &exchanger, "c").await, Admission::Admitted);
    assert_refused(reserve(&store, &exchanger, "d").await, WINDOW / 2);
}

#[tokio::test]
async fn what_is_done_twice_after_a_lost_answer_is_done_once() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let exchanger = client("203.0.113.9");
    for _ in 0..3 {
        assert_eq!(reserve(&store, &exchanger, "a").await, Admission::Admitted);
    }
    assert_eq!(reserve(&store, &exchanger, "b").await, Admission::Admitted);
    // Those who have the places still have them.
    assert_eq!(reserve(&store, &exchanger, "a").await, Admission::Admitted);
    // Nor does a refusal count.
    for _ in 0..3 {
        assert_refused(reserve(&store, &exchanger, "c").await, WINDOW);
    }
    for _ in 0..3 {
        give_back(&store, &exchanger, "a").await;
    }
    assert_eq!(reserve(&store, &exchanger, "c").await, Admission::Admitted);
    assert_refused(reserve(&store, &exchanger, "d").await, WINDOW);
}

#[tokio::test]
async fn all_of_an_ipv6_48_has_the_shares_of_sixteen_clients() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for number in 0..32 {
        let address = client(&format!("2001:db8:1:{number:x}::1"));
        let admission = reserve(&store, &address, &format!("{number}")).await;
        assert_eq!(admission, Admission::Admitted, "{number}");
    }
    let same_net = reserve(&store, &client("2001:db8:1:ffff::1"), "a").await;
    assert_refused(same_net, WINDOW);
    let another = reserve(&store, &client("2001:db8:2::1"), "b").await;
    assert_eq!(another, Admission::Admitted);
}
