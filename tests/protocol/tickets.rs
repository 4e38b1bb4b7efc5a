//! Login tickets: redeemed once, by a repeat again for ten seconds, and told apart afterwards.

use std::sync::Arc;

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    method::Method,
    scene::Scene,
    site::SiteId,
    steps::{
        IssueTicket, Purpose, RecordScan, RedeemAttempt, RedeemTicket, Redemption, Session,
        TICKET_LIFETIME, TICKET_REPEATS, TakeTicket, TicketDelivery, TicketRedemption,
    },
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, member, new_openid, own_realm},
    log_folder,
    redis_server::RedisServer,
};
use tokio::task::JoinSet;

const TICKET: &str = "the-digest-of-a-ticket";

fn login() -> Session {
    let begun_at = Timestamp::from_millisecond(1_795_812_000_123).expect("a time");
    Session {
        member: member(&new_openid()),
        account: AccountName::default(),
        method: Method::Scan,
        begun_at,
        last_seen_at: begun_at,
        place: None,
        approval: None,
        client: None,
    }
}

async fn issue(store: &Store, login: &Session, delivery: TicketDelivery) {
    let step = IssueTicket {
        site: own_realm().site,
        ticket_sha256: TICKET.to_owned(),
        login: login.clone(),
        delivery,
    };
    store.run(&step).await.expect("Redis is running");
}

async fn take(store: &Store, taker: &str) -> bool {
    let step = TakeTicket {
        site: own_realm().site,
        ticket_sha256: TICKET.to_owned(),
        taker: taker.to_owned(),
    };
    store.run(&step).await.expect("Redis is running")
}

async fn redeem_at(store: &Store, site: SiteId) -> TicketRedemption {
    let step = RedeemTicket {
        site,
        ticket_sha256: TICKET.to_owned(),
    };
    store.run(&step).await.expect("Redis is running")
}

async fn redeem(store: &Store) -> TicketRedemption {
    redeem_at(store, own_realm().site).await
}

async fn key(redis: &RedisServer) -> String {
    let mut keys: Vec<String> = redis.command(&["KEYS", "wechat-login:ticket:*"]).await;
    assert_eq!(keys.len(), 1, "one ticket");
    keys.remove(0)
}

/// Moves what the ticket remembers into the past, as if this much time had gone by since.
async fn time_goes_by(redis: &RedisServer, milliseconds: u128) {
    let key = key(redis).await;
    let change = format!("-{milliseconds}");
    for field in ["expires_at_ms", "redeemed_at_ms"] {
        let known: i64 = redis.command(&["HEXISTS", &key, field]).await;
        if known == 1 {
            let _: i64 = redis.command(&["HINCRBY", &key, field, &change]).await;
        }
    }
}

#[tokio::test]
async fn a_ticket_is_redeemed_once_and_repeated_for_ten_seconds() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert_eq!(redeem(&store).await, TicketRedemption::Unknown);
    let login = login();
    issue(&store, &login, TicketDelivery::InTheAnswer).await;
    let redeemed = TicketRedemption::Redeemed(Box::new(login.clone()));
    assert_eq!(redeem(&store).await, redeemed);
    time_goes_by(&redis, TICKET_REPEATS.as_millis() - 2_000).await;
    assert_eq!(redeem(&store).await, redeemed);
    time_goes_by(&redis, 2_001).await;
    assert_eq!(redeem(&store).await, TicketRedemption::Used);
    // Not even another answer of its login brings it back.
    issue(&store, &login, TicketDelivery::InTheAnswer).await;
    assert_eq!(redeem(&store).await, TicketRedemption::Used);
    time_goes_by(&redis, TICKET_LIFETIME.as_millis()).await;
    assert_eq!(redeem(&store).await, TicketRedemption::Used);
}

#[tokio::test]
async fn a_ticket_expires_after_a_minute_and_that_is_told_for_minutes() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let login = login();
    issue(&store, &login, TicketDelivery::InTheAnswer).await;
    let lifetime = TICKET_LIFETIME.as_millis();
    time_goes_by(&redis, lifetime - 5_000).await;
    // Repeated because the first answer got lost, it has its whole minute.
    issue(&store, &login, TicketDelivery::InTheAnswer).await;
    time_goes_by(&redis, lifetime - 5_000).await;
    let redeemed = TicketRedemption::Redeemed(Box::new(login.clone()));
    assert_eq!(redeem(&store).await, redeemed);
    let key = key(&redis).await;
    let _: i64 = redis.command(&["DEL", &key]).await;

    issue(&store, &login, TicketDelivery::InTheAnswer).await;
    time_goes_by(&redis, lifetime).await;
    assert_eq!(redeem(&store).await, TicketRedemption::Expired);
    let left: u128 = redis.command(&["PTTL", &key]).await;
    assert!(left > lifetime + 5 * 60_000, "{left} ms");
}

