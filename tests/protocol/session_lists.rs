//! A person's sessions: what is kept of them, the index that finds them, and their end.

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    event::Position,
    identity::MemberId,
    session_end::SessionEnd,
    steps::{
        EndAllSessions, EndSession, IndexSession, IndexedSession, OpenEvents, ReadEvents,
        ReadSession, ReadSessionIndex, RecordFollow, RecordUnfollow, Session,
    },
};
use service_kit::{
    redis::Store,
    sessions::{self, Ending, PersonsSession},
};
use system_tests::{
    attempts::{self, member, new_openid, own_realm},
    log_folder,
    redis_server::RedisServer,
    sessions::{LIFETIME, begin as begin_at, session},
};

/// A millisecond this long ago, as Redis keeps it.
fn ago(ago: SignedDuration) -> Timestamp {
    let at = (Timestamp::now() - ago).as_millisecond();
    Timestamp::from_millisecond(at).expect("a time")
}

async fn begin(store: &Store, id: &str, session: &Session) {
    begin_at(store, &own_realm(), id, session).await;
}

async fn use_it(store: &Store, id: &str) -> Option<Session> {
    let step = ReadSession {
        realm: own_realm(),
        id_sha256: id.to_owned(),
        lifetime: LIFETIME,
    };
    store.run(&step).await.expect("Redis runs")
}

async fn listed(store: &Store, person: &MemberId) -> Vec<PersonsSession> {
    sessions::of(store, person).await.expect("Redis runs")
}

fn ids(sessions: &[PersonsSession]) -> Vec<&str> {
    let ids = sessions
        .iter()
        .map(|session| session.key.id_sha256.as_str());
    ids.collect()
}

async fn indexed(store: &Store, person: &MemberId) -> Vec<IndexedSession> {
    let step = ReadSessionIndex {
        member: person.clone(),
    };
    store.run(&step).await.expect("Redis runs")
}

async fn key(redis: &RedisServer, pattern: &str) -> String {
    let mut keys: Vec<String> = redis.command(&["KEYS", pattern]).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    keys.remove(0)
}

#[tokio::test]
async fn a_person_has_their_own_sessions_the_newest_first() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let [person, other] = [new_openid(), new_openid()].map(|openid| member(&openid));
    assert_eq!(listed(&store, &person).await, []);
    let older = session(&person, ago(SignedDuration::from_mins(3)), false);
    let newer = session(&person, ago(SignedDuration::from_mins(2)), false);
    let elsewhere = attempts::realm("http://elsewhere", "default");
    begin(&store, "older", &older).await;
    begin_at(&store, &elsewhere, "newer", &newer).await;
    begin(&store, "others", &session(&other, older.begun_at, false)).await;
    // As a repeat of the same login does.
    begin(&store, "older", &older).await;
    let sessions = listed(&store, &person).await;
    assert_eq!(ids(&sessions), ["newer", "older"]);
    assert_eq!(sessions[0].key.site, Some(elsewhere.site));
    assert_eq!(sessions[1].place, older.place);
    assert_eq!(sessions[1].begun_at, older.begun_at);
    assert_eq!(sessions[1].last_seen_at, Some(older.begun_at));
}

#[tokio::test]
async fn a_session_remembers_when_it_was_used_and_not_that_it_was_looked_at() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let begun = session(&person, ago(SignedDuration::from_mins(5)), true);
    begin(&store, "one", &begun).await;
    assert_eq!(
        listed(&store, &person).await[0].last_seen_at,
        Some(begun.begun_at)
    );
    let before = ago(SignedDuration::ZERO);
    assert_eq!(use_it(&store, "one").await, Some(begun.clone()));
    let used = &listed(&store, &person).await[0];
    let seen_at = used.last_seen_at.expect("it was used");
    assert!(seen_at >= before, "{seen_at} and {before}");
    assert_eq!((used.begun_at, &used.place), (begun.begun_at, &begun.place));
    // Within the second nothing is written.
    let record = key(&redis, "wechat-login:session:*").await;
    let written: String = redis.command(&["GET", &record]).await;
    use_it(&store, "one").await;
    let left: i64 = redis.command(&["PTTL", &record]).await;
    assert!(left > 3_590_000, "{left} ms");
    let again: String = redis.command(&["GET", &record]).await;
    if Timestamp::now().duration_since(seen_at) < SignedDuration::from_millis(900) {
        assert_eq!(again, written);
    }
    // A later use replaces what an earlier one wrote.
    let long_ago = written.replace(
        &format!("\"last_seen_at_ms\":{}", seen_at.as_millisecond()),
        "\"last_seen_at_ms\":1",
    );
    assert_ne!(long_ago, written);
    let _: String = redis.command(&["SET", &record, &long_ago]).await;
    use_it(&store, "one").await;
    let again: String = redis.command(&["GET", &record]).await;
    assert_eq!(again.matches("last_seen_at_ms").count(), 1, "{again}");
    assert!(listed(&store, &person).await[0].last_seen_at >= Some(seen_at));
    let left: i64 = redis.command(&["PTTL", &record]).await;
    assert!((3_590_000..=3_600_000).contains(&left), "{left} ms");
}

