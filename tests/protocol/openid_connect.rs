//! The provider's steps: what is once stays once, however often and from wherever it is tried.

use std::time::Duration;

use futures_util::future::join_all;
use login_protocol::{
    site::SiteId,
    steps::oidc::{
        AddSessionGrant, CodeExchange, EndGrant, EndSessionGrants, ExchangeCode,
        FoundByRefreshToken, GrantId, OpenGrant, OpenRequest, ReadByAccessToken, ReadByCode,
        ReadByRefreshToken, ReadRequest, ReadSigningKeys, RefreshRotation, ReplaceSigningKeys,
        RotateRefreshToken, SessionGrantAdded, SettleSessionEnd,
    },
};
use service_kit::redis::Store;
use system_tests::{log_folder, redis_server::RedisServer};
use url::Url;

const HOUR: Duration = Duration::from_hours(1);

fn site() -> SiteId {
    SiteId::of(&Url::parse("https://login.example.com").expect("a URL"))
}

fn grant() -> GrantId {
    GrantId::parse("AAAAAAAAAAAAAAAAAAAAAA").expect("22 characters")
}

async fn open(store: &Store) {
    let step = OpenGrant {
        site: site(),
        grant: grant(),
        data: "{}".to_owned(),
        code_sha256: "code".to_owned(),
        code_lifetime: Duration::from_mins(1),
    };
    for _ in 0..2 {
        store.run(&step).await.expect("Redis is running");
    }
}

fn exchange(code: &str, access: &str) -> ExchangeCode {
    ExchangeCode {
        site: site(),
        grant: grant(),
        code_sha256: code.to_owned(),
        access_sha256: access.to_owned(),
        access_lifetime: HOUR,
        refresh_sha256: Some("refresh-0".to_owned()),
        lifetime: HOUR,
    }
}

fn rotation(from: &str, to: &str) -> RotateRefreshToken {
    RotateRefreshToken {
        site: site(),
        grant: grant(),
        refresh_sha256: from.to_owned(),
        next_sha256: to.to_owned(),
        access_sha256: format!("access-of-{to}"),
        access_lifetime: HOUR,
        lifetime: HOUR,
        answer: format!("answer-of-{to}"),
    }
}

async fn is_there(store: &Store, access: &str) -> bool {
    let read = ReadByAccessToken {
        site: site(),
        grant: grant(),
        access_sha256: access.to_owned(),
    };
    let found = store.run(&read).await.expect("Redis is running");
    found.is_some()
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_its_repeat_by_another_ends_the_grant() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    open(&store).await;
    let run = async |step: ExchangeCode| store.run(&step).await.unwrap();
    assert_eq!(run(exchange("other", "a")).await, CodeExchange::Unknown);
    assert_eq!(run(exchange("code", "a")).await, CodeExchange::Exchanged);
    // The same step, sent again because its answer was lost.
    assert_eq!(run(exchange("code", "a")).await, CodeExchange::Exchanged);
    assert!(is_there(&store, "a").await);
    assert!(!is_there(&store, "b").await);
    assert_eq!(run(exchange("code", "b")).await, CodeExchange::Reused);
    assert!(!is_there(&store, "a").await);
    assert_eq!(run(exchange("code", "a")).await, CodeExchange::Unknown);
    let read = ReadByCode {
        site: site(),
        grant: grant(),
        code_sha256: "code".to_owned(),
    };
    assert_eq!(store.run(&read).await.unwrap(), None);
}

#[tokio::test]
async fn of_many_exchanges_at_once_one_is_first() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let stores = [redis.store(), redis.store()];
    for _ in 0..20 {
        open(&stores[0]).await;
        let steps: Vec<_> = (0..8)
            .map(|number| exchange("code", &format!("a{number}")))
            .collect();
        let all = steps
            .iter()
            .enumerate()
            .map(|(number, step)| stores[number % 2].run(step));
        let outcomes: Vec<_> = join_all(all)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let count = |wanted| outcomes.iter().filter(|found| **found == wanted).count();
        assert_eq!(count(CodeExchange::Exchanged), 1, "{outcomes:?}");
        assert_eq!(count(CodeExchange::Reused), 1, "{outcomes:?}");
        let end = EndGrant {
            site: site(),
            grant: grant(),
        };
        stores[0].run(&end).await.unwrap();
    }
}

