//! The whole run: everything in its order, and a report in the end.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use deadpool_redis::redis::Client;
use harness::{
    phone::{Mode, Phone},
    process::Process,
};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    asked_attempts::AskedAttempts,
    attempts::{Attempts, Source},
    contender::{self, Contender, Party},
    fact::Fact,
    file_limit,
    fleet::Fleet,
    instructions,
    kernel_figures::memory,
    login::Stage,
    machine::Machine,
    news,
    output::say,
    plan::Plan,
    providers,
    report::{Beside, Report, Row, redis_facts},
    round_trips::RoundTrips,
    spinner::Spinners,
    starting,
    statistics::float,
    turn::{Turn, World},
    waiting,
    written_attempts::WrittenAttempts,
};

/// What has names on the command line beside the contenders.
const NEWS: &str = "news";
const WAITING: &str = "waiting";
const STARTING: &str = "starting";

/// How many operations of each kind are made one after the other.
const SINGLE: usize = 50;

/// A first turn that counts for nothing: connections, scripts, caches.
const WARM_UP: usize = 2000;
const WARM_UP_TIME: Duration = Duration::from_millis(500);

/// How many more requests are made ready than the last turn needed.
const MARGIN: f64 = 1.3;

/// The most that are made ready for one turn.
const MOST: usize = 200_000;

/// Runs until all is measured or Ctrl-C comes, which ends all children as well.
pub(crate) async fn all(plan: Plan) -> Result<(), String> {
    check_names(&plan)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        outcome = count_or_measure(plan) => outcome,
        _ = tokio::signal::ctrl_c() => Err("stopped by Ctrl-C".to_owned()),
        _ = terminate.recv() => Err("stopped by SIGTERM".to_owned()),
    }
}

async fn count_or_measure(plan: Plan) -> Result<(), String> {
    if let Some(folder) = &plan.oidc {
        let _spinners = Spinners::start(&plan)?;
        for fact in providers::measure(&plan, folder).await? {
            say(&fact.line());
        }
        return Ok(());
    }
    match &plan.check {
        Some(check) => instructions::check(&plan, check).await,
        None => measure(plan).await,
    }
}

fn check_names(plan: &Plan) -> Result<(), String> {
    let mut known: Vec<&str> = contender::ALL.iter().map(|one| one.name()).collect();
    known.extend([NEWS, WAITING, STARTING]);
    let unknown = plan
        .only
        .iter()
        .find(|name| !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| {
        Err(format!("there is no {name:?}, only {}", known.join(", ")))
    })
}

async fn measure(plan: Plan) -> Result<(), String> {
    let (began, began_at) = (Instant::now(), Timestamp::now().to_string());
    let file_limit = file_limit::raise();
    let machine = Machine::look(&plan, file_limit);
    if plan.cores.is_empty() {
        say(
            "There is one core only: nothing is pinned, and the load takes part of what is measured.",
        );
    }
    let _spinners = Spinners::start(&plan)?;
    let mut world = World::create(&plan).await?;

    let (rows, mut facts) = turns(&mut world, &plan).await?;
    if !rows.is_empty() {
        facts.extend(peaks(&world.fleet)?);
    }
    if plan.includes(NEWS) {
        say("news of a scan");
        for party in parties(&plan) {
            facts.extend(news::measure(&world, &plan, *party).await?);
        }
    }
    if plan.includes(WAITING) {
        say(&format!("{file_limit} files may be open"));
        for size in waiting::sizes(&plan, file_limit) {
            say(&format!("{size} waiting browsers"));
            for party in parties(&plan) {
                world = world.with_fresh_sites().await?;
                facts.extend(waiting::measure(&mut world, &plan, *party, size).await?);
            }
        }
    }
    if plan.includes(STARTING) {
        say("starts");
        facts.extend(starting::measure(&world.fleet).await?);
    }
    let report = Report {
        machine,
        plan,
        began_at,
        seconds: began.elapsed().as_secs_f64(),
        rows,
        facts,
    };
    report.print();
    report.write()
}

/// All contenders that are asked for, and L beside them.
async fn turns(world: &mut World, plan: &Plan) -> Result<(Vec<Row>, Vec<Fact>), String> {
    let mut asked = contenders(plan);
    if asked.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    if !asked.contains(&Contender::LIMIT) {
        asked.insert(0, Contender::LIMIT);
    }
    let mut rates: HashMap<Contender, f64> = HashMap::new();
    let mut trips: HashMap<Contender, RoundTrips> = HashMap::new();
    for contender in &asked {
        say(&format!("getting ready: {}", contender.what()));
        let warm = world.turn(*contender, WARM_UP, WARM_UP_TIME).await;
        let warm = warm.map_err(|error| format!("{}: {error}", contender.name()))?;
        rates.insert(*contender, warm.rate);
        if !contender.work.is_limit() {
            trips.insert(*contender, world.round_trips(*contender, SINGLE).await?);
        }
    }
    let mut turns: HashMap<Contender, Vec<Turn>> = HashMap::new();
    let mut beside: HashMap<Contender, Vec<Beside>> = HashMap::new();
    for round in 1..=plan.rounds() {
        // L has its turn between all others, since the machine is faster at one moment than at the
        // next.
        let mut limit = world.turn(Contender::LIMIT, 0, plan.turn()).await?;
        for contender in in_order(&asked, round) {
            let rate = rates.get(contender).copied().unwrap_or(0.0);
            let count = enough(*contender, rate, plan.turn());
            let turn = world.turn(*contender, count, plan.turn()).await;
            let turn = turn.map_err(|error| format!("{}: {error}", contender.name()))?;
            if *contender == Contender::LIMIT {
                limit = turn.clone();
                beside
                    .entry(*contender)
                    .or_default()
                    .push(Beside::of([&turn, &turn]));
            } else {
                let next = world.turn(Contender::LIMIT, 0, plan.turn()).await?;
                beside
                    .entry(*contender)
                    .or_default()
                    .push(Beside::of([&limit, &next]));
                limit = next;
            }
            say(&format!(
                "round {round} of {}: {:<31} {:>8.0} a second, core {:.0}% busy",
                plan.rounds(),
                contender.what(),
                turn.rate,
                turn.service_busy * 100.0
            ));
            rates.insert(*contender, turn.rate);
            turns.entry(*contender).or_default().push(turn);
        }
    }
    let none = Vec::new();
    let row = |contender: &Contender| {
        let own = turns.get(contender).unwrap_or(&none);
        let beside = beside.remove(contender).unwrap_or_default();
        Row::new(*contender, own, &beside, trips.get(contender).cloned())
    };
    let rows = asked.iter().map(row).collect();
    let facts = asked.iter().filter_map(|contender| {
        let trips = trips.get(contender)?;
        Some(redis_facts(*contender, trips))
    });
    Ok((rows, facts.flatten().collect()))
}

