//! Digits: never given twice, as many as a guess can stand, and judged once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use login_protocol::{
    digits::{self, Digits},
    identity::AppId,
    scene::Scene,
    steps::{AreDigitsGiven, BindDigits, JudgeGuess, ReadDigits, ReserveDigits, Verdict},
};
use service_kit::{random, redis::Store};
use system_tests::{
    attempts::{LIFETIME, member, new_openid, new_scene},
    log_folder,
    redis_server::RedisServer,
    stack::APP_ID,
};
use tokio::task::JoinSet;

const WINDOW: Duration = Duration::from_mins(10);

fn app_id() -> AppId {
    AppId::parse(APP_ID).expect("it is an AppID")
}

async fn reserve(store: &Store, lifetime: Duration) -> Digits {
    let step = ReserveDigits {
        app_id: app_id(),
        candidates: digits::candidates(random::bytes().expect("there are random bytes")),
        lifetime,
    };
    let given = store.run(&step).await.expect("Redis is running");
    given.expect("some are free")
}

/// Gives digits to an attempt, as the gateway does.
async fn give(store: &Store, scene: &Scene) -> Digits {
    let digits = reserve(store, LIFETIME).await;
    let bind = BindDigits {
        app_id: app_id(),
        digits: digits.clone(),
        scene: scene.clone(),
        lifetime: LIFETIME,
    };
    store.run(&bind).await.expect("Redis is running");
    digits
}

async fn read(store: &Store, digits: &str) -> Option<Scene> {
    let step = ReadDigits {
        app_id: app_id(),
        digits: Digits::read(digits).expect("they are digits"),
    };
    store.run(&step).await.expect("Redis is running")
}

async fn judge(store: &Store, openid: &str, message: &str, scene: Option<&Scene>) -> Verdict {
    let step = JudgeGuess {
        member: member(openid),
        message: message.to_owned(),
        scene: scene.cloned(),
    };
    let judged = store.run(&step).await.expect("Redis is running");
    judged.verdict
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_attempts_get_the_same_and_more_attempts_get_longer_ones() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let replicas = [0; 3].map(|_| Arc::new(redis.store()));
    let mut running = JoinSet::new();
    for replica in 0..12 {
        let store = Arc::clone(&replicas[replica % replicas.len()]);
        running.spawn(async move {
            let mut given = Vec::new();
            for _ in 0..100 {
                given.push(reserve(&store, LIFETIME).await.as_str().to_owned());
            }
            given
        });
    }
    let given: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    let different: BTreeSet<&String> = given.iter().collect();
    assert_eq!(different.len(), 1200);
    let mut lengths = BTreeMap::<usize, u32>::new();
    for digits in &given {
        *lengths.entry(digits.len()).or_default() += 1;
    }
    // 100 of six digits, 1,000 in all of up to seven.
    assert_eq!(lengths, BTreeMap::from([(6, 100), (7, 900), (8, 200)]));
}

#[tokio::test]
async fn a_taken_candidate_is_passed_over() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let among = |candidates: &[&str]| ReserveDigits {
        app_id: app_id(),
        candidates: candidates.iter().map(ToString::to_string).collect(),
        lifetime: LIFETIME,
    };
    let first = store.run(&among(&["111111000000", "222222000000"])).await;
    assert_eq!(first.unwrap().unwrap().as_str(), "111111");
    let second = store.run(&among(&["111111999999", "222222000000"])).await;
    assert_eq!(second.unwrap().unwrap().as_str(), "222222");
    let none = store.run(&among(&["111111999999", "222222999999"])).await;
    assert_eq!(none.unwrap(), None);
    // Another account's digits are others.
    let other = ReserveDigits {
        app_id: AppId::parse("wx00000000000other").expect("it is an AppID"),
        ..among(&["111111000000"])
    };
    assert_eq!(store.run(&other).await.unwrap().unwrap().as_str(), "111111");
}

#[tokio::test]
async fn digits_are_free_again_when_their_attempt_is_long_over() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let are_given = AreDigitsGiven { app_id: app_id() };
    assert!(!store.run(&are_given).await.unwrap());
    let scene = new_scene();
    let digits = give(&store, &scene).await;
    assert!(store.run(&are_given).await.unwrap());
    assert_eq!(read(&store, digits.as_str()).await, Some(scene));
    // The attempt's life, a minute to redeem it, and one to repeat that.
    let life = LIFETIME.as_millis() + 120_000;
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:digits*"]).await;
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in &keys {
        let left: u128 = redis.command(&["PTTL", key]).await;
        assert!((life - 20_000..=life).contains(&left), "{key}: {left}");
    }
    // As if that time had passed.
    let given = keys.iter().find(|key| key.contains("given")).unwrap();
    let _: i64 = redis.command(&["ZADD", given, "1", digits.as_str()]).await;
    let again = ReserveDigits {
        app_id: app_id(),
        candidates: vec![format!("{}000000", digits.as_str())],
        lifetime: LIFETIME,
    };
    assert_eq!(store.run(&again).await.unwrap(), Some(digits));
}