#[tokio::test]
async fn a_session_is_used_in_a_full_redis_too() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let begun = session(&person, ago(SignedDuration::from_mins(5)), false);
    begin(&store, "one", &begun).await;
    let record = key(&redis, "wechat-login:session:*").await;
    let _: i64 = redis.command(&["PEXPIRE", &record, "60000"]).await;
    let _: String = redis.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(use_it(&store, "one").await, Some(begun));
    let left: i64 = redis.command(&["PTTL", &record]).await;
    assert!(left > 3_590_000, "using it prolongs it: {left} ms");
}

#[tokio::test]
async fn what_has_ended_leaves_the_index_when_it_is_read() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let begun_at = ago(SignedDuration::from_mins(1));
    for id in ["ended", "expired", "living"] {
        begin(&store, id, &session(&person, begun_at, false)).await;
    }
    let end = EndSession {
        member: None,
        site: Some(own_realm().site),
        id_sha256: "ended".to_owned(),
    };
    store.run(&end).await.expect("Redis runs");
    let expired = key(&redis, "wechat-login:session:*:expired}").await;
    let _: i64 = redis.command(&["DEL", &expired]).await;
    assert_eq!(indexed(&store, &person).await.len(), 3);
    assert_eq!(ids(&listed(&store, &person).await), ["living"]);
    assert_eq!(indexed(&store, &person).await.len(), 1);
}

#[tokio::test]
async fn the_index_ends_with_its_last_session_and_keeps_no_others() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let index = async |id: &str, ends_in_ms: i64| {
        let step = IndexSession {
            member: person.clone(),
            session: IndexedSession {
                site: Some(own_realm().site),
                id_sha256: id.to_owned(),
            },
            ends_at_ms: Timestamp::now().as_millisecond() + ends_in_ms,
        };
        store.run(&step).await.expect("Redis runs");
    };
    index("over", 60_000).await;
    index("late", 600_000).await;
    index("early", 300_000).await;
    let name = key(&redis, "wechat-login:sessions:*").await;
    let left: i64 = redis.command(&["PTTL", &name]).await;
    assert!((590_000..=600_000).contains(&left), "{left} ms");
    let over = format!("{}:over", own_realm().site.as_str());
    let _: i64 = redis.command(&["ZADD", &name, "1", &over]).await;
    index("early", 300_000).await;
    let kept = indexed(&store, &person).await;
    let kept: Vec<_> = kept.iter().map(|key| key.id_sha256.as_str()).collect();
    assert_eq!(kept, ["early", "late"]);
    // However often somebody logs in.
    for number in 0..1001 {
        index(&format!("many-{number}"), 1_000_000 + number).await;
    }
    let kept = indexed(&store, &person).await;
    assert_eq!(kept.len(), 1000);
    assert_eq!(kept[999].id_sha256, "many-1000");
    assert_eq!(kept[0].id_sha256, "many-1");
    index("over", -1).await;
    let _: i64 = redis.command(&["DEL", &name]).await;
    index("over", -1).await;
    assert_eq!(
        indexed(&store, &person).await,
        [],
        "what is over is no more"
    );
}

/// Redis counts in milliseconds, and two steps may fall into one.
async fn a_later_millisecond() {
    let now = Timestamp::now();
    while Timestamp::now() <= now + SignedDuration::from_millis(2) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn all_sessions_of_a_person_end_at_once_wherever_they_began() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let [person, other] = [new_openid(), new_openid()].map(|openid| member(&openid));
    let begun_at = ago(SignedDuration::from_mins(1));
    let elsewhere = attempts::realm("http://elsewhere", "default");
    begin(&store, "here", &session(&person, begun_at, false)).await;
    begin_at(
        &store,
        &elsewhere,
        "there",
        &session(&person, begun_at, false),
    )
    .await;
    begin(&store, "others", &session(&other, begun_at, false)).await;
    let ended = sessions::end_all(&store, &person, SessionEnd::Owner).await;
    let ended = ended.expect("Redis runs");
    assert_eq!(ended.len(), 2);
    assert_eq!(listed(&store, &person).await, []);
    assert_eq!(use_it(&store, "here").await, None);
    assert_eq!(ids(&listed(&store, &other).await), ["others"]);
    let again = sessions::end_all(&store, &person, SessionEnd::Owner).await;
    assert_eq!(again.expect("Redis runs"), []);
    // One that is written a moment later, for a login that was confirmed before.
    begin(&store, "late", &session(&person, begun_at, false)).await;
    assert_eq!(listed(&store, &person).await, []);
    a_later_millisecond().await;
    let next = session(&person, ago(SignedDuration::ZERO), false);
    begin(&store, "next", &next).await;
    assert_eq!(ids(&listed(&store, &person).await), ["next"]);
}

#[tokio::test]
async fn signing_out_everywhere_at_one_site_leaves_the_others() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let begun_at = ago(SignedDuration::from_mins(1));
    let elsewhere = attempts::realm("http://elsewhere", "default");
    begin(&store, "here", &session(&person, begun_at, false)).await;
    let there = session(&person, begun_at, false);
    begin_at(&store, &elsewhere, "there", &there).await;
    let end = EndAllSessions {
        member: person.clone(),
        site: Some(own_realm().site),
        lifetime: LIFETIME,
    };
    store.run(&end).await.expect("Redis runs");
    assert_eq!(ids(&listed(&store, &person).await), ["there"]);
}