#[tokio::test]
async fn a_refresh_token_has_one_successor_and_later_ends_the_chain() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let stores = [redis.store(), redis.store()];
    let [store, other] = &stores;
    open(store).await;
    store.run(&exchange("code", "a")).await.unwrap();
    let unknown = other.run(&rotation("refresh-9", "refresh-1")).await;
    assert_eq!(unknown.unwrap(), RefreshRotation::Unknown);
    let rotated = store.run(&rotation("refresh-0", "refresh-1")).await;
    assert_eq!(rotated.unwrap(), RefreshRotation::Rotated);
    // Somebody else at the same moment, or the same step again, gets the first one's answer.
    let first = RefreshRotation::Repeated("answer-of-refresh-1".to_owned());
    for next in ["refresh-1", "refresh-2"] {
        let repeated = other.run(&rotation("refresh-0", next)).await;
        assert_eq!(repeated.unwrap(), first);
    }
    assert!(!is_there(store, "access-of-refresh-2").await);
    let rotated = store.run(&rotation("refresh-1", "refresh-2")).await;
    assert_eq!(rotated.unwrap(), RefreshRotation::Rotated);
    let repeated = other.run(&rotation("refresh-0", "refresh-3")).await;
    assert_eq!(repeated.unwrap(), first, "also when its successor was used");

    let key = "wechat-login:oidc-grant:{*";
    let keys: Vec<String> = redis.command(&["KEYS", key]).await;
    let at: String = redis.command(&["HGET", &keys[0], "u:refresh-0"]).await;
    let earlier = (at.parse::<i64>().unwrap() - 10_001).to_string();
    let _: i64 = redis
        .command(&["HSET", &keys[0], "u:refresh-0", &earlier])
        .await;
    let read = ReadByRefreshToken {
        site: site(),
        grant: grant(),
        refresh_sha256: "refresh-0".to_owned(),
    };
    let found = store.run(&read).await.unwrap();
    assert!(
        matches!(found, FoundByRefreshToken::Reused { .. }),
        "{found:?}"
    );
    let reused = store.run(&rotation("refresh-0", "refresh-4")).await;
    assert_eq!(reused.unwrap(), RefreshRotation::Reused);
    assert_eq!(
        store.run(&read).await.unwrap(),
        FoundByRefreshToken::Unknown
    );
    assert!(!is_there(store, "access-of-refresh-2").await);
}

#[tokio::test]
async fn a_grant_that_is_refreshed_for_years_stays_small() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    open(&store).await;
    store.run(&exchange("code", "a")).await.unwrap();
    for number in 0..300 {
        let [from, to] = [number, number + 1].map(|number| format!("refresh-{number}"));
        let rotated = store.run(&rotation(&from, &to)).await.unwrap();
        assert_eq!(rotated, RefreshRotation::Rotated);
        // Each is long ago when the next one comes.
        let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:oidc-grant:*"]).await;
        let long_ago = number.to_string();
        for field in [format!("u:{from}"), format!("a:access-of-{to}")] {
            let _: i64 = redis.command(&["HSET", &keys[0], &field, &long_ago]).await;
        }
    }
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:oidc-grant:*"]).await;
    let fields: i64 = redis.command(&["HLEN", &keys[0]]).await;
    assert!(fields <= 110, "{fields}");
}

#[tokio::test]
async fn a_session_that_is_over_takes_no_more_grants() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let add = |client: &str, grant: Option<GrantId>| AddSessionGrant {
        site: site(),
        session_sha256: "session".to_owned(),
        client: client.to_owned(),
        sub: "somebody".to_owned(),
        grant: grant.map(|grant| (grant, HOUR)),
        lifetime: HOUR,
    };
    for step in [add("wiki", Some(grant())), add("forum", None)] {
        assert_eq!(store.run(&step).await.unwrap(), SessionGrantAdded::Added);
    }
    let end = EndSessionGrants {
        site: site(),
        session_sha256: "session".to_owned(),
    };
    let mut ended_at = None;
    for _ in 0..2 {
        let mut ended = store.run(&end).await.unwrap();
        assert_eq!(
            *ended_at.get_or_insert(ended.ended_at_ms),
            ended.ended_at_ms
        );
        ended.clients.sort();
        let sub = || "somebody".to_owned();
        let clients = vec![("forum".to_owned(), sub()), ("wiki".to_owned(), sub())];
        assert_eq!(ended.clients, clients);
        assert_eq!(ended.grants, [grant()]);
        let added = store.run(&add("wiki", None)).await.unwrap();
        assert_eq!(added, SessionGrantAdded::Ended);
    }
    let settle = SettleSessionEnd {
        site: site(),
        session_sha256: "session".to_owned(),
    };
    store.run(&settle).await.unwrap();
    let again = store.run(&end).await.unwrap();
    assert!(
        again.clients.is_empty() && again.grants.is_empty(),
        "{again:?}"
    );
    let added = store.run(&add("wiki", None)).await.unwrap();
    assert_eq!(added, SessionGrantAdded::Ended);
}

#[tokio::test]
async fn a_full_redis_remembers_that_a_session_is_over_and_what_ends_with_it() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let add = AddSessionGrant {
        site: site(),
        session_sha256: "session".to_owned(),
        client: "wiki".to_owned(),
        sub: "somebody".to_owned(),
        grant: Some((grant(), HOUR)),
        lifetime: HOUR,
    };
    assert_eq!(store.run(&add).await.unwrap(), SessionGrantAdded::Added);
    let end = EndSessionGrants {
        site: site(),
        session_sha256: "session".to_owned(),
    };
    let set = async |bytes: &str| {
        let set = ["CONFIG", "SET", "maxmemory", bytes];
        let _: String = redis.command(&set).await;
    };
    set("1").await;
    let ended = store.run(&end).await.unwrap();
    set("0").await;
    assert_eq!(ended.grants, [grant()]);
    let added = store.run(&add).await.unwrap();
    assert_eq!(added, SessionGrantAdded::Ended, "it is over");
    assert_eq!(store.run(&end).await.unwrap(), ended, "a repeat");
}

