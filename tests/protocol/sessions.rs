//! Sessions: whose they are, how long they live, and that they end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    identity::MemberId,
    method::Method,
    site::Realm,
    steps::{
        CreateSession, Decide, Decision, DecisionEffect, EndAllSessions, EndSession, Identified,
        ReadOlderSession, ReadSession, ReadSessionsEnd, RecordScan, Redemption, ScanEffect,
        Session, SessionLifetime,
    },
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, member, new_openid, own_realm},
    log_folder,
    redis_server::RedisServer,
};

const LIFETIME: SessionLifetime = SessionLifetime {
    absolute: Duration::from_hours(24),
    idle: Duration::from_hours(1),
};

fn session(person: &MemberId, begun_at: Timestamp) -> Session {
    // Redis keeps milliseconds.
    let begun_at = Timestamp::from_millisecond(begun_at.as_millisecond()).expect("a time");
    Session {
        member: person.clone(),
        account: AccountName::default(),
        method: Method::Scan,
        begun_at,
        last_seen_at: begun_at,
        place: None,
        approval: None,
        client: None,
    }
}

async fn read(store: &Store, id: &str) -> Option<Session> {
    let step = ReadSession {
        realm: own_realm(),
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
        site: own_realm().site,
        session: session(person, begun_at),
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
    let session = session(&person, begun_at);
    assert_eq!(read(&store, "one").await, Some(session));
    assert_eq!(read(&store, "two").await, None);
    let end = EndSession {
        member: None,
        site: Some(own_realm().site),
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
            site: Some(own_realm().site),
        };
        store.run(&step).await.expect("Redis is running")
    };
    assert_eq!(ended().await, None);
    let end = EndAllSessions {
        member: person.clone(),
        site: Some(own_realm().site),
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

async fn end(store: &Store, id: &str) {
    let step = EndSession {
        member: None,
        site: Some(own_realm().site),
        id_sha256: id.to_owned(),
    };
    store.run(&step).await.expect("Redis is running");
}

/// Writes a session as a repeat of its redemption does, and says whether there is one now.
async fn write_again(store: &Store, id: &str, person: &MemberId) -> bool {
    let step = CreateSession {
        id_sha256: id.to_owned(),
        site: own_realm().site,
        session: session(person, Timestamp::now()),
        lifetime: LIFETIME,
    };
    store.run(&step).await.expect("Redis is running")
}

#[tokio::test]
async fn an_ended_session_is_written_by_no_repeat_for_two_minutes() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    assert!(write_again(&store, "one", &person).await);
    assert!(
        write_again(&store, "one", &person).await,
        "as after a lost answer"
    );
    for _ in 0..2 {
        end(&store, "one").await;
        assert!(!write_again(&store, "one", &person).await);
        assert_eq!(read(&store, "one").await, None);
        let left = milliseconds_left(&redis).await;
        assert!((110_000..=120_000).contains(&left), "{left} ms");
    }
    assert!(write_again(&store, "two", &person).await, "another login");
    end(&store, "three").await;
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:session:*"]).await;
    assert_eq!(keys.len(), 2, "what never was leaves nothing: {keys:?}");
}

/// Writes a session as a version did that knew no sites: words between spaces, under a key without
/// a site.
async fn write_older(
    redis: &RedisServer,
    id: &str,
    person: &MemberId,
    begun_at: Timestamp,
) -> String {
    let key = format!("wechat-login:session:{{{id}}}");
    let record = format!(
        "{} {} {}",
        person.app_id.as_str(),
        person.openid.as_str(),
        begun_at.as_millisecond()
    );
    let _: String = redis
        .command(&["SET", &key, &record, "PX", "3600000"])
        .await;
    key
}

async fn read_older(store: &Store, id: &str) -> Option<(MemberId, Timestamp)> {
    let step = ReadOlderSession {
        id_sha256: id.to_owned(),
        lifetime: LIFETIME,
    };
    store.run(&step).await.expect("Redis is running")
}

async fn end_older(store: &Store, id: &str) {
    let step = EndSession {
        member: None,
        site: None,
        id_sha256: id.to_owned(),
    };
    store.run(&step).await.expect("Redis is running");
}

#[tokio::test]
async fn a_session_of_the_version_before_lives_on_and_can_be_ended() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let begun_at = session(&person, Timestamp::now()).begun_at;
    let key = write_older(&redis, "one", &person, begun_at).await;
    let _: i64 = redis.command(&["PEXPIRE", &key, "60000"]).await;
    assert_eq!(
        read_older(&store, "one").await,
        Some((person.clone(), begun_at))
    );
    let left: i64 = redis.command(&["PTTL", &key]).await;
    assert!(left > 3_590_000, "using it prolongs it: {left} ms");
    assert_eq!(read(&store, "one").await, None, "no record of this version");
    end_older(&store, "one").await;
    assert_eq!(read_older(&store, "one").await, None);

    let long_ago = Timestamp::now() - SignedDuration::from_hours(24);
    write_older(&redis, "two", &person, long_ago).await;
    assert_eq!(
        read_older(&store, "two").await,
        None,
        "its whole life is over"
    );
}

