//! What Redis keeps of the receivers of events: one gateway delivers, and nothing is lost or counted
//! twice when another one goes on.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    event::Position,
    steps::webhooks::{
        ForgetDeliveries, LeadWebhook, Leadership, LeaveWebhook, ListDeadLetters, ListPending,
        NoteFailure, ReadFailure, ReadRedeliveries, ReadWebhook, Redeliver, SettleDeliveries,
        SwitchOffWebhook, TakeEvents, Term,
    },
    webhook::{Attempts, Pending, Progress, Settled, Settlement, WebhookName},
};
use service_kit::redis::Store;
use system_tests::{log_folder, redis_server::RedisServer};

const LEASE: Duration = Duration::from_mins(1);

fn crm() -> WebhookName {
    "crm".to_owned().try_into().expect("a name")
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// A place this many seconds from now.
fn place(seconds: i64) -> Position {
    let base: Timestamp = "2100-01-01T00:00:00Z".parse().expect("a time");
    Position::at(base + SignedDuration::from_secs(seconds))
}

async fn lead(store: &Store, holder: &str, lease: Duration, address: &str) -> Leadership {
    let step = LeadWebhook {
        webhook: crm(),
        holder: holder.to_owned(),
        lease,
        running_for: Duration::ZERO,
        address: address.to_owned(),
    };
    store.run(&step).await.expect("Redis runs")
}

async fn leads(store: &Store, holder: &str) {
    let leadership = lead(store, holder, LEASE, "address").await;
    assert!(matches!(leadership, Leadership::Begun(_)), "{leadership:?}");
}

async fn take(store: &Store, holder: &str, events: &[Position]) -> bool {
    let step = TakeEvents {
        webhook: crm(),
        holder: holder.to_owned(),
        to: *events.last().expect("an event"),
        events: events.to_vec(),
        oldest: events.first().copied(),
    };
    store.run(&step).await.expect("Redis runs")
}

async fn settle(store: &Store, holder: &str, position: Position, outcome: Settled) -> bool {
    let step = SettleDeliveries {
        webhook: crm(),
        holder: holder.to_owned(),
        settled: vec![Settlement { position, outcome }],
        oldest: None,
    };
    store.run(&step).await.expect("Redis runs")
}

async fn progress(store: &Store) -> Progress {
    let found = store.run(&ReadWebhook { webhook: crm() }).await;
    found.expect("Redis runs").expect("somebody led")
}

async fn pending(store: &Store) -> Vec<Pending> {
    let list = ListPending {
        webhook: crm(),
        from: None,
    };
    let mut page = store.run(&list).await.expect("Redis runs");
    assert_eq!(page.next, None);
    page.found.sort_by_key(|pending| pending.position);
    page.found
}

async fn dead(store: &Store) -> Vec<Position> {
    let list = ListDeadLetters {
        webhook: crm(),
        from: None,
    };
    store.run(&list).await.expect("Redis runs").found
}

async fn redeliver(store: &Store, events: &[Position]) {
    let step = Redeliver {
        webhook: crm(),
        events: events.to_vec(),
        is_last: true,
    };
    store.run(&step).await.expect("Redis runs");
}

fn tried(failed: u32) -> Attempts {
    let due = Timestamp::from_millisecond(4_102_444_800_000).expect("a time");
    Attempts { failed, due }
}

#[tokio::test]
async fn one_leads_until_it_leaves_or_its_lease_ends() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    leads(&store, "one").await;
    assert_eq!(
        lead(&store, "two", LEASE, "address").await,
        Leadership::Taken
    );
    let again = lead(&store, "one", LEASE, "address").await;
    assert!(matches!(again, Leadership::Kept(_)), "{again:?}");
    let leave = |holder: &str| LeaveWebhook {
        webhook: crm(),
        holder: holder.to_owned(),
    };
    store.run(&leave("two")).await.expect("Redis runs");
    assert_eq!(
        lead(&store, "two", LEASE, "address").await,
        Leadership::Taken
    );
    store.run(&leave("one")).await.expect("Redis runs");
    let two = lead(&store, "two", Duration::ZERO, "address").await;
    assert!(matches!(two, Leadership::Begun(_)), "{two:?}");
    leads(&store, "three").await;
}

#[tokio::test]
async fn what_was_taken_is_taken_once_and_by_the_leader_alone() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    leads(&store, "one").await;
    let events = [place(1), place(2)];
    assert!(!take(&store, "two", &events).await);
    assert_eq!(pending(&store).await, []);
    assert!(take(&store, "one", &events).await);
    settle(&store, "one", place(1), Settled::Done).await;
    // Its answer got lost.
    assert!(take(&store, "one", &events).await);
    let left = [Pending {
        position: place(2),
        attempts: Attempts::NONE,
    }];
    assert_eq!(pending(&store).await, left);
    let progress = progress(&store).await;
    assert_eq!((progress.pending, progress.cursor), (1, place(2)));
}

