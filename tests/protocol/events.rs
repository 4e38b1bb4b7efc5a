//! The stream of events: each occasion once, in order, and closed when nothing is to be kept.

use login_protocol::{
    account::AccountName,
    event::{EventKind, Happening, Occasion, Position},
    identity::MemberId,
    session_end::SessionEnd,
    steps::{
        AppendEvent, Appended, BlankEvent, CloseEvents, Denial, EndingSession, FillEvent,
        OpenEvents, ReadEvents, TrimEvents,
    },
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, member, new_openid},
    log_folder,
    redis_server::RedisServer,
};

fn followed(person: &MemberId, occasion: &str) -> AppendEvent {
    const KIND: EventKind = EventKind::MemberFollowed;
    AppendEvent {
        occasion: Occasion::of(KIND, person, &[occasion]),
        happening: Happening::new(KIND, AccountName::default(), person),
        opens: false,
    }
}

async fn append(store: &Store, append: &AppendEvent) -> Appended {
    store.run(append).await.expect("Redis runs")
}

async fn kinds(store: &Store) -> Vec<EventKind> {
    let read = ReadEvents {
        after: Position::BEGINNING,
        limit: 100,
    };
    let found = store.run(&read).await.expect("Redis runs");
    let happenings = found.into_iter().filter_map(|kept| kept.happening);
    happenings.map(|happening| happening.kind).collect()
}

#[tokio::test]
async fn an_occasion_is_told_once_and_only_while_the_stream_is_open() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    assert_eq!(append(&store, &followed(&person, "1")).await, Appended::Off);
    store.run(&OpenEvents).await.expect("Redis runs");
    let first = append(&store, &followed(&person, "1")).await;
    assert!(matches!(first, Appended::Now(_)), "{first:?}");
    let again = append(&store, &followed(&person, "1")).await;
    let second = append(&store, &followed(&person, "2")).await;
    let (Appended::Now(first), Appended::Now(second)) = (first, second) else {
        panic!("{second:?}");
    };
    assert_eq!(again, Appended::Before(first));
    // Also behind a later one.
    assert_eq!(
        append(&store, &followed(&person, "1")).await,
        Appended::Before(first)
    );
    assert!(first < second);
    assert_eq!(kinds(&store).await.len(), 2);
    for was_there in [true, false] {
        assert_eq!(
            store.run(&CloseEvents).await.expect("Redis runs"),
            was_there
        );
    }
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    assert_eq!(keys, [""; 0]);
    assert_eq!(append(&store, &followed(&person, "3")).await, Appended::Off);
}

#[tokio::test]
async fn what_is_too_old_goes_and_no_more() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let person = member(&new_openid());
    store.run(&OpenEvents).await.expect("Redis runs");
    append(&store, &followed(&person, "1")).await;
    let Appended::Now(second) = append(&store, &followed(&person, "2")).await else {
        panic!("it is new");
    };
    let trim = TrimEvents {
        oldest: second,
        oldest_repeat: Position::BEGINNING,
    };
    assert_eq!(store.run(&trim).await.expect("Redis runs"), 1);
    let read = ReadEvents {
        after: Position::BEGINNING,
        limit: 100,
    };
    let left = store.run(&read).await.expect("Redis runs");
    let places: Vec<Position> = left.iter().map(|kept| kept.position).collect();
    assert_eq!(places, [second]);
    // Its repeats are recognised for longer than it is kept.
    let again = append(&store, &followed(&person, "1")).await;
    assert!(matches!(again, Appended::Before(_)), "{again:?}");
    assert_eq!(store.run(&trim).await.expect("Redis runs"), 0);
}

#[tokio::test]
async fn a_session_ends_once_whatever_ends_it_next() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    store.run(&OpenEvents).await.expect("Redis runs");
    let person = member(&new_openid());
    let account = AccountName::default();
    let ending = |id_sha256| EndingSession {
        member: &person,
        account: &account,
        id_sha256,
        site_name: None,
        client: None,
    };
    let told = |id, reason| AppendEvent::of_session_end(&ending(id), reason);
    let first = told("one", SessionEnd::Replaced).expect("it is told");
    let Appended::Now(place) = append(&store, &first).await else {
        panic!("it is new");
    };
    let again = told("one", SessionEnd::Banned).expect("it is told");
    assert_eq!(append(&store, &again).await, Appended::Before(place));
    let other = told("two", SessionEnd::Owner).expect("it is told");
    assert!(matches!(append(&store, &other).await, Appended::Now(_)));
    assert!(told("one", SessionEnd::Deleted).is_none());
}

#[tokio::test]
async fn what_was_taken_back_is_not_filled_in_and_is_told_if_it_happens_after_all() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    store.run(&OpenEvents).await.expect("Redis runs");
    let person = member(&new_openid());
    let account = AccountName::default();
    let denied = AppendEvent::of_denial(&account, &person, &attempts::new_scene(), Denial::Person);
    append(&store, &denied).await;
    let read = ReadEvents {
        after: Position::BEGINNING,
        limit: 1,
    };
    let found = store.run(&read).await.expect("Redis runs").remove(0);
    let blank = BlankEvent {
        found: found.clone(),
    };
    assert!(store.run(&blank).await.expect("Redis runs"));
    let fill = FillEvent {
        happening: denied.happening.clone().with_member(None, None),
        found,
    };
    assert!(!store.run(&fill).await.expect("Redis runs"));
    assert_eq!(kinds(&store).await, []);
    // The stream is open as before, and the place stays taken.
    let Appended::Now(again) = append(&store, &denied).await else {
        panic!("it is new");
    };
    assert!(again > blank.found.position);
    assert_eq!(kinds(&store).await, [EventKind::LoginDenied]);
}