#[tokio::test]
async fn a_session_is_good_at_its_site_and_with_its_account_alone() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    create(&store, "one", &person, SignedDuration::ZERO).await;
    let read_at = async |realm: Realm| {
        let step = ReadSession {
            realm,
            id_sha256: "one".to_owned(),
            lifetime: LIFETIME,
        };
        store.run(&step).await.expect("Redis is running")
    };
    let elsewhere = [
        attempts::realm("http://elsewhere", "default"),
        attempts::realm("http://localhost", "shop"),
    ];
    for realm in elsewhere.clone() {
        assert_eq!(read_at(realm).await, None);
    }
    let end = EndSession {
        member: None,
        site: Some(elsewhere[0].site.clone()),
        id_sha256: "one".to_owned(),
    };
    store.run(&end).await.expect("Redis is running");
    assert!(read_at(own_realm()).await.is_some(), "nothing was ended");
}

/// What a version reads that knew no sites, and before it no ends.
#[tokio::test]
async fn an_older_version_takes_an_ended_session_for_over() {
    const OLDER_READ: &str = r"
        local found = redis.call('GET', KEYS[1])
        if not found then
            return {}
        end
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local left = tonumber(string.match(found, '%d+$')) + tonumber(ARGV[1]) - now
        if left <= 0 then
            redis.call('DEL', KEYS[1])
            return {}
        end
        redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(left, tonumber(ARGV[2]))))
        return {found}";
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let key = write_older(&redis, "one", &member(&new_openid()), Timestamp::now()).await;
    let asked = ["EVAL", OLDER_READ, "1", &key, "86400000", "3600000"];
    let known: Vec<String> = redis.command(&asked).await;
    assert_eq!(known.len(), 1);
    end_older(&store, "one").await;
    let known: Vec<String> = redis.command(&asked).await;
    assert!(known.is_empty(), "{known:?}");
}

/// What ends a session, and what ends all, needs no room in a Redis that has none.
#[tokio::test]
async fn sessions_end_in_a_full_redis() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    assert!(write_again(&store, "one", &person).await);
    let _: String = redis.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    end(&store, "one").await;
    assert_eq!(read(&store, "one").await, None);
    assert!(!write_again(&store, "one", &person).await);
    let all = EndAllSessions {
        member: person.clone(),
        site: Some(own_realm().site),
        lifetime: LIFETIME,
    };
    store
        .run(&all)
        .await
        .expect("it has room for what it removed");
    let ended = ReadSessionsEnd {
        member: person,
        site: Some(own_realm().site),
    };
    assert!(store.run(&ended).await.expect("Redis is running").is_some());
}

async fn redeemed(store: &Store, scene: &login_protocol::scene::Scene) -> Identified {
    match attempts::redeem(store, scene, "a nonce").await {
        Redemption::Redeemed(identified) => identified,
        refused => panic!("the attempt is refused: {refused:?}"),
    }
}

/// Redis counts in milliseconds, and two steps may fall into one.
async fn a_later_millisecond() {
    let now = Timestamp::now();
    while Timestamp::now() <= now + SignedDuration::from_millis(2) {
        tokio::task::yield_now().await;
    }
}

/// Signs the person out everywhere and says when that was.
async fn end_all(store: &Store, person: &MemberId) -> Timestamp {
    a_later_millisecond().await;
    let step = EndAllSessions {
        member: person.clone(),
        site: Some(own_realm().site),
        lifetime: LIFETIME,
    };
    store.run(&step).await.expect("Redis is running");
    let step = ReadSessionsEnd {
        member: person.clone(),
        site: Some(own_realm().site),
    };
    let ended_at = store.run(&step).await.expect("Redis is running");
    a_later_millisecond().await;
    ended_at.expect("it is remembered")
}

#[tokio::test]
async fn a_login_counts_from_when_its_person_confirmed() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    for approval in [Approval::Scan, Approval::Tap] {
        let scene = attempts::open(&store).await;
        let scan = RecordScan {
            scene: scene.clone(),
            account: AccountName::default(),
            member: person.clone(),
            approval,
        };
        let confirm = Decide {
            scene: scene.clone(),
            account: AccountName::default(),
            member: person.clone(),
            decision: Decision::Confirm,
        };
        let mut ended_before = Timestamp::MIN;
        if approval == Approval::Scan {
            ended_before = end_all(&store, &person).await;
        }
        let scanned = store.run(&scan).await.expect("Redis is running");
        assert!(matches!(scanned.effect, ScanEffect::Accepted(_)));
        if approval == Approval::Tap {
            // An end before the press is none of it: the person sees what they confirm.
            ended_before = end_all(&store, &person).await;
            let effect = store.run(&confirm).await.expect("Redis is running");
            assert_eq!(effect, DecisionEffect::Stands(AttemptStatus::Confirmed));
        }
        let ended_at = end_all(&store, &person).await;
        // Scanning or pressing again changes nothing.
        store.run(&scan).await.expect("Redis is running");
        store.run(&confirm).await.expect("Redis is running");
        let identified = redeemed(&store, &scene).await;
        assert!(identified.confirmed_at > ended_before, "{approval:?}");
        assert!(identified.confirmed_at <= ended_at, "{approval:?}");
        assert_eq!(redeemed(&store, &scene).await, identified);
    }
}
