//! One turn of a contender: everything made ready, the load, and what was used meanwhile.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool_redis::redis::{aio::MultiplexedConnection, cmd};
use harness::{phone::Mode, process::Process};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    attempt::Attempt,
    browser,
    contender::{Contender, Party, Work},
    fleet::Fleet,
    kernel_figures::processor_time,
    limit,
    load::{self, Outcome, Requests, Target},
    login::Stage,
    phone,
    redis_statistics::Statistics,
    stand_in,
    statistics::{Times, float},
};

/// How many connections carry the load.
const CONNECTIONS: usize = 64;

/// How many visitors log in at once.
const VISITORS: usize = 64;

/// How many attempts are asked for in turn.
const POLLED: usize = 400;

/// How many people are known.
const KNOWN: usize = 200;

/// Attempts that are made beforehand live as long as those of browsers.
const LIFETIME: Duration = Duration::from_mins(5);

/// How many scanned attempts are read again.
const SAMPLE: usize = 1000;

/// Where turns take place.
#[derive(Debug)]
pub(crate) struct World {
    /// The processes.
    pub(crate) fleet: Fleet,
    /// What logins are made of, at our services.
    pub(crate) stage: Arc<Stage>,
    /// The same at the other program, in plain and in safe mode.
    pub(crate) peer_stages: Option<[Arc<Stage>; 2]>,
    /// How many cores the services have.
    pub(crate) service_cores: usize,
    /// A connection for looking.
    pub(crate) redis: MultiplexedConnection,
}

/// What one turn showed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Turn {
    /// Operations.
    pub(crate) operations: u64,
    /// How long it was.
    pub(crate) seconds: f64,
    /// Operations a second.
    pub(crate) rate: f64,
    /// How long each took.
    pub(crate) times: Times,
    /// Processor time of the services for 1000 operations.
    pub(crate) service_seconds_per_1000: f64,
    /// How busy the services' cores were, of 1.
    pub(crate) service_busy: f64,
    /// How busy each of the others kept its core, of 1.
    pub(crate) others_busy: BTreeMap<String, f64>,
    /// Redis' own processor time for 1000 operations.
    pub(crate) redis_seconds_per_1000: f64,
    /// Redis commands of one operation by name, those inside scripts included.
    pub(crate) commands: BTreeMap<String, f64>,
}

/// What a turn is made of.
pub(crate) enum Job {
    /// Requests to one server, and the attempts that they scan.
    Requests {
        /// Where they go.
        target: Target,
        /// The requests.
        requests: Arc<Requests>,
        /// What the requests scan, in their order.
        scanned: Vec<Attempt>,
    },
    /// Whole logins.
    Logins,
}

impl World {
    /// Redis as it was in the beginning.
    async fn clear(&mut self) -> Result<(), String> {
        let wrong = |error: deadpool_redis::redis::RedisError| format!("Redis failed: {error}");
        let cleared: String = cmd("FLUSHALL")
            .query_async(&mut self.redis)
            .await
            .map_err(wrong)?;
        debug_assert_eq!(cleared, "OK");
        let set = cmd("SET").arg(limit::KEY).arg(stand_in::BODY).to_owned();
        set.query_async(&mut self.redis).await.map_err(wrong)
    }