#[tokio::test]
async fn of_two_replicas_that_make_keys_one_is_first() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let stores = [redis.store(), redis.store()];
    let read = ReadSigningKeys { site: site() };
    assert_eq!(stores[0].run(&read).await.unwrap(), None);
    let replace = |revision, sealed: &str| ReplaceSigningKeys {
        site: site(),
        read: revision,
        sealed: sealed.to_owned(),
    };
    let one = stores[0].run(&replace(0, "one")).await.unwrap();
    let other = stores[1].run(&replace(0, "other")).await.unwrap();
    assert_eq!((one.revision, one.sealed.as_str()), (1, "one"));
    assert_eq!(other, one);
    let next = stores[1].run(&replace(1, "next")).await.unwrap();
    assert_eq!((next.revision, next.sealed.as_str()), (2, "next"));
    assert_eq!(stores[0].run(&read).await.unwrap(), Some(next));
}

#[tokio::test]
async fn a_request_keeps_the_time_of_its_first_page() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let open = |data: &str| OpenRequest {
        site: site(),
        id: "id".to_owned(),
        data: data.to_owned(),
        lifetime: HOUR,
    };
    store.run(&open("first")).await.unwrap();
    let read = ReadRequest {
        site: site(),
        id: "id".to_owned(),
    };
    let first = store.run(&read).await.unwrap();
    store.run(&open("second")).await.unwrap();
    let again = store.run(&read).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(again.unwrap().0, "first");
}

/// However often a session is used, what hangs on it stays few; what has ended makes room.
#[tokio::test]
async fn a_session_that_is_used_all_the_time_is_full_until_something_ends() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let add = |number: usize, life| AddSessionGrant {
        site: site(),
        session_sha256: "session".to_owned(),
        client: "wiki".to_owned(),
        sub: "somebody".to_owned(),
        grant: Some((GrantId::parse(&format!("{number:022}")).unwrap(), life)),
        lifetime: HOUR,
    };
    let mut added = 0;
    while store.run(&add(added, HOUR)).await.unwrap() == SessionGrantAdded::Added {
        added += 1;
        assert!(added < 1000, "never full");
    }
    let repeated = store.run(&add(0, HOUR)).await.unwrap();
    assert_eq!(repeated, SessionGrantAdded::Added, "it hangs there");
    // One of them ended long ago.
    let key = "wechat-login:oidc-session:*";
    let keys: Vec<String> = redis.command(&["KEYS", key]).await;
    let field = format!("g:{:022}", 7);
    let _: i64 = redis.command(&["HSET", &keys[0], &field, "1"]).await;
    let next = store.run(&add(added, HOUR)).await.unwrap();
    assert_eq!(next, SessionGrantAdded::Added);
    let next = store.run(&add(added + 1, HOUR)).await.unwrap();
    assert_eq!(next, SessionGrantAdded::Full);
}

/// However often its token is refreshed, and how fast, a grant stays small, and the latest tokens are
/// good.
#[tokio::test]
async fn a_grant_that_is_refreshed_all_the_time_stays_small() {
    const ROTATIONS: usize = 350;
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    open(&store).await;
    store.run(&exchange("code", "a")).await.unwrap();
    for number in 0..ROTATIONS {
        let step = rotation(
            &format!("refresh-{number}"),
            &format!("refresh-{}", number + 1),
        );
        assert_eq!(store.run(&step).await.unwrap(), RefreshRotation::Rotated);
    }
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:oidc-grant:*"]).await;
    let fields: Vec<String> = redis.command(&["HKEYS", &keys[0]]).await;
    let count = |prefix: &str| {
        fields
            .iter()
            .filter(|name| name.starts_with(prefix))
            .count()
    };
    for prefix in ["a:", "u:", "answer:"] {
        assert_eq!(count(prefix), 100, "{prefix}");
    }
    assert!(is_there(&store, &format!("access-of-refresh-{ROTATIONS}")).await);
    let read = |number: usize| ReadByRefreshToken {
        site: site(),
        grant: grant(),
        refresh_sha256: format!("refresh-{number}"),
    };
    let found = store.run(&read(0)).await.unwrap();
    assert!(
        matches!(found, FoundByRefreshToken::Other { .. }),
        "{found:?}"
    );
    let found = store.run(&read(ROTATIONS)).await.unwrap();
    assert!(
        matches!(found, FoundByRefreshToken::Current { .. }),
        "{found:?}"
    );
}
