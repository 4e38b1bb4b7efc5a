//! What both services need to do their work: a Redis that takes writes and is new enough, and files
//! to open. Answering a PING proves neither.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use login_protocol::{
    problem::ProblemCode,
    steps::{ProbePlainWrites, ProbeWrites},
};
use tokio::time::{Instant, timeout};

use crate::{
    clock::Clock,
    clock_offset::ClockOffset,
    open_files,
    operations::Unready,
    random,
    redis::{OLDEST_REDIS, ServerVersion, Store, StoreError},
};

/// How often a second Redis is probed. More frequent callers share the last result, so that they
/// put no load on Redis.
const PROBES_A_SECOND: u32 = 10;

/// How long the whole check may take: one lost connection, another one, and the question.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(3);

/// Looks after what both services need.
pub struct Essentials {
    store: Arc<Store>,
    prober: String,
    probes: Mutex<Probes>,
}

struct Probes {
    second: Instant,
    count: u32,
    last: Option<Result<ClockOffset, Unready>>,
}

impl Essentials {
    /// For this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            // Random, so that each process asks another node of a Cluster.
            prober: random::name().unwrap_or_default(),
            probes: Mutex::new(Probes {
                second: Instant::now(),
                count: 0,
                last: None,
            }),
        }
    }

    /// Checks all of it and returns the offset of Redis' clock.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub async fn check(&self) -> Result<ClockOffset, Unready> {
        if !open_files::some_are_left() {
            let missing = "The process can't open any more files. Raise its limit (LimitNOFILE, ulimit -n), \
                           or allow fewer waiting browsers (limits.waiting).";
            return Err((ProblemCode::NotReady, missing.to_owned()));
        }
        let checked = timeout(WHOLE_TIMEOUT, self.redis()).await;
        checked.unwrap_or_else(|_| {
            let missing = format!("Redis took longer than {} s.", WHOLE_TIMEOUT.as_secs());
            Err((ProblemCode::StoreUnavailable, missing))
        })
    }

    async fn redis(&self) -> Result<ClockOffset, Unready> {
        if let Some(last) = self.shared() {
            if last.is_ok() {
                self.store.ping().await.map_err(|error| unready(&error))?;
            }
            return last;
        }
        let probed = self.probe().await;
        self.lock().last = Some(probed.clone());
        probed
    }

    /// The last answer, for those who ask too often.
    fn shared(&self) -> Option<Result<ClockOffset, Unready>> {
        let mut probes = self.lock();
        if probes.second.elapsed() >= Duration::from_secs(1) {
            probes.second = Instant::now();
            probes.count = 0;
        }
        if probes.count >= PROBES_A_SECOND && probes.last.is_some() {
            return probes.last.clone();
        }
        probes.count += 1;
        None
    }

    async fn probe(&self) -> Result<ClockOffset, Unready> {
        let prober = || self.prober.clone();
        let by_script = ProbeWrites { prober: prober() };
        let plainly = ProbePlainWrites { prober: prober() };
        // One after the other, so that the error message is Redis' own.
        let mut written = ClockOffset::measure(Clock::system(), self.store.run(&by_script)).await;
        if written.is_ok()
            && let Err(error) = self.store.run(&plainly).await
        {
            written = Err(error);
        }
        if written.as_ref().is_err_and(|error| !error.is_refusal()) {
            return written.map_err(|error| unready(&error));
        }
        // A server that doesn't report its version isn't judged by it.
        let version = self.store.server_version().await.ok().flatten();
        if let Some(version) = version.filter(ServerVersion::is_too_old) {
            let missing = format!(
                "Redis {version} is too old: {OLDEST_REDIS} or newer is needed, because older ones refuse \
                 scripts that read the clock and write."
            );
            return Err((ProblemCode::StoreUnavailable, missing));
        }
        written.map_err(|error| {
            let missing = format!("Redis answers but rejects writes: {error}.");
            (ProblemCode::StoreUnavailable, missing)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Probes> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unready(error: &StoreError) -> Unready {
    (ProblemCode::StoreUnavailable, error.to_string())
}
