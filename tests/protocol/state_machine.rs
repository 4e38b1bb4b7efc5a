//! The scripts and the state machine in Rust, run against each other: every status, every move.

use std::{path::PathBuf, time::Duration};

use login_protocol::{
    account::AccountName,
    attempt::{Approval, AttemptStatus, Move},
    scene::Scene,
    status_change::StatusChange,
    steps::{CancelAttempt, RecordScan, Redemption, RefuseAttempt, RefuseScan, ScanEffect},
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, LIFETIME, member, new_openid},
    log_folder,
    news::News,
    redis_server::RedisServer,
};

/// The moves that have a step. Confirming and denying on the phone have none.
const MOVES: [Move; 6] = [
    Move::Scan(Approval::Scan),
    Move::Scan(Approval::Tap),
    Move::Refuse,
    Move::Redeem,
    Move::Cancel,
    Move::Expire,
];

struct Model {
    redis: RedisServer,
    store: Store,
    /// Who scanned first.
    first: String,
    _log: PathBuf,
}

impl Model {
    async fn start() -> Self {
        let log = log_folder::create();
        let redis = RedisServer::start(&log).await;
        Self {
            store: redis.store(),
            redis,
            first: new_openid(),
            _log: log,
        }
    }

    async fn scan(&self, scene: &Scene, openid: &str, approval: Approval) -> ScanEffect {
        let step = RecordScan {
            scene: scene.clone(),
            account: AccountName::default(),
            member: member(openid),
            approval,
        };
        let scanned = self.store.run(&step).await.expect("Redis is running");
        scanned.effect
    }

    async fn cancel(&self, scene: &Scene) {
        let step = CancelAttempt {
            scene: scene.clone(),
            realm: attempts::own_realm(),
        };
        self.store.run(&step).await.expect("Redis is running");
    }

    /// An attempt that stands here, brought there by steps wherever one leads there.
    async fn attempt_in(&self, status: AttemptStatus) -> Scene {
        let scene = attempts::new_scene();
        if status == AttemptStatus::Expired {
            return scene;
        }
        attempts::open_again(&self.store, &scene, LIFETIME).await;
        match status {
            AttemptStatus::Pending | AttemptStatus::Expired => {}
            AttemptStatus::Scanned => {
                self.scan(&scene, &self.first, Approval::Tap).await;
            }
            AttemptStatus::Denied => {
                self.scan(&scene, &self.first, Approval::Tap).await;
                let key = self.key(&scene).await;
                let _: i64 = self
                    .redis
                    .command(&["HSET", &key, "status", "denied"])
                    .await;
            }
            AttemptStatus::Confirmed | AttemptStatus::Consumed => {
                self.scan(&scene, &self.first, Approval::Scan).await;
                if status == AttemptStatus::Consumed {
                    attempts::redeem(&self.store, &scene, "first nonce").await;
                }
            }
        }
        assert_eq!(attempts::status(&self.store, &scene).await, status);
        scene
    }

    async fn key(&self, scene: &Scene) -> String {
        let pattern = format!("wechat-login:attempt:*{}*", scene.as_str());
        let keys: Vec<String> = self.redis.command(&["KEYS", &pattern]).await;
        assert_eq!(keys.len(), 1, "an attempt has one key");
        keys[0].clone()
    }

    /// Makes the move by the person who scanned first and says whether it was accepted.
    async fn make(&self, step: Move, scene: &Scene, from: AttemptStatus) -> bool {
        match step {
            Move::Scan(approval) => match self.scan(scene, &self.first, approval).await {
                ScanEffect::Accepted(after) => {
                    assert_eq!(Ok(after), from.after(step));
                    true
                }
                ScanEffect::Repeated(status) => {
                    assert_eq!(status, from);
                    false
                }
                ScanEffect::Gone => {
                    assert_eq!(from, AttemptStatus::Expired);
                    false
                }
                other @ (ScanEffect::Taken | ScanEffect::Elsewhere) => {
                    panic!("from {from}: nobody else has scanned: {other:?}")
                }
            },
            Move::Refuse if from == AttemptStatus::Pending => {
                let step = RefuseScan {
                    scene: scene.clone(),
                    account: AccountName::default(),
                    member: member(&self.first),
                };
                let refused = self.store.run(&step).await.expect("Redis is running");
                refused.effect == ScanEffect::Accepted(AttemptStatus::Denied)
            }
            Move::Refuse => {
                let step = RefuseAttempt {
                    scene: scene.clone(),
                    member: member(&self.first),
                };
                self.store.run(&step).await.expect("Redis is running")
            }
            Move::Redeem => match attempts::redeem(&self.store, scene, "second nonce").await {
                Redemption::Redeemed(identified) => {
                    assert_eq!(identified.member, member(&self.first));
                    // A repeat within the window is an answer and no move.
                    let repeated = identified.nonce == "first nonce";
                    assert_eq!(repeated, from == AttemptStatus::Consumed);
                    !repeated
                }
                Redemption::Refused(status) => {
                    assert_eq!(status, from);
                    false
                }
                Redemption::Banned => panic!("from {from}: nobody is banned"),
            },
            Move::Cancel => {
                self.cancel(scene).await;
                attempts::status(&self.store, scene).await != from
            }
            Move::Expire => {
                if from == AttemptStatus::Expired {
                    return false;
                }
                let key = self.key(scene).await;
                let ended: i64 = self.redis.command(&["PEXPIRE", &key, "0"]).await;
                ended == 1
            }
            Move::Confirm | Move::Deny => unreachable!("they have no step"),
        }
    }
}