#[tokio::test]
async fn what_a_receiver_has_it_has_and_failures_count_for_the_leader() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    leads(&store, "one").await;
    take(&store, "one", &[place(1), place(2), place(3)]).await;
    assert!(settle(&store, "one", place(2), Settled::Again(tried(1))).await);
    // Repeated, it counts once.
    settle(&store, "one", place(2), Settled::Again(tried(1))).await;
    assert_eq!(progress(&store).await.failures, 1);
    let of_another = settle(&store, "two", place(3), Settled::Again(tried(1))).await;
    assert!(!of_another);
    assert_eq!(progress(&store).await.failures, 1);
    assert!(!settle(&store, "two", place(1), Settled::Done).await);
    let left: Vec<Attempts> = pending(&store)
        .await
        .iter()
        .map(|left| left.attempts)
        .collect();
    assert_eq!(left, [tried(1), Attempts::NONE]);
    let given_up = Settled::Dead { at: now() };
    assert!(!settle(&store, "two", place(2), given_up).await);
    assert_eq!(dead(&store).await, []);
    assert!(settle(&store, "one", place(2), given_up).await);
    settle(&store, "one", place(2), given_up).await;
    assert_eq!(dead(&store).await, [place(2)]);
    let progress = progress(&store).await;
    assert_eq!((progress.pending, progress.dead_letters), (1, 1));
}

#[tokio::test]
async fn what_is_asked_for_again_is_due_at_once_dead_or_waiting() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    leads(&store, "one").await;
    take(&store, "one", &[place(1), place(2), place(3)]).await;
    settle(&store, "one", place(1), Settled::Dead { at: now() }).await;
    settle(&store, "one", place(2), Settled::Again(tried(5))).await;
    settle(&store, "one", place(3), Settled::Done).await;
    // What isn't taken yet comes anyway.
    redeliver(&store, &[place(1), place(2), place(3), place(4)]).await;
    let expected = [1, 2, 3].map(|second| Pending {
        position: place(second),
        attempts: Attempts::NONE,
    });
    assert_eq!(pending(&store).await, expected);
    let found = progress(&store).await;
    assert_eq!((found.pending, found.dead_letters), (3, 0));
    assert_eq!(found.oldest, Some(place(1)));
    let asked = store.run(&ReadRedeliveries { webhook: crm() }).await;
    assert_eq!(asked.expect("Redis runs"), 1);
    let forget = ForgetDeliveries {
        webhook: crm(),
        events: vec![place(1), place(2), place(4)],
    };
    for _ in 0..2 {
        store.run(&forget).await.expect("Redis runs");
        assert_eq!(progress(&store).await.pending, 1);
    }
}

#[tokio::test]
async fn a_receiver_that_wants_nothing_is_off_until_asked_or_elsewhere() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    leads(&store, "one").await;
    let at = Timestamp::from_millisecond(now().as_millisecond()).expect("a time");
    let off = |holder: &str| SwitchOffWebhook {
        webhook: crm(),
        holder: holder.to_owned(),
        at,
        address: "address".to_owned(),
    };
    let off_since = async |address: &str| {
        let Leadership::Kept(Term {
            switched_off_at, ..
        }) = lead(&store, "one", LEASE, address).await
        else {
            panic!("it leads");
        };
        switched_off_at
    };
    assert!(!store.run(&off("two")).await.expect("Redis runs"));
    assert_eq!(off_since("address").await, None);
    assert!(store.run(&off("one")).await.expect("Redis runs"));
    assert_eq!(off_since("address").await, Some(at));
    redeliver(&store, &[place(1)]).await;
    assert_eq!(off_since("address").await, None);
    store.run(&off("one")).await.expect("Redis runs");
    assert_eq!(off_since("another").await, None);
}

#[tokio::test]
async fn why_sending_failed_is_noted_by_the_one_that_leads() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let note = async |holder: &str, why: &str| {
        let step = NoteFailure {
            webhook: crm(),
            holder: holder.to_owned(),
            at: now(),
            why: why.to_owned(),
        };
        store.run(&step).await.expect("Redis runs")
    };
    assert!(!note("one", "503").await, "nobody leads");
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    assert_eq!(keys, [""; 0]);
    leads(&store, "one").await;
    assert!(note("one", "503").await);
    assert!(!note("two", "404").await);
    let read = ReadFailure { webhook: crm() };
    let failure = store.run(&read).await.expect("Redis runs");
    assert_eq!(failure.expect("it failed").1, "503");
}
