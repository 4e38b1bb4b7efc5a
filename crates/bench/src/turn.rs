//! One turn of a contender: everything made ready, the load, and what was used meanwhile.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool_redis::redis::{aio::MultiplexedConnection, cmd};
use harness::{phone::Mode, process::Process};
use login_protocol::scene::BrowserSecret;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    browser,
    contender::Contender,
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
    /// What logins are made of.
    pub(crate) stage: Arc<Stage>,
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
    /// How busy the services' core was, of 1.
    pub(crate) service_busy: f64,
    /// How busy each of the others kept its core, of 1.
    pub(crate) others_busy: BTreeMap<String, f64>,
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
        scanned: Vec<BrowserSecret>,
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
        let (address, status) = match contender {
            Contender::LimitStatic | Contender::LimitRedis | Contender::LimitHop => {
                (self.fleet.limit_address, 200)
            }
            Contender::Poll => (self.fleet.site_address, 200),
            Contender::Open => (self.fleet.site_address, 201),
            Contender::PushNew(mode) => (self.fleet.gateway_address(mode), 200),
            Contender::PushKnown => (self.fleet.gateway_address(Mode::Plain), 200),
            Contender::Login => return Ok(Job::Logins),
        };
        let mut scanned = Vec::new();
        let requests = match contender {
            Contender::LimitStatic => Requests::in_turn(self.polls(limit::STATIC).await?),
            Contender::LimitRedis => Requests::in_turn(self.polls(limit::REDIS).await?),
            Contender::LimitHop => Requests::in_turn(self.polls(limit::HOP).await?),
            Contender::Poll => Requests::in_turn(self.polls("/api/login").await?),
            Contender::PushNew(mode) => {
                scanned = self.stage.attempts.open(count, LIFETIME).await?;
                let pushes = scanned.iter().map(|secret| {
                    let openid = self.stage.attempts.stranger();
                    phone::scan(&self.stage.phone, mode, &openid, &secret.scene())
                });
                Requests::once(pushes.collect())
            }
            Contender::PushKnown => {
                let members = self.stage.attempts.members(KNOWN).await?;
                scanned = self.stage.attempts.open(count, LIFETIME).await?;
                let people = members.iter().cycle();
                let pushes = scanned.iter().zip(people).map(|(secret, openid)| {
                    phone::scan(&self.stage.phone, Mode::Plain, openid, &secret.scene())
                });
                Requests::once(pushes.collect())
            }
            Contender::Open | Contender::Login => {
                let open = |_| browser::request("POST", "/api/login", self.stage.visitor(), None);
                Requests::once((0..count).map(open).collect())
            }
        };
        Ok(Job::Requests {
            target: Target { address, status },
            requests: Arc::new(requests),
            scanned,
        })
    }

    /// The same request for everybody, but for the path.
    async fn polls(&self, path: &str) -> Result<Vec<Vec<u8>>, String> {
        let secrets = self.stage.attempts.open(POLLED, LIFETIME).await?;
        let poll = |secret| browser::request("GET", path, self.stage.visitor(), Some(secret));
        Ok(secrets.iter().map(poll).collect())
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
                    seats.push(self.stage.seat().await?);
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
            self.check_scans(&scanned[..requests.sent().min(scanned.len())])
                .await?;
        }
        Ok(Turn::new(&before, &after, outcome))
    }

    /// A sample of the scanned attempts has to be confirmed.
    async fn check_scans(&self, scanned: &[BrowserSecret]) -> Result<(), String> {
        let every = scanned.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<_> = scanned.iter().step_by(every).cloned().collect();
        let confirmed = self.stage.attempts.confirmed(&sample).await?;
        if confirmed == sample.len() {
            return Ok(());
        }
        Err(format!(
            "of {} scanned attempts only {confirmed} are confirmed",
            sample.len()
        ))
    }

    /// The processes whose work is measured.
    pub(crate) fn services(&self, contender: Contender) -> Vec<&Process> {
        let fleet = &self.fleet;
        match contender {
            Contender::LimitStatic | Contender::LimitRedis | Contender::LimitHop => {
                vec![&fleet.limit]
            }
            Contender::Poll => vec![&fleet.site],
            Contender::PushNew(mode) => vec![fleet.gateway(mode)],
            Contender::PushKnown => vec![fleet.gateway(Mode::Plain)],
            Contender::Open | Contender::Login => vec![&fleet.site, &fleet.gateway_safe],
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
    fn new(before: &Used, after: &Used, outcome: Outcome) -> Self {
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
        let work = after.statistics.since(&before.statistics);
        let each = |(name, calls)| (name, float(calls) / count);
        Self {
            operations,
            seconds,
            rate: float(operations) / seconds,
            times: Times::of(outcome.nanoseconds),
            service_seconds_per_1000: services * 1000.0 / count,
            service_busy: services / seconds,
            others_busy: after.others.iter().map(busy).collect(),
            commands: work.commands.into_iter().map(each).collect(),
        }
    }
}