/// Who is measured.
fn parties(plan: &Plan) -> &'static [Party] {
    if plan.peer.is_empty() {
        &[Party::Ours]
    } else {
        &[Party::Ours, Party::Peer]
    }
}

/// All that is asked for, the peer's work beside ours.
fn contenders(plan: &Plan) -> Vec<Contender> {
    let asked = contender::ALL
        .iter()
        .filter(|work| plan.includes(work.name()));
    let both = asked.flat_map(|work| {
        let parties = parties(plan).iter();
        let parties = parties.filter(|party| **party == Party::Ours || !work.is_limit());
        parties.map(|party| Contender {
            party: *party,
            work: *work,
        })
    });
    both.collect()
}

/// Every second round goes the other way round, so that nobody is always after the same one.
fn in_order(asked: &[Contender], round: usize) -> Box<dyn Iterator<Item = &Contender> + '_> {
    if round.is_multiple_of(2) {
        Box::new(asked.iter().rev())
    } else {
        Box::new(asked.iter())
    }
}

/// The most that each service held while contenders took turns.
fn peaks(fleet: &Fleet) -> Result<Vec<Fact>, String> {
    let mut services = vec![&fleet.site, &fleet.gateway_plain, &fleet.gateway_safe];
    services.extend(fleet.peers.iter().flatten().map(|peer| &peer.process));
    let peak = |process: &Process| {
        let kib = memory(process.id())?.peak_kib;
        let name = format!("{}: resident at most in all turns", process.name());
        Ok(Fact::new(name, float(kib) / 1024.0, "MiB"))
    };
    services.into_iter().map(peak).collect()
}

/// How many requests last for a turn at this rate.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product is positive and bounded"
)]
fn enough(contender: Contender, rate: f64, turn: Duration) -> usize {
    if !contender.work.is_used_up() {
        return 0;
    }
    let needed = rate * turn.as_secs_f64() * MARGIN;
    (needed.min(1e9) as usize).clamp(WARM_UP, MOST)
}

impl World {
    /// Starts everything.
    pub(crate) async fn create(plan: &Plan) -> Result<Self, String> {
        let fleet = Fleet::start(plan).await?;
        let client = Client::open(fleet.redis_url()).map_err(|error| error.to_string())?;
        let redis = client.get_multiplexed_async_connection().await;
        let written = WrittenAttempts::new(fleet.redis_url())?;
        let stage = Stage {
            site: fleet.site_address,
            gateway: fleet.gateway_address(Mode::Safe),
            stand_in: None,
            phone: Phone::default(),
            attempts: Attempts::new(Source::Written(Box::new(written))),
            visitors: AtomicU64::new(1),
        };
        let of_peer = |address, mode| {
            let asked = AskedAttempts::new(address, fleet.stand_in_address, mode);
            Arc::new(Stage {
                site: address,
                gateway: address,
                stand_in: Some(fleet.stand_in_address),
                phone: Phone::default(),
                attempts: Attempts::new(Source::Asked(Box::new(asked))),
                visitors: AtomicU64::new(1),
            })
        };
        let peer_stages = fleet.peers.as_ref().map(|[plain, safe]| {
            [
                of_peer(plain.address, Mode::Plain),
                of_peer(safe.address, Mode::Safe),
            ]
        });
        Ok(Self {
            fleet,
            stage: Arc::new(stage),
            peer_stages,
            service_cores: plan.service_cores,
            redis: redis.map_err(|error| error.to_string())?,
        })
    }

    async fn with_fresh_sites(self) -> Result<Self, String> {
        Ok(Self {
            fleet: self.fleet.fresh_sites().await?,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::Work;

    #[test]
    fn enough_is_made_ready_for_what_is_used_up_only() {
        let turn = Duration::from_secs(2);
        assert_eq!(enough(Contender::ours(Work::Poll), 50_000.0, turn), 0);
        assert_eq!(
            enough(Contender::ours(Work::PushKnown), 10_000.0, turn),
            26_000
        );
        assert_eq!(enough(Contender::ours(Work::Open), 1.0, turn), WARM_UP);
        assert_eq!(enough(Contender::ours(Work::Open), f64::MAX, turn), MOST);
    }
}