#[tokio::test]
async fn redis_and_the_state_machine_agree_on_every_move_from_every_status() {
    let model = Model::start().await;
    let mut news = News::listen(&model.store).await;
    for from in AttemptStatus::ALL {
        for step in MOVES {
            let scene = model.attempt_in(from).await;
            news.so_far(&model.redis).await;
            let accepted = model.make(step, &scene, from).await;
            let expected = from.after(step);
            assert_eq!(accepted, expected.is_ok(), "{from}: {step:?}");
            let now = attempts::status(&model.store, &scene).await;
            assert_eq!(now, expected.unwrap_or(from), "{from}: {step:?}");

            let published = news.so_far(&model.redis).await;
            // Redis itself ends a lifetime, and tells nobody.
            let told = expected.is_ok() && step != Move::Expire;
            let change = StatusChange { scene, status: now };
            let expected_news = if told { vec![change] } else { Vec::new() };
            assert_eq!(published, expected_news, "{from}: {step:?}");
        }
    }
}

#[tokio::test]
async fn a_second_person_changes_nothing_from_any_status() {
    let model = Model::start().await;
    for from in AttemptStatus::ALL {
        for approval in [Approval::Scan, Approval::Tap] {
            if from == AttemptStatus::Pending {
                continue;
            }
            let scene = model.attempt_in(from).await;
            let expected = if from == AttemptStatus::Expired {
                ScanEffect::Gone
            } else {
                ScanEffect::Taken
            };
            assert_eq!(model.scan(&scene, &new_openid(), approval).await, expected);
            assert_eq!(attempts::status(&model.store, &scene).await, from);
        }
    }
}

#[tokio::test]
async fn opening_an_attempt_again_changes_nothing() {
    let model = Model::start().await;
    for from in AttemptStatus::ALL {
        if from == AttemptStatus::Expired {
            continue;
        }
        let scene = model.attempt_in(from).await;
        let key = model.key(&scene).await;
        attempts::open_again(&model.store, &scene, LIFETIME * 100).await;
        assert_eq!(attempts::status(&model.store, &scene).await, from);
        let left: u128 = model.redis.command(&["PTTL", &key]).await;
        assert!(left <= LIFETIME.as_millis(), "{from}: {left} ms");
    }
}

#[tokio::test]
async fn a_confirmed_attempt_lives_long_enough_to_be_redeemed() {
    let model = Model::start().await;
    let short = Duration::from_secs(5);
    for (approval, extended) in [(Approval::Scan, true), (Approval::Tap, false)] {
        let scene = attempts::new_scene();
        attempts::open_again(&model.store, &scene, short).await;
        model.scan(&scene, &model.first, approval).await;
        let key = model.key(&scene).await;
        let left: u128 = model.redis.command(&["PTTL", &key]).await;
        assert_eq!(
            left > short.as_millis(),
            extended,
            "{approval:?}: {left} ms"
        );
    }
}

#[tokio::test]
async fn a_scan_never_shortens_an_attempts_life() {
    let model = Model::start().await;
    let scene = model.attempt_in(AttemptStatus::Consumed).await;
    let key = model.key(&scene).await;
    let left: u128 = model.redis.command(&["PTTL", &key]).await;
    assert!(left > Duration::from_mins(4).as_millis(), "{left} ms");
}

#[tokio::test]
async fn nothing_of_an_attempt_outlives_it() {
    let model = Model::start().await;
    for status in AttemptStatus::ALL {
        model.attempt_in(status).await;
    }
    let keys: Vec<String> = model.redis.command(&["KEYS", "*"]).await;
    assert_eq!(keys.len(), 5);
    for key in keys {
        let left: i64 = model.redis.command(&["PTTL", &key]).await;
        assert!(left > 0, "{key} has no end");
    }
}