    /// Makes everything ready for so many operations.
    pub(crate) async fn prepare(
        &mut self,
        contender: Contender,
        count: usize,
    ) -> Result<Job, String> {
        self.clear().await?;
        let stage = self.stage_of(contender)?;
        let (address, status) = match contender.work {
            Work::LimitStatic | Work::LimitRedis | Work::LimitHop => {
                (self.fleet.limit_address, 200)
            }
            Work::Poll => (stage.site, 200),
            Work::Open => (stage.site, 201),
            Work::PushNew(mode) => (self.callback(contender.party, mode)?, 200),
            Work::PushKnown => (self.callback(contender.party, Mode::Plain)?, 200),
            Work::Login => return Ok(Job::Logins),
        };
        let mut scanned = Vec::new();
        let requests = match contender.work {
            Work::LimitStatic => Requests::in_turn(polls(&stage, limit::STATIC).await?),
            Work::LimitRedis => Requests::in_turn(polls(&stage, limit::REDIS).await?),
            Work::LimitHop => Requests::in_turn(polls(&stage, limit::HOP).await?),
            Work::Poll => Requests::in_turn(polls(&stage, "/api/login").await?),
            Work::PushNew(mode) => {
                scanned = stage.attempts.open(count, LIFETIME).await?;
                let pushes = scanned.iter().map(|attempt| {
                    let openid = stage.attempts.stranger();
                    phone::scan(&stage.phone, mode, &openid, &attempt.scene)
                });
                Requests::once(pushes.collect())
            }
            Work::PushKnown => {
                let members = stage.attempts.members(KNOWN).await?;
                scanned = stage.attempts.open(count, LIFETIME).await?;
                let people = members.iter().cycle();
                let pushes = scanned.iter().zip(people).map(|(attempt, openid)| {
                    phone::scan(&stage.phone, Mode::Plain, openid, &attempt.scene)
                });
                Requests::once(pushes.collect())
            }
            Work::Open | Work::Login => {
                let open = |_| browser::request("POST", "/api/login", stage.visitor(), None);
                Requests::once((0..count).map(open).collect())
            }
        };
        Ok(Job::Requests {
            target: Target { address, status },
            requests: Arc::new(requests),
            scanned,
        })
    }

    /// Where this contender's logins happen.
    pub(crate) fn stage_of(&self, contender: Contender) -> Result<Arc<Stage>, String> {
        let mode = match contender.work {
            Work::PushNew(mode) => mode,
            Work::Poll | Work::PushKnown => Mode::Plain,
            _ => Mode::Safe,
        };
        self.stage(contender.party, mode)
    }

    /// Where logins of this party happen whose pushes come in this mode.
    pub(crate) fn stage(&self, party: Party, mode: Mode) -> Result<Arc<Stage>, String> {
        match (party, &self.peer_stages) {
            (Party::Ours, _) => Ok(Arc::clone(&self.stage)),
            (Party::Peer, Some([plain, safe])) => Ok(Arc::clone(match mode {
                Mode::Plain => plain,
                Mode::Safe => safe,
            })),
            (Party::Peer, None) => Err("no peer runs".to_owned()),
        }
    }

    fn callback(&self, party: Party, mode: Mode) -> Result<SocketAddr, String> {
        match party {
            Party::Ours => Ok(self.fleet.gateway_address(mode)),
            Party::Peer => Ok(self.stage(party, mode)?.gateway),
        }
    }

    /// Takes a turn. What is used up ends it early.
    pub(crate) async fn turn(
        &mut self,
        contender: Contender,
        count: usize,
        duration: Duration,
    ) -> Result<Turn, String> {
        let job = self.prepare(contender, count).await?;
        let mut connections = Vec::new();
        let mut seats = Vec::new();
        match &job {
            Job::Requests { target, .. } => {
                connections = load::connections(*target, CONNECTIONS).await?;
            }
            Job::Logins => {
                for _ in 0..VISITORS {
                    seats.push(self.stage_of(contender)?.seat().await?);
                }
            }
        }
        let before = self.used(contender).await?;
        let outcome = match &job {
            Job::Requests {
                target, requests, ..
            } => load::run(*target, requests, connections, duration).await,
            Job::Logins => log_in(seats, duration).await,
        };
        let after = self.used(contender).await?;
        outcome.check()?;
        if let Job::Requests {
            requests, scanned, ..
        } = &job
        {
            let sent = &scanned[..requests.sent().min(scanned.len())];
            check_scans(self.stage_of(contender)?.as_ref(), sent).await?;
        }
        Ok(Turn::new(&before, &after, outcome, self.service_cores))
    }

    /// The processes whose work is measured.
    pub(crate) fn services(&self, contender: Contender) -> Vec<&Process> {
        let fleet = &self.fleet;
        if let (Party::Peer, Some([plain, safe])) = (contender.party, &fleet.peers) {
            return vec![match contender.work {
                Work::Poll | Work::PushKnown | Work::PushNew(Mode::Plain) => &plain.process,
                _ => &safe.process,
            }];
        }
        match contender.work {
            Work::LimitStatic | Work::LimitRedis | Work::LimitHop => vec![&fleet.limit],
            Work::Poll => vec![&fleet.site],
            Work::PushNew(mode) => vec![fleet.gateway(mode)],
            Work::PushKnown => vec![fleet.gateway(Mode::Plain)],
            Work::Open | Work::Login => vec![&fleet.site, &fleet.gateway_safe],
        }
    }

