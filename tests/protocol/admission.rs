//! How many logins one client may start, and the nets around it, on all replicas together.

use std::time::Duration;

use login_protocol::{
    gateway_api::ClientLogins::{Few, Many},
    site::SiteId,
    steps::{AdmitLogin, GiveBackLogin, GivenBack, LoginAdmission, SpendProof},
};
use service_kit::redis::Store;
use system_tests::{attempts, log_folder, redis_server::RedisServer};

const CLIENT: &str = "203.0.113.9";

async fn admit(store: &Store, client: &str, per_minute: u32) -> LoginAdmission {
    let step = AdmitLogin {
        site: attempts::own_realm().site,
        client: client.parse().expect("an address"),
        per_minute,
    };
    store.run(&step).await.expect("Redis is running")
}

/// Whether it is admitted, whatever it had before.
async fn is_admitted(store: &Store, client: &str, per_minute: u32) -> bool {
    let admission = admit(store, client, per_minute).await;
    !matches!(admission, LoginAdmission::Refused { .. })
}

async fn give_back(store: &Store, client: &str, because: GivenBack) {
    let step = GiveBackLogin {
        site: attempts::own_realm().site,
        client: client.parse().expect("an address"),
        because,
    };
    store.run(&step).await.expect("Redis is running");
}

/// How long a refused one has to wait.
async fn wait(store: &Store, client: &str, per_minute: u32) -> Duration {
    match admit(store, client, per_minute).await {
        LoginAdmission::Refused { retry_after } => retry_after,
        admitted @ (LoginAdmission::Admitted(_) | LoginAdmission::Hasty) => {
            panic!("{client}: {admitted:?}")
        }
    }
}

/// Lets this much time pass for all the counts of the only key.
async fn pass(redis: &RedisServer, time: Duration) {
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let [key] = keys.as_slice() else {
        panic!("one key for a client and its nets: {keys:?}");
    };
    let fields: Vec<String> = redis.command(&["HGETALL", key]).await;
    let earlier = |(place, number): (usize, &str)| {
        let number: u128 = number.parse().expect("a number");
        let moved = if place % 2 == 0 { time.as_millis() } else { 0 };
        (number - moved).to_string()
    };
    for pair in fields.chunks(2) {
        let numbers = pair[1].split(' ').enumerate().map(earlier);
        let value = numbers.collect::<Vec<_>>().join(" ");
        let _: i64 = redis.command(&["HSET", key, &pair[0], &value]).await;
    }
}

/// A client in this /64 of one /48.
fn subnet(number: u16) -> String {
    format!("2001:db8:1:{number:x}::1")
}

#[tokio::test]
async fn a_client_is_admitted_as_often_as_allowed_and_told_when_to_come_back() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let replicas = [redis.store(), redis.store()];
    for attempt in 0..4 {
        assert!(is_admitted(&replicas[attempt % 2], CLIENT, 4).await);
    }
    for store in &replicas {
        let wait = wait(store, CLIENT, 4).await;
        let range = Duration::from_secs(30)..=Duration::from_mins(1);
        assert!(range.contains(&wait), "{wait:?}");
    }
    assert!(is_admitted(&replicas[0], "203.0.113.10", 4).await);
}

#[tokio::test]
async fn the_minute_begins_with_the_first_login_and_isnt_prolonged_by_refusals() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert!(is_admitted(&store, CLIENT, 1).await);
    pass(&redis, Duration::from_secs(30)).await;
    for _ in 0..3 {
        let wait = wait(&store, CLIENT, 1).await;
        assert!(wait <= Duration::from_secs(30), "{wait:?}");
    }
    pass(&redis, Duration::from_secs(30)).await;
    assert!(is_admitted(&store, CLIENT, 1).await);
}

#[tokio::test]
async fn hour_and_day_have_shares_of_their_own_and_refusals_use_up_neither() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    // Ten minutes' shares in an hour, forty in a day.
    for hour in 0..4 {
        for minute in 0..10 {
            assert!(is_admitted(&store, CLIENT, 1).await, "{hour}:{minute:02}");
            for _ in 0..20 {
                assert!(!is_admitted(&store, CLIENT, 1).await);
            }
            pass(&redis, Duration::from_mins(1)).await;
        }
        let wait = wait(&store, CLIENT, 1).await;
        if hour < 3 {
            let left = Duration::from_mins(49)..=Duration::from_mins(50);
            assert!(left.contains(&wait), "of the hour: {wait:?}");
        }
        pass(&redis, Duration::from_mins(50)).await;
    }
    let wait = wait(&store, CLIENT, 1).await;
    let left = Duration::from_hours(19)..=Duration::from_hours(20);
    assert!(left.contains(&wait), "of the day: {wait:?}");
    pass(&redis, Duration::from_hours(20)).await;
    assert!(is_admitted(&store, CLIENT, 1).await);
}

