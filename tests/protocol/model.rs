//! Every order in which people, browsers and time can act on one attempt, however long: all states
//! that can be reached on a real Redis are visited, and in each of them every act is tried, over
//! two replicas in turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use login_protocol::{
    attempt::{Approval, AttemptStatus},
    scene::Scene,
    site::{Realm, Site},
    steps::{
        CancelAttempt, ConfirmAttempt, Decide, Decision, DecisionEffect, ForgetRedemption, Purpose,
        RecordScan, RedeemAttempt, Redemption, ScanEffect,
    },
};
use service_kit::redis::Store;
use system_tests::{
    attempts::{self, LIFETIME, member},
    log_folder,
    redis_server::RedisServer,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Scan {
        person: usize,
    },
    Press {
        person: usize,
        confirm: bool,
    },
    Redeem {
        nonce: usize,
    },
    SignOut,
    Cancel,
    Expire,
    /// The same towards another account, or at another site, where it must be nothing.
    Elsewhere(Trespass),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trespass {
    Scan,
    Agree,
    Press,
    Redeem,
    SignOut,
    Cancel,
}

const ACTS: [Act; 17] = [
    Act::Scan { person: 1 },
    Act::Scan { person: 2 },
    Act::Press {
        person: 1,
        confirm: true,
    },
    Act::Press {
        person: 1,
        confirm: false,
    },
    Act::Press {
        person: 2,
        confirm: true,
    },
    Act::Press {
        person: 2,
        confirm: false,
    },
    Act::Redeem { nonce: 1 },
    Act::Redeem { nonce: 2 },
    Act::SignOut,
    Act::Cancel,
    Act::Expire,
    Act::Elsewhere(Trespass::Scan),
    Act::Elsewhere(Trespass::Agree),
    Act::Elsewhere(Trespass::Press),
    Act::Elsewhere(Trespass::Redeem),
    Act::Elsewhere(Trespass::SignOut),
    Act::Elsewhere(Trespass::Cancel),
];

/// Who says what makes a scan a login.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// The attempt's site.
    site: Option<Approval>,
    /// The gateway, for sites that say nothing.
    gateway: Approval,
}

impl Rule {
    fn holds(self) -> Approval {
        self.site.unwrap_or(self.gateway)
    }
}

/// What an act was answered.
#[derive(Debug, PartialEq)]
enum Answer {
    Scan(ScanEffect),
    Press(DecisionEffect),
    Redeem(Redemption),
    Done,
}

/// What happened so far, as a fair observer remembers it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct History {
    owner: Option<usize>,
    decision: Option<bool>,
    session: Option<(String, String)>,
    signed_out: bool,
    is_over: bool,
}

struct Bench {
    redis: RedisServer,
    replicas: [Store; 2],
    rule: Rule,
}

/// The site and the account that the attempts belong to.
fn own() -> Realm {
    attempts::realm("https://shop.example.com", "shop")
}

/// The same site with another account, and another site with the same one.
fn others() -> [Realm; 2] {
    [
        attempts::realm("https://shop.example.com", "default"),
        attempts::realm("https://forum.example.com", "shop"),
    ]
}

fn openid(person: usize) -> String {
    format!("oSim{person:024}")
}

impl Bench {
    async fn act(&self, replica: usize, scene: &Scene, act: Act) -> Answer {
        let store = &self.replicas[replica % 2];
        let scene = scene.clone();
        match act {
            Act::Scan { person } => {
                let step = RecordScan {
                    scene,
                    account: own().account,
                    member: member(&openid(person)),
                    approval: self.rule.gateway,
                };
                let scanned = store.run(&step).await.expect("Redis is running");
                let is_gone = scanned.effect == ScanEffect::Gone;
                let named = (!is_gone).then_some("花店");
                assert_eq!(scanned.site_name.as_deref(), named, "{:?}", scanned.effect);
                Answer::Scan(scanned.effect)
            }
            Act::Press { person, confirm } => {
                let step = Decide {
                    scene,
                    account: own().account,
                    member: member(&openid(person)),
                    decision: if confirm {
                        Decision::Confirm
                    } else {
                        Decision::Deny
                    },
                };
                Answer::Press(store.run(&step).await.expect("Redis is running"))
            }
            Act::Redeem { nonce } => {
                let step = RedeemAttempt {
                    scene,
                    realm: own(),
                    nonce: format!("nonce {nonce}"),
                    purpose: Purpose::Session,
                };
                Answer::Redeem(store.run(&step).await.expect("Redis is running"))
            }
            Act::SignOut => {
                let step = ForgetRedemption {
                    scene,
                    realm: own(),
                };
                store.run(&step).await.expect("Redis is running");
                Answer::Done
            }
            Act::Cancel => {
                let step = CancelAttempt {
                    scene,
                    realm: own(),
                };
                store.run(&step).await.expect("Redis is running");
                Answer::Done
            }
            Act::Expire => {
                let key = format!("*{}*", scene.as_str());
                let keys: Vec<String> = self.redis.command(&["KEYS", &key]).await;
                for key in keys {
                    let _: i64 = self.redis.command(&["DEL", &key]).await;
                }
                Answer::Done
            }
            Act::Elsewhere(trespass) => {
                self.trespass(store, &scene, trespass).await;
                Answer::Done
            }
        }
    }