#[tokio::test]
async fn a_repeat_within_its_window_is_answered_though_the_ticket_has_expired() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let login = login();
    issue(&store, &login, TicketDelivery::InTheAnswer).await;
    time_goes_by(&redis, TICKET_LIFETIME.as_millis() - 3_000).await;
    let redeemed = TicketRedemption::Redeemed(Box::new(login));
    assert_eq!(redeem(&store).await, redeemed);
    time_goes_by(&redis, TICKET_REPEATS.as_millis() - 3_000).await;
    assert_eq!(redeem(&store).await, redeemed);
}

#[tokio::test]
async fn a_ticket_is_good_at_its_site_alone() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    issue(&store, &login(), TicketDelivery::InTheAnswer).await;
    let other = attempts::realm("https://forum.example.com", "default").site;
    assert_eq!(redeem_at(&store, other).await, TicketRedemption::Unknown);
    assert!(matches!(
        redeem(&store).await,
        TicketRedemption::Redeemed(_)
    ));
}

#[tokio::test]
async fn a_ticket_that_waits_is_handed_out_once() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    assert!(!take(&store, "first").await);
    let login = login();
    issue(&store, &login, TicketDelivery::OnReturn).await;
    time_goes_by(&redis, TICKET_LIFETIME.as_millis() - 5_000).await;
    // A repeat of the same request, whose answer the connection lost.
    assert!(take(&store, "first").await);
    assert!(take(&store, "first").await);
    assert!(!take(&store, "second").await);
    // The redirect is followed once more.
    issue(&store, &login, TicketDelivery::OnReturn).await;
    assert!(!take(&store, "second").await);
    // Its minute began when it was handed out.
    time_goes_by(&redis, TICKET_LIFETIME.as_millis() - 5_000).await;
    assert_eq!(
        redeem(&store).await,
        TicketRedemption::Redeemed(Box::new(login))
    );
    assert!(!take(&store, "second").await);
}

#[tokio::test]
async fn a_ticket_that_nobody_came_for_is_handed_out_no_more() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    issue(&store, &login(), TicketDelivery::OnReturn).await;
    time_goes_by(&redis, TICKET_LIFETIME.as_millis()).await;
    assert!(!take(&store, "first").await);
    assert_eq!(redeem(&store).await, TicketRedemption::Expired);
}

#[tokio::test]
async fn a_ticket_of_an_answer_waits_for_nobody() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    issue(&store, &login(), TicketDelivery::InTheAnswer).await;
    assert!(!take(&store, "first").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redeemed_and_taken_at_once_it_is_still_one() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let replicas = [0; 3].map(|_| Arc::new(redis.store()));
    let login = login();
    issue(&replicas[0], &login, TicketDelivery::OnReturn).await;
    let mut takers = JoinSet::new();
    for number in 0..12 {
        let store = Arc::clone(&replicas[number % 3]);
        takers.spawn(async move { take(&store, &format!("taker {number}")).await });
    }
    let taken = takers.join_all().await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    let mut backends = JoinSet::new();
    for number in 0..12 {
        let store = Arc::clone(&replicas[number % 3]);
        backends.spawn(async move { redeem(&store).await });
    }
    let redeemed = TicketRedemption::Redeemed(Box::new(login));
    assert!(
        backends
            .join_all()
            .await
            .iter()
            .all(|seen| *seen == redeemed)
    );
}

async fn confirmed(store: &Store) -> Scene {
    let scene = attempts::open(store).await;
    let step = RecordScan {
        scene: scene.clone(),
        account: AccountName::default(),
        member: member(&new_openid()),
        approval: Approval::Scan,
    };
    store.run(&step).await.expect("Redis is running");
    scene
}

#[tokio::test]
async fn an_attempt_is_redeemed_for_one_purpose() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for (first, second) in [
        (Purpose::Session, Purpose::Ticket),
        (Purpose::Ticket, Purpose::Session),
    ] {
        let scene = confirmed(&store).await;
        let redeem = async |purpose| {
            let step = RedeemAttempt {
                scene: scene.clone(),
                realm: own_realm(),
                nonce: "a nonce".to_owned(),
                purpose,
            };
            store.run(&step).await.expect("Redis is running")
        };
        let redeemed = redeem(first).await;
        assert!(matches!(redeemed, Redemption::Redeemed(_)), "{first:?}");
        let refused = Redemption::Refused(AttemptStatus::Consumed);
        assert_eq!(redeem(second).await, refused, "{second:?}");
        assert_eq!(redeem(first).await, redeemed, "{first:?}");
    }
}