#[tokio::test]
async fn one_session_ends_alone() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let begun_at = ago(SignedDuration::from_mins(1));
    for id in ["one", "two"] {
        begin(&store, id, &session(&person, begun_at, false)).await;
    }
    let sessions = listed(&store, &person).await;
    let one = sessions.iter().find(|one| one.key.id_sha256 == "one");
    let one = one.expect("it is listed");
    for _ in 0..2 {
        let ended = sessions::end_one(&store, &person, one, SessionEnd::SignedOut).await;
        ended.expect("Redis runs");
    }
    assert_eq!(ids(&listed(&store, &person).await), ["two"]);
    assert_eq!(use_it(&store, "one").await, None);
    assert!(use_it(&store, "two").await.is_some());
}

#[tokio::test]
async fn an_unfollow_ends_the_sessions_of_sites_that_say_so() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let at = Timestamp::now();
    let follow = RecordFollow {
        member: person.clone(),
        at,
        profile: None,
    };
    store.run(&follow).await.expect("Redis runs");
    let begun_at = ago(SignedDuration::ZERO);
    begin(&store, "strict", &session(&person, begun_at, true)).await;
    begin(&store, "lenient", &session(&person, begun_at, false)).await;
    assert_eq!(listed(&store, &person).await.len(), 2);
    a_later_millisecond().await;
    // Within the second of the follow, as WeChat counts it.
    let unfollow = RecordUnfollow {
        member: person.clone(),
        at,
    };
    store.run(&unfollow).await.expect("Redis runs");
    assert_eq!(ids(&listed(&store, &person).await), ["lenient"]);
    a_later_millisecond().await;
    // Who comes back without following, and WeChat's repeat of the same event.
    let next = session(&person, ago(SignedDuration::ZERO), true);
    begin(&store, "next", &next).await;
    a_later_millisecond().await;
    store.run(&unfollow).await.expect("Redis runs");
    assert_eq!(ids(&listed(&store, &person).await), ["next", "lenient"]);
}

/// A session that a version began which kept neither places nor an index.
#[tokio::test]
async fn a_session_of_the_version_before_is_listed_once_it_is_indexed() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    let begun_at = ago(SignedDuration::from_mins(1));
    let without_place = Session {
        place: None,
        ..session(&person, begun_at, false)
    };
    begin(&store, "before", &without_place).await;
    let older = format!(
        "{} {} {}",
        person.app_id.as_str(),
        person.openid.as_str(),
        begun_at.as_millisecond() - 1
    );
    let name = "wechat-login:session:{older}";
    let _: String = redis.command(&["SET", name, &older, "PX", "60000"]).await;
    let index = IndexSession {
        member: person.clone(),
        session: IndexedSession {
            site: None,
            id_sha256: "older".to_owned(),
        },
        ends_at_ms: begun_at.as_millisecond() + 600_000,
    };
    store.run(&index).await.expect("Redis runs");
    let sessions = listed(&store, &person).await;
    assert_eq!(ids(&sessions), ["before", "older"]);
    assert_eq!(sessions[0].place, None);
    assert_eq!(sessions[1].last_seen_at, None);
    let ended = sessions::end_all(&store, &person, SessionEnd::Banned).await;
    assert_eq!(ended.expect("Redis runs").len(), 2);
    let record: String = redis.command(&["GET", name]).await;
    assert_eq!(record, "ended 0");
}

/// A login is completed while its person's sessions end: it was confirmed before, and is over.
#[tokio::test]
async fn what_begins_while_all_end_ends_with_them_and_is_told() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    store.run(&OpenEvents).await.expect("Redis runs");
    let person = member(&new_openid());
    let begun = session(&person, ago(SignedDuration::from_mins(3)), false);
    begin(&store, "one", &begun).await;
    let ending = Ending::look(&store, &person, SessionEnd::Owner, |_| true);
    let ending = ending.await.expect("Redis runs");
    ending.tell().await.expect("Redis runs");
    begin(&store, "two", &begun).await;
    let end = EndAllSessions {
        member: person.clone(),
        site: None,
        lifetime: LIFETIME,
    };
    store.run(&end).await.expect("Redis runs");
    // Who looks at the list in between takes nothing away.
    assert_eq!(listed(&store, &person).await, []);
    let ended = ending.conclude().await.expect("Redis runs");
    assert_eq!(ended.len(), 2);
    assert_eq!(indexed(&store, &person).await, []);
    for id in ["one", "two"] {
        assert_eq!(use_it(&store, id).await, None);
    }
    let read = ReadEvents {
        after: Position::BEGINNING,
        limit: 10,
    };
    let told = store.run(&read).await.expect("Redis runs");
    let told: Vec<_> = told
        .iter()
        .map(|kept| kept.happening.as_ref().expect("it is told").more["session"].clone())
        .collect();
    assert_eq!(told, ["one", "two"]);
}