#[tokio::test]
async fn what_is_counted_of_an_address_is_gone_after_a_day() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for client in [CLIENT, &subnet(1)] {
        assert!(is_admitted(&store, client, 30).await);
    }
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    for key in &keys {
        let _: i64 = redis.command(&["PEXPIRE", key, "1000000"]).await;
    }
    for client in [CLIENT, &subnet(1), &subnet(2)] {
        assert!(is_admitted(&store, client, 30).await);
        give_back(&store, client, GivenBack::Scanned).await;
    }
    assert_eq!(keys.len(), 2);
    for key in &keys {
        let left: i64 = redis.command(&["PTTL", key]).await;
        assert!((1..=1_000_000).contains(&left), "{left}: never prolonged");
        let _: i64 = redis.command(&["DEL", key]).await;
    }
    give_back(&store, CLIENT, GivenBack::Scanned).await;
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    assert!(keys.is_empty(), "{keys:?}");
    assert!(is_admitted(&store, CLIENT, 30).await);
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let left: i64 = redis.command(&["PTTL", &keys[0]]).await;
    assert!((86_000_000..=86_400_000).contains(&left), "{left}");
}

#[tokio::test]
async fn an_ipv6_client_is_its_64() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let one_network = ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"];
    assert!(is_admitted(&store, one_network[0], 1).await);
    assert!(!is_admitted(&store, one_network[1], 1).await);
    assert!(is_admitted(&store, "2001:db8:1:3::1", 1).await);
}

#[tokio::test]
async fn nobody_multiplies_by_having_a_wide_net() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let mut admitted = 0;
    for number in 0..0xff {
        admitted += u32::from(is_admitted(&store, &subnet(number), 3).await);
    }
    assert_eq!(admitted, 3 * 4, "a /56 has four clients' shares");
    for number in 1..0xff {
        let other = subnet(number << 8);
        admitted += u32::from(is_admitted(&store, &other, 3).await);
    }
    assert_eq!(admitted, 3 * 16, "a /48 has sixteen");
    assert!(
        is_admitted(&store, "2001:db8:2::1", 3).await,
        "another's /48"
    );
    assert!(is_admitted(&store, CLIENT, 3).await);
}

#[tokio::test]
async fn a_wide_net_cant_fill_redis() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for number in 0..3000 {
        // All over the /48.
        assert!(is_admitted(&store, &subnet(number * 21), 30_000).await);
    }
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let [key] = keys.as_slice() else {
        panic!("{keys:?}");
    };
    let counts: u32 = redis.command(&["HLEN", key]).await;
    assert!(counts <= 1024 + 256 + 1, "{counts}");
    let bytes: u64 = redis
        .command(&["MEMORY", "USAGE", key, "SAMPLES", "0"])
        .await;
    assert!(bytes < 200_000, "{bytes} bytes");
    // Who isn't told apart is still limited with its nets.
    let mut admitted = 0;
    for number in 0..3000 {
        admitted += u32::from(is_admitted(&store, &subnet(number * 21), 200).await);
    }
    assert_eq!(admitted, 200, "of the 3200 that the /48 has in a minute");
}

#[tokio::test]
async fn a_mapped_address_is_the_one_it_maps() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert!(is_admitted(&store, "::ffff:203.0.113.9", 1).await);
    assert!(!is_admitted(&store, "203.0.113.9", 1).await);
    // Otherwise all of IPv4 would share one /48.
    assert!(is_admitted(&store, "::ffff:203.0.113.10", 1).await);
}

#[tokio::test]
async fn an_office_whose_people_log_in_is_never_stopped() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for minute in 0..60 {
        // Every second one is given up.
        for person in 0..30 {
            let admission = admit(&store, CLIENT, 30).await;
            assert!(
                matches!(admission, LoginAdmission::Admitted(_)),
                "{minute}:{person}"
            );
            if person % 2 == 0 {
                give_back(&store, CLIENT, GivenBack::Scanned).await;
            }
        }
        assert!(!is_admitted(&store, CLIENT, 30).await, "more in a minute");
        pass(&redis, Duration::from_mins(1)).await;
    }
    assert_eq!(
        admit(&store, CLIENT, 30).await,
        LoginAdmission::Admitted(Few)
    );
}

#[tokio::test]
async fn logins_inside_wechat_make_up_for_nothing_but_themselves() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for number in 1..=8 {
        // A code that nobody scans, and a login that one browser completes as often as it likes.
        let admission = admit(&store, CLIENT, 30).await;
        let expected = if number <= 5 { Few } else { Many };
        assert_eq!(admission, LoginAdmission::Admitted(expected), "{number}");
        admit(&store, CLIENT, 30).await;
        give_back(&store, CLIENT, GivenBack::WebAuthorization).await;
    }
}