    /// Does it where it must change nothing, and be answered as if there were no attempt.
    async fn trespass(&self, store: &Store, scene: &Scene, trespass: Trespass) {
        let (scene, member) = (scene.clone(), member(&openid(1)));
        let before = self.record(&scene).await;
        let [other_account, other_site] = others();
        let account = other_account.account.clone();
        let missing = [ScanEffect::Elsewhere, ScanEffect::Gone];
        match trespass {
            Trespass::Scan => {
                let step = RecordScan {
                    scene: scene.clone(),
                    account,
                    member,
                    approval: self.rule.gateway,
                };
                let scanned = store.run(&step).await.expect("Redis is running");
                assert!(missing.contains(&scanned.effect), "{:?}", scanned.effect);
                assert_eq!(scanned.site_name, None, "another account's business");
            }
            Trespass::Agree => {
                let step = ConfirmAttempt {
                    scene: scene.clone(),
                    account,
                    member,
                };
                let effect = store.run(&step).await.expect("Redis is running").effect;
                assert!(missing.contains(&effect), "{effect:?}");
            }
            Trespass::Press => {
                let step = Decide {
                    scene: scene.clone(),
                    account,
                    member,
                    decision: Decision::Confirm,
                };
                let effect = store.run(&step).await.expect("Redis is running");
                assert_eq!(effect, DecisionEffect::Gone);
            }
            Trespass::Redeem => {
                for realm in [other_account, other_site] {
                    let step = RedeemAttempt {
                        scene: scene.clone(),
                        realm,
                        nonce: "a stranger's".to_owned(),
                        purpose: Purpose::Session,
                    };
                    let redeemed = store.run(&step).await.expect("Redis is running");
                    assert_eq!(redeemed, Redemption::Refused(AttemptStatus::Expired));
                }
            }
            Trespass::SignOut => {
                for realm in [other_account, other_site] {
                    let scene = scene.clone();
                    let step = ForgetRedemption { scene, realm };
                    store.run(&step).await.expect("Redis is running");
                }
            }
            Trespass::Cancel => {
                for realm in [other_account, other_site] {
                    let scene = scene.clone();
                    let step = CancelAttempt { scene, realm };
                    store.run(&step).await.expect("Redis is running");
                }
            }
        }
        assert_eq!(self.record(&scene).await, before, "{trespass:?}");
    }

    /// The attempt's record, without what differs between runs.
    async fn record(&self, scene: &Scene) -> BTreeMap<String, String> {
        let key = format!("*{}*", scene.as_str());
        let keys: Vec<String> = self.redis.command(&["KEYS", &key]).await;
        let Some(key) = keys.first() else {
            return BTreeMap::new();
        };
        let mut fields: BTreeMap<String, String> = self.redis.command(&["HGETALL", key]).await;
        for (name, value) in &mut fields {
            if name.ends_with("_ms") && value != "0" {
                "a time".clone_into(value);
            }
        }
        fields
    }
}

