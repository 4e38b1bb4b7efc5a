//! Whatever order people and browsers come in, the login is one person's, once.

use std::{collections::BTreeSet, sync::Arc};

use login_protocol::{
    account::AccountName,
    attempt::Approval,
    scene::Scene,
    steps::{CancelAttempt, Purpose, RecordScan, RedeemAttempt, Redemption, ScanEffect},
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, member},
    log_folder,
    redis_server::RedisServer,
};
use tokio::task::JoinSet;

/// Marsaglia's xorshift: a failure names the seed, which replays it.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("it is below a usize")
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Scan { person: usize },
    Redeem { nonce: usize },
    Cancel,
}

#[derive(Debug)]
enum Saw {
    Scan { person: usize, effect: ScanEffect },
    Redeem(Redemption),
    Cancel,
}

fn openid(person: usize) -> String {
    format!("oSim{person:024}")
}

async fn act(store: &Store, scene: &Scene, act: Act) -> Saw {
    match act {
        Act::Scan { person } => {
            let step = RecordScan {
                scene: scene.clone(),
                account: AccountName::default(),
                member: member(&openid(person)),
                approval: Approval::Scan,
            };
            let effect = store.run(&step).await.expect("Redis is running");
            Saw::Scan {
                person,
                effect: effect.effect,
            }
        }
        Act::Redeem { nonce } => {
            let step = RedeemAttempt {
                scene: scene.clone(),
                realm: attempts::own_realm(),
                nonce: format!("nonce {nonce}"),
                purpose: Purpose::Session,
            };
            Saw::Redeem(store.run(&step).await.expect("Redis is running"))
        }
        Act::Cancel => {
            let step = CancelAttempt {
                scene: scene.clone(),
                realm: attempts::own_realm(),
            };
            store.run(&step).await.expect("Redis is running");
            Saw::Cancel
        }
    }
}

/// Two people who scan twice each, a browser with two tabs that ask twice each, and now and then
/// somebody who closes the modal.
fn acts(random: &mut Random) -> Vec<Act> {
    let mut acts = Vec::new();
    for number in [1, 2, 1, 2] {
        acts.push(Act::Scan { person: number });
        acts.push(Act::Redeem { nonce: number });
    }
    if random.below(4) == 0 {
        acts.push(Act::Cancel);
    }
    random.shuffle(&mut acts);
    acts
}

/// What must hold whatever the order was.
fn judge(saw: &[Saw], context: &str) {
    let accepted: Vec<usize> = saw
        .iter()
        .filter_map(|seen| match seen {
            Saw::Scan {
                person,
                effect: ScanEffect::Accepted(_),
            } => Some(*person),
            _ => None,
        })
        .collect();
    assert!(accepted.len() <= 1, "{context}: {saw:?}");
    for seen in saw {
        if let Saw::Scan {
            person,
            effect: ScanEffect::Repeated(_),
        } = seen
        {
            assert_eq!(accepted, [*person], "{context}: {saw:?}");
        }
    }
    let redeemed: BTreeSet<(String, String)> = saw
        .iter()
        .filter_map(|seen| match seen {
            Saw::Redeem(Redemption::Redeemed(identified)) => Some((
                identified.member.openid.as_str().to_owned(),
                identified.nonce.clone(),
            )),
            _ => None,
        })
        .collect();
    assert!(redeemed.len() <= 1, "{context}: {saw:?}");
    if let Some((owner, _)) = redeemed.first() {
        assert_eq!(owner, &openid(accepted[0]), "{context}: {saw:?}");
    }
}

#[tokio::test]
async fn any_order_leads_to_at_most_one_redemption_by_the_first_scanner() {
    let redis = RedisServer::start(&log_folder::create()).await;
    let store = redis.store();
    let mut logins = 0;
    for seed in 1..=150 {
        let mut random = Random(seed * 0x9E37_79B9);
        let scene = attempts::open(&store).await;
        let mut saw = Vec::new();
        for next in acts(&mut random) {
            saw.push(act(&store, &scene, next).await);
        }
        judge(&saw, &format!("seed {seed}"));
        // In order, the first to scan is the first to be told so.
        let first = saw.iter().find_map(|seen| match seen {
            Saw::Scan { effect, .. } => Some(*effect),
            _ => None,
        });
        assert!(
            matches!(first, Some(ScanEffect::Accepted(_) | ScanEffect::Gone)),
            "seed {seed}: {saw:?}"
        );
        logins += usize::from(
            saw.iter()
                .any(|seen| matches!(seen, Saw::Redeem(Redemption::Redeemed(_)))),
        );
    }
    assert!(logins > 50, "most orders are logins, not {logins} of 150");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acting_at_once_leads_to_at_most_one_redemption_by_the_first_scanner() {
    let redis = RedisServer::start(&log_folder::create()).await;
    // Replicas have connections of their own, so their commands really race.
    let replicas = [0; 3].map(|_| Arc::new(redis.store()));
    for seed in 1..=60 {
        let mut random = Random(seed * 0x9E37_79B9);
        let scene = attempts::open(&replicas[0]).await;
        let mut running = JoinSet::new();
        for next in acts(&mut random) {
            let store = Arc::clone(&replicas[random.below(replicas.len())]);
            let scene = scene.clone();
            running.spawn(async move { act(&store, &scene, next).await });
        }
        judge(&running.join_all().await, &format!("seed {seed}"));
    }
}