#[tokio::test]
async fn nobody_has_more_than_all_of_a_share() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert!(is_admitted(&store, CLIENT, 1).await);
    for _ in 0..50 {
        give_back(&store, CLIENT, GivenBack::Scanned).await;
    }
    for _ in 0..10 {
        pass(&redis, Duration::from_mins(1)).await;
        assert!(is_admitted(&store, CLIENT, 1).await);
    }
    pass(&redis, Duration::from_mins(1)).await;
    let wait = wait(&store, CLIENT, 1).await;
    assert!(wait > Duration::from_mins(2), "the hour's: {wait:?}");
}

#[tokio::test]
async fn what_never_began_counts_in_its_minute_only() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for _ in 0..60 {
        assert_eq!(
            admit(&store, CLIENT, 1).await,
            LoginAdmission::Admitted(Few)
        );
        give_back(&store, CLIENT, GivenBack::NotBegun).await;
        assert!(!is_admitted(&store, CLIENT, 1).await);
        pass(&redis, Duration::from_mins(1)).await;
    }
}

#[tokio::test]
async fn who_begins_many_and_completes_few_is_known_in_each_net() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for (number, expected) in [Few, Few, Few, Few, Few, Many, Many]
        .into_iter()
        .enumerate()
    {
        let admission = admit(&store, CLIENT, 30).await;
        assert_eq!(admission, LoginAdmission::Admitted(expected), "{number}");
    }
    give_back(&store, CLIENT, GivenBack::Scanned).await;
    give_back(&store, CLIENT, GivenBack::Scanned).await;
    assert_eq!(
        admit(&store, CLIENT, 30).await,
        LoginAdmission::Admitted(Few)
    );

    for number in 0..21 {
        let expected = if number < 20 { Few } else { Many };
        let admission = admit(&store, &subnet(number), 30).await;
        assert_eq!(admission, LoginAdmission::Admitted(expected), "{number}");
    }
    // Of other /56s.
    for number in 1..=60 {
        let expected = if number < 60 { Few } else { Many };
        let admission = admit(&store, &subnet(number << 8), 30).await;
        assert_eq!(admission, LoginAdmission::Admitted(expected), "{number}");
    }
}

#[tokio::test]
async fn who_begins_more_than_people_do_is_known_until_the_day_is_over() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for begun in 1..=5 {
        for number in 1..=30 {
            let admission = admit(&store, CLIENT, 30).await;
            let is_hasty = begun == 5;
            assert_eq!(
                admission == LoginAdmission::Hasty,
                is_hasty,
                "{begun}: {number}"
            );
        }
        pass(&redis, Duration::from_mins(1)).await;
    }
    assert_eq!(
        admit(&store, CLIENT, 60).await,
        LoginAdmission::Admitted(Many)
    );
    pass(&redis, Duration::from_hours(24)).await;
    assert_eq!(
        admit(&store, CLIENT, 30).await,
        LoginAdmission::Admitted(Few)
    );
}

#[tokio::test]
async fn a_proof_is_spent_once_at_each_site() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let spend = |site: SiteId| SpendProof {
        site,
        challenge: "0f".repeat(32),
        lifetime: Duration::from_mins(2),
    };
    let own = attempts::own_realm().site;
    let other = SiteId::of(&"https://other.example".parse().expect("a URL"));
    assert!(
        store
            .run(&spend(own.clone()))
            .await
            .expect("Redis is running")
    );
    assert!(!store.run(&spend(own)).await.expect("Redis is running"));
    assert!(store.run(&spend(other)).await.expect("Redis is running"));
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    for key in keys {
        let left: i64 = redis.command(&["PTTL", &key]).await;
        assert!((119_000..=120_000).contains(&left), "{key}: {left} ms");
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_nobody_out() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert!(is_admitted(&store, CLIENT, 1).await);
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let later = "99999999999999 1 99999999999999 1 99999999999999 1";
    let _: i64 = redis.command(&["HSET", &keys[0], "32", later]).await;
    assert!(is_admitted(&store, CLIENT, 1).await);
}

#[tokio::test]
async fn what_an_older_version_counted_is_in_nobodys_way() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let older = format!("wechat-login:admitted:{{{CLIENT}}}");
    let _: i64 = redis.command(&["INCRBY", &older, "1000"]).await;
    assert!(is_admitted(&store, CLIENT, 1).await);
    let count: i64 = redis.command(&["INCR", &older]).await;
    assert_eq!(count, 1001, "it goes on counting");
}
