//! Subjects: given once, the same by a UnionID, and never merged.

use jiff::Timestamp;
use login_protocol::{
    identity::MemberId,
    steps::{ClaimUnion, GiveSubject, GivenSubject, NoteUnion, ReadSubject},
    subject::{Subject, UnionDigest},
};
use service_kit::{redis::Store, subjects};
use system_tests::{
    attempts::{member, new_openid},
    log_folder,
    redis_server::RedisServer,
};

fn subject(number: u8) -> Subject {
    Subject::from_random([number; 16])
}

async fn read(store: &Store, person: &MemberId) -> Option<GivenSubject> {
    let step = ReadSubject {
        member: person.clone(),
    };
    store.run(&step).await.expect("Redis is running")
}

async fn give(store: &Store, person: &MemberId, number: u8) -> GivenSubject {
    let step = GiveSubject {
        member: person.clone(),
        subject: subject(number),
        given_at: None,
        union: None,
    };
    store.run(&step).await.expect("Redis is running")
}

async fn claim(
    store: &Store,
    unionid: &str,
    number: u8,
    given_at: Option<Timestamp>,
) -> (Subject, Timestamp) {
    let step = ClaimUnion {
        union: UnionDigest::of(unionid),
        subject: subject(number),
        given_at,
    };
    store.run(&step).await.expect("Redis is running")
}

#[tokio::test]
async fn the_first_subject_stays_and_has_no_end() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    assert_eq!(read(&store, &person).await, None);
    let first = give(&store, &person, 1).await;
    assert_eq!(first.subject, subject(1));
    assert_eq!(give(&store, &person, 2).await, first);
    assert_eq!(read(&store, &person).await, Some(first));
    let other = member(&new_openid());
    assert_eq!(give(&store, &other, 3).await.subject, subject(3));
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:subject:*"]).await;
    assert_eq!(keys.len(), 2);
    for key in keys {
        let left: i64 = redis.command(&["PTTL", &key]).await;
        assert_eq!(left, -1, "{key} ends");
    }
}

#[tokio::test]
async fn many_who_give_at_once_give_one() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let stores = [redis.store(), redis.store()];
    for unionid in [None, Some("oUnion")] {
        let person = member(&new_openid());
        let given = futures_util::future::join_all((0..20).map(|turn| {
            let (store, person) = (&stores[turn % 2], person.clone());
            async move {
                let given = subjects::give(store, person, unionid).await;
                given.expect("Redis is running").subject
            }
        }));
        let mut given = given.await;
        given.dedup();
        assert_eq!(given.len(), 1, "{unionid:?}");
    }
}

#[tokio::test]
async fn a_unionid_that_is_known_under_another_account_brings_its_subject() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let [here, there, stranger] = [(); 3].map(|()| member(&new_openid()));
    let give = async |person: &MemberId, unionid| {
        let given = subjects::give(&store, person.clone(), Some(unionid)).await;
        given.expect("Redis is running")
    };
    let first = give(&here, "oUnion").await;
    assert_eq!(first.union, Some(UnionDigest::of("oUnion")));
    let second = give(&there, "oUnion").await;
    assert_eq!(second.subject, first.subject);
    assert_eq!(second.given_at, first.given_at);
    assert_ne!(give(&stranger, "another").await.subject, first.subject);
    let dump: Vec<String> = redis.command(&["KEYS", "*"]).await;
    assert!(
        !dump.concat().contains("oUnion"),
        "a digest is enough: {dump:?}"
    );
}

#[tokio::test]
async fn two_that_were_given_stay_two_and_newcomers_get_the_older() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let [here, there] = [(); 2].map(|()| member(&new_openid()));
    let at = |second| Timestamp::from_second(second).expect("a time");
    let older = give(&store, &here, 1).await;
    // The other account was told the UnionID first.
    assert_eq!(
        claim(&store, "oUnion", 2, Some(at(2_000_000_000))).await.0,
        subject(2)
    );
    let younger = give(&store, &there, 2).await;
    let found = claim(&store, "oUnion", 1, Some(older.given_at)).await;
    assert_eq!(found, (subject(1), older.given_at));
    // Once more, and the other way round: nothing changes.
    assert_eq!(
        claim(&store, "oUnion", 2, Some(at(2_000_000_000))).await,
        found
    );
    assert_eq!(claim(&store, "oUnion", 3, None).await, found);
    assert_eq!(read(&store, &here).await, Some(older.clone()));
    assert_eq!(read(&store, &there).await, Some(younger));

    let union = UnionDigest::of("oUnion");
    let note = NoteUnion {
        member: here.clone(),
        union: union.clone(),
    };
    store.run(&note).await.expect("Redis is running");
    let noted = GivenSubject {
        union: Some(union),
        ..older
    };
    assert_eq!(read(&store, &here).await, Some(noted));
}