#[tokio::test]
async fn five_wrong_guesses_lock_a_person_until_the_first_is_ten_minutes_old() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let (person, other) = (new_openid(), new_openid());
    let scene = new_scene();
    assert_eq!(
        judge(&store, &person, "right", Some(&scene)).await,
        Verdict::Right(scene.clone()),
        "what is right doesn't count"
    );
    for message in 0..5 {
        let wrong = judge(&store, &person, &format!("wrong {message}"), None).await;
        assert_eq!(wrong, Verdict::Wrong, "{message}");
    }
    for scene in [None, Some(&scene)] {
        let locked = judge(&store, &person, &format!("late {scene:?}"), scene).await;
        assert_eq!(locked, Verdict::Locked);
    }
    // What was judged before stays as it was judged.
    assert_eq!(
        judge(&store, &person, "right", None).await,
        Verdict::Right(scene.clone())
    );
    assert_eq!(
        judge(&store, &person, "wrong 0", Some(&scene)).await,
        Verdict::Wrong
    );
    assert_eq!(
        judge(&store, &other, "one", Some(&scene)).await,
        Verdict::Right(scene.clone()),
        "another person isn't locked"
    );

    // As if the first were ten minutes old: one more guess is looked at.
    let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:guesses:*"]).await;
    let key = keys.iter().find(|key| key.contains(&person)).unwrap();
    let long_ago = jiff::Timestamp::now().as_millisecond() - 600_000;
    let _: i64 = redis
        .command(&["HSET", key, "wrong 0", &format!("{long_ago} ")])
        .await;
    assert_eq!(judge(&store, &person, "sixth", None).await, Verdict::Wrong);
    assert_eq!(
        judge(&store, &person, "seventh", Some(&scene)).await,
        Verdict::Locked
    );
    let left: u128 = redis.command(&["PTTL", key]).await;
    assert!(left <= WINDOW.as_millis(), "{left}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats_of_a_message_at_once_are_one_guess() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let replicas = [0; 3].map(|_| Arc::new(redis.store()));
    let person = new_openid();
    let scene = new_scene();
    // Each message three times; the digits become live in between.
    for message in 0..5 {
        let mut running = JoinSet::new();
        for (replica, known) in replicas.iter().zip([None, Some(&scene), None]) {
            let store = Arc::clone(replica);
            let (person, known) = (person.clone(), known.cloned());
            running.spawn(async move {
                judge(&store, &person, &message.to_string(), known.as_ref()).await
            });
        }
        let verdicts = running.join_all().await;
        assert!(
            verdicts.iter().all(|verdict| *verdict == verdicts[0]),
            "{verdicts:?}"
        );
    }
}

/// An attacker who has fifty people guess for an hour against a thousand attempts, which change all
/// the time. Each guess hits with 1 in 10,000 at most.
#[tokio::test]
async fn fifty_guessers_in_an_hour_hit_as_seldom_as_computed() {
    const PEOPLE: u32 = 50;
    const ATTEMPTS: usize = 1000;
    const TURNS: u32 = 6;
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let mut live = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        live.insert(give(&store, &new_scene()).await.as_str().to_owned());
    }
    assert_eq!(live.len(), ATTEMPTS);
    let people: Vec<String> = (0..PEOPLE).map(|_| new_openid()).collect();
    let (mut looked_at, mut hits) = (0_u32, 0_u32);
    for turn in 0..TURNS {
        // Ten minutes later, everything that they guessed is forgotten.
        let keys: Vec<String> = redis.command(&["KEYS", "wechat-login:guesses:*"]).await;
        for key in keys {
            let _: i64 = redis.command(&["DEL", &key]).await;
        }
        for person in &people {
            for guess in 0..20 {
                // Seven digits, of which most attempts have as many: the best that they can do.
                let drawn = digits::candidates(random::bytes().expect("there are random bytes"));
                let scene = read(&store, &drawn[0][..7]).await;
                let message = format!("{turn} {guess}");
                match judge(&store, person, &message, scene.as_ref()).await {
                    Verdict::Right(_) => {
                        looked_at += 1;
                        hits += 1;
                    }
                    Verdict::Wrong => looked_at += 1,
                    Verdict::Locked => {}
                }
            }
        }
    }
    // Who hit may guess once more; nobody else has a sixth guess in ten minutes.
    assert!(looked_at <= PEOPLE * TURNS * 5 + hits, "{looked_at}");
    assert!(looked_at >= PEOPLE * TURNS * 5, "{looked_at}");
    // 1,500 guesses at 0.9 in 10,000 each are 0.135 hits; six or more are less likely than one in
    // a hundred million.
    assert!(hits < 6, "{hits} of {looked_at}");
}
