//! The store: scripts that Redis forgot, a Redis that restarts, errors that say no secret.

use std::os::unix::fs::symlink;

use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    steps::{ReadStatus, RecordFollow, RecordScan, ScanEffect, ScanOutcome},
};
use rustix::process::Signal;
use secrecy::SecretString;
use service_kit::{problem::Problem, redis::Store};
use system_tests::{
    attempts::{self, member, new_openid},
    log_folder,
    redis_server::RedisServer,
};

const PASSWORD: &str = "hunter2hunter2";

fn scan(scene: &login_protocol::scene::Scene, openid: &str) -> RecordScan {
    RecordScan {
        scene: scene.clone(),
        account: AccountName::default(),
        member: member(openid),
        approval: Approval::Scan,
    }
}

/// What such a scan comes to at a site without a name.
fn nameless(effect: ScanEffect) -> ScanOutcome {
    ScanOutcome {
        effect,
        site_name: None,
    }
}

fn follow(openid: &str) -> RecordFollow {
    RecordFollow {
        member: member(openid),
        at: jiff::Timestamp::now(),
        profile: None,
    }
}

/// How often Redis was asked this, since its statistics were reset.
async fn calls(redis: &RedisServer, command: &str) -> u32 {
    let statistics: String = redis.command(&["INFO", "commandstats"]).await;
    let line = statistics
        .lines()
        .find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|line| line.split(',').next())
        .map_or(0, |count| count.parse().expect("a number"))
}

#[tokio::test]
async fn a_script_that_redis_forgot_is_sent_again_once() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    for flush in [false, true] {
        if flush {
            let _: String = redis.command(&["SCRIPT", "FLUSH"]).await;
        }
        let _: String = redis.command(&["CONFIG", "RESETSTAT"]).await;
        for _ in 0..5 {
            attempts::open(&store).await;
        }
        assert_eq!(calls(&redis, "eval").await, 1);
        assert_eq!(calls(&redis, "evalsha").await, 5);
    }
}

#[tokio::test]
async fn pairs_and_lists_of_steps_survive_forgotten_scripts() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let scenes = [attempts::open(&store).await, attempts::open(&store).await];
    let person = new_openid();
    // One of the pair is known to Redis, the other isn't.
    store.run(&follow(&person)).await.unwrap();
    let ((), effect) = store
        .run_both(&follow(&person), &scan(&scenes[0], &person))
        .await
        .unwrap();
    assert_eq!(
        effect,
        nameless(ScanEffect::Accepted(AttemptStatus::Confirmed))
    );

    let _: String = redis.command(&["SCRIPT", "FLUSH"]).await;
    let steps: Vec<RecordScan> = scenes.iter().map(|scene| scan(scene, &person)).collect();
    assert_eq!(
        store.run_all(&steps).await.unwrap(),
        [
            nameless(ScanEffect::Repeated(AttemptStatus::Confirmed)),
            nameless(ScanEffect::Accepted(AttemptStatus::Confirmed))
        ]
    );
    assert!(store.run_all::<RecordScan>(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_store_goes_on_after_redis_restarts() {
    let mut redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let scene = attempts::open(&store).await;
    // Not even the first step afterwards fails, and what was stored is there.
    redis.restart().await;
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );

    redis.kill();
    let read = ReadStatus {
        scene: scene.clone(),
        realm: attempts::own_realm(),
    };
    assert!(store.run(&read).await.is_err());
    assert!(store.ping().await.is_err());
    redis.restart().await;
    let person = new_openid();
    assert_eq!(
        store.run(&scan(&scene, &person)).await.unwrap(),
        nameless(ScanEffect::Accepted(AttemptStatus::Confirmed))
    );
}

#[tokio::test]
async fn a_redis_that_hangs_is_an_error_and_no_endless_wait() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let scene = attempts::open(&store).await;
    redis.process.signal(Signal::STOP);
    let began = std::time::Instant::now();
    let read = ReadStatus {
        scene: scene.clone(),
        realm: attempts::own_realm(),
    };
    assert!(store.run(&read).await.is_err());
    let waited = began.elapsed();
    assert!(waited.as_secs_f32() < 4.0, "{waited:?}");
    redis.process.signal(Signal::CONT);
    assert_eq!(
        attempts::status(&store, &scene).await,
        AttemptStatus::Pending
    );
}

#[tokio::test]
async fn no_error_says_the_password() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let _: String = redis
        .command(&["CONFIG", "SET", "requirepass", "another password"])
        .await;
    for url in [
        format!("redis://:{PASSWORD}@127.0.0.1:1/0"),
        format!("redis://user:{PASSWORD}@127.0.0.1:1/0"),
        format!("rediss://:{PASSWORD}@127.0.0.1:1/0"),
        format!("redis+unix:///no/such/socket?pass={PASSWORD}"),
        format!("{}?pass={PASSWORD}", redis.url()),
    ] {
        service_kit::http_client::install_tls();
        let store = Store::new(&SecretString::from(url)).unwrap();
        let ping = store.ping().await.expect_err("nobody is there");
        let listen = store
            .subscribe(&["x"])
            .await
            .err()
            .expect("nobody is there");
        for error in [ping, listen] {
            let said = format!("{error} {error:?}");
            let said = format!("{said} {:?}", Problem::from(error));
            assert!(!said.contains(PASSWORD), "{said}");
        }
    }
}

#[tokio::test]
async fn what_another_program_wrote_is_an_error_and_no_status() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let scene = attempts::open(&store).await;
    let keys: Vec<String> = redis.command(&["KEYS", "*"]).await;
    let _: i64 = redis
        .command(&["HSET", &keys[0], "status", "levitating"])
        .await;
    let read = ReadStatus {
        scene: scene.clone(),
        realm: attempts::own_realm(),
    };
    assert!(store.run(&read).await.is_err());
    let _: String = redis.command(&["SET", &keys[0], "text"]).await;
    assert!(store.run(&read).await.is_err());
    assert!(
        store.run(&scan(&scene, &new_openid())).await.is_err(),
        "a script on a key of another type"
    );
}

#[tokio::test]
async fn a_primary_that_became_a_replica_is_left_for_the_new_one() {
    let old = RedisServer::start(&log_folder::create()).await;
    let new = RedisServer::start(&log_folder::create()).await;
    let socket = |redis: &RedisServer| redis.url().replace("redis+unix://", "");
    // One name for whichever is the primary, as hosted Redis has it.
    let name = format!("{}-of-the-primary", socket(&old));
    symlink(socket(&old), &name).expect("a link can be made");
    let url = SecretString::from(format!("redis+unix://{name}"));
    let store = Store::new(&url).expect("the address is good");
    attempts::open(&store).await;

    // The old one keeps its connections.
    let _: String = old.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    std::fs::remove_file(&name).expect("a link can be removed");
    symlink(socket(&new), &name).expect("a link can be made");
    let scene = attempts::open(&store).await;
    assert_eq!(
        attempts::status(&new.store(), &scene).await,
        AttemptStatus::Pending
    );
}