/// Whether this answer may follow this history; and what history it makes.
fn judge(
    before: &History,
    act: Act,
    answer: &Answer,
    approval: Approval,
) -> Result<History, &'static str> {
    let mut after = before.clone();
    let may_redeem = !before.is_over
        && before.owner.is_some()
        && (approval == Approval::Scan || before.decision == Some(true));
    match (act, answer) {
        (Act::Scan { person }, Answer::Scan(effect)) => match effect {
            ScanEffect::Accepted(_) if before.owner.is_some() => return Err("a second owner"),
            ScanEffect::Accepted(_) => after.owner = Some(person),
            ScanEffect::Repeated(_) if before.owner != Some(person) => {
                return Err("a stranger taken for the owner");
            }
            ScanEffect::Taken if before.owner.is_none_or(|owner| owner == person) => {
                return Err("the owner taken for a stranger");
            }
            ScanEffect::Gone if !before.is_over => return Err("a living attempt called gone"),
            ScanEffect::Elsewhere => return Err("the own account taken for another one"),
            ScanEffect::Repeated(_) | ScanEffect::Taken | ScanEffect::Gone => {}
        },
        (Act::Press { person, confirm }, Answer::Press(effect)) => match effect {
            DecisionEffect::Stands(_) if before.owner != Some(person) => {
                return Err("somebody else's decision");
            }
            DecisionEffect::Stands(AttemptStatus::Confirmed) if approval == Approval::Tap => {
                if before.decision == Some(false) {
                    return Err("a denial undone");
                }
                if before.decision.is_none() && !confirm {
                    return Err("a denial that confirmed");
                }
                after.decision = Some(true);
            }
            DecisionEffect::Stands(AttemptStatus::Denied) => {
                if before.decision == Some(true) || approval == Approval::Scan {
                    return Err("a confirmation undone");
                }
                after.decision = Some(false);
            }
            _ => {}
        },
        (Act::Redeem { nonce }, Answer::Redeem(Redemption::Redeemed(identified))) => {
            if !may_redeem || before.signed_out {
                return Err("a session that nobody may have");
            }
            let owner = identified.member.openid.as_str();
            if before.owner.map(openid).as_deref() != Some(owner) {
                return Err("a session of somebody else");
            }
            let session = (owner.to_owned(), identified.nonce.clone());
            match &before.session {
                Some(first) if *first != session => return Err("a second session"),
                None if session.1 != format!("nonce {nonce}") => return Err("a foreign nonce"),
                _ => after.session = Some(session),
            }
        }
        (Act::Redeem { .. }, Answer::Redeem(Redemption::Refused(_))) => {
            if may_redeem && !before.signed_out {
                return Err("the owner's browser refused");
            }
        }
        (Act::SignOut, _) => after.signed_out |= before.session.is_some() && !before.is_over,
        // What was redeemed stays, so that another person's scan is told so.
        (Act::Cancel, _) => after.is_over |= before.session.is_none(),
        (Act::Expire, _) => after.is_over = true,
        (Act::Elsewhere(_), _) => {}
        _ => return Err("an answer to another question"),
    }
    Ok(after)
}

async fn visit_all(rule: Rule) -> (usize, usize, usize) {
    let redis = RedisServer::start(&log_folder::create()).await;
    let replicas = [redis.store(), redis.store()];
    let bench = Bench {
        redis,
        replicas,
        rule,
    };
    let mut known = BTreeSet::new();
    let mut open: VecDeque<Vec<Act>> = VecDeque::from([Vec::new()]);
    let (mut acts, mut sessions) = (0, 0);
    while let Some(path) = open.pop_front() {
        for next in ACTS {
            // A state is reached again by doing again what led to it.
            let scene = attempts::new_scene();
            let site = Site {
                realm: own(),
                name: Some("花店".to_owned()),
                approval: rule.site,
                require_following: false,
                client: None,
            };
            attempts::open_at(&bench.replicas[0], &scene, LIFETIME, site).await;
            let mut history = History::default();
            let all: Vec<Act> = path.iter().copied().chain([next]).collect();
            for (replica, act) in all.iter().enumerate() {
                let answer = bench.act(replica, &scene, *act).await;
                history = judge(&history, *act, &answer, rule.holds())
                    .unwrap_or_else(|wrong| panic!("{wrong}: {all:?} ended with {answer:?}"));
            }
            acts += 1;
            sessions += usize::from(history.session.is_some());
            let state = (bench.record(&scene).await, history);
            if known.insert(state) {
                open.push_back(all);
            }
        }
    }
    (known.len(), acts, sessions)
}

#[tokio::test]
async fn no_order_of_acts_gives_anybody_a_session_that_isnt_theirs() {
    let both = [Approval::Scan, Approval::Tap];
    let own = both.map(|gateway| Rule {
        site: None,
        gateway,
    });
    // What the site says holds, whatever the gateway would say.
    let [scan, tap] = both;
    let said = [(tap, scan), (scan, tap)].map(|(site, gateway)| Rule {
        site: Some(site),
        gateway,
    });
    for rule in own.into_iter().chain(said) {
        let (states, acts, sessions) = visit_all(rule).await;
        println!("{rule:?}: {states} states, {acts} acts tried, {sessions} of them after a login");
        assert!(
            states > 15 && sessions > 20,
            "{states} states, {sessions} logins"
        );
    }
}