    async fn used(&mut self, contender: Contender) -> Result<Used, String> {
        let statistics = self.statistics().await?;
        let mut services = Duration::ZERO;
        for service in self.services(contender) {
            services += processor_time(service.id())?;
        }
        let fleet = &self.fleet;
        let others = [
            ("load", std::process::id()),
            (fleet.redis.process.name(), fleet.redis.process.id()),
            (fleet.stand_in.name(), fleet.stand_in.id()),
        ];
        let others = others
            .into_iter()
            .map(|(name, process)| Ok((name.to_owned(), processor_time(process)?)));
        Ok(Used {
            services,
            others: others.collect::<Result<_, String>>()?,
            statistics,
        })
    }

    /// Redis' counters.
    pub(crate) async fn statistics(&mut self) -> Result<Statistics, String> {
        Statistics::read(&mut self.redis)
            .await
            .map_err(|error| format!("Redis can't be asked: {error}"))
    }
}

/// The same request for everybody, but for the path.
async fn polls(stage: &Stage, path: &str) -> Result<Vec<Vec<u8>>, String> {
    let attempts = stage.attempts.open(POLLED, LIFETIME).await?;
    let poll = |attempt| browser::request("GET", path, stage.visitor(), Some(attempt));
    Ok(attempts.iter().map(poll).collect())
}

/// A sample of the scanned attempts has to be confirmed.
async fn check_scans(stage: &Stage, scanned: &[Attempt]) -> Result<(), String> {
    let every = scanned.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<_> = scanned.iter().step_by(every).cloned().collect();
    let confirmed = stage.attempts.confirmed(&sample).await?;
    if confirmed == sample.len() {
        return Ok(());
    }
    Err(format!(
        "of {} scanned attempts only {confirmed} are confirmed",
        sample.len()
    ))
}

async fn log_in(seats: Vec<crate::login::Seat>, duration: Duration) -> Outcome {
    let began = Instant::now();
    let mut visitors = JoinSet::new();
    for seat in seats {
        visitors.spawn(seat.log_in_until(began + duration));
    }
    let mut outcome = Outcome::default();
    while let Some(ended) = visitors.join_next().await {
        match ended {
            Ok(ended) => outcome.add(ended),
            Err(error) => outcome.fail(error.to_string()),
        }
    }
    outcome.wall = began.elapsed();
    outcome
}

/// What had been used at one moment.
struct Used {
    services: Duration,
    others: BTreeMap<String, Duration>,
    statistics: Statistics,
}

impl Turn {
    fn new(before: &Used, after: &Used, outcome: Outcome, service_cores: usize) -> Self {
        let operations = outcome.nanoseconds.len() as u64;
        let count = float(operations.max(1));
        let seconds = outcome.wall.as_secs_f64();
        let services = after.services.saturating_sub(before.services).as_secs_f64();
        let busy = |(name, time): (&String, &Duration)| {
            let earlier = before.others.get(name).copied().unwrap_or_default();
            (
                name.clone(),
                time.saturating_sub(earlier).as_secs_f64() / seconds,
            )
        };
        let redis = |used: &Used| used.others.get("redis").copied().unwrap_or_default();
        let redis = redis(after).saturating_sub(redis(before)).as_secs_f64();
        let work = after.statistics.since(&before.statistics);
        let each = |(name, calls)| (name, float(calls) / count);
        Self {
            operations,
            seconds,
            rate: float(operations) / seconds,
            times: Times::of(outcome.nanoseconds),
            service_seconds_per_1000: services * 1000.0 / count,
            service_busy: services / seconds / float(service_cores as u64),
            redis_seconds_per_1000: redis * 1000.0 / count,
            others_busy: after.others.iter().map(busy).collect(),
            commands: work.commands.into_iter().map(each).collect(),
        }
    }
}
