//! How often one operation asks Redis. Operations at the same time share round trips, so they are
//! made one after the other here, and Redis is asked for its counters between them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    contender::Contender,
    load,
    redis_statistics::Work,
    statistics::{float, median},
    turn::{Job, World},
};

/// What single operations asked of Redis.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RoundTrips {
    /// How many operations there were.
    pub(crate) operations: usize,
    /// Of most operations.
    pub(crate) median: f64,
    /// On average.
    pub(crate) mean: f64,
    /// Of the one with the most.
    pub(crate) most: u64,
    /// Commands by name, of all operations together; those inside scripts included.
    pub(crate) commands: BTreeMap<String, u64>,
}

impl World {
    /// Makes so many operations, and one before them after which Redis knows the scripts.
    pub(crate) async fn round_trips(
        &mut self,
        contender: Contender,
        operations: usize,
    ) -> Result<RoundTrips, String> {
        let job = self.prepare(contender, operations + 1).await?;
        let mut seen = Vec::with_capacity(operations);
        match job {
            Job::Requests {
                target, requests, ..
            } => {
                let mut connections = load::connections(target, 1).await?;
                for _ in 0..=operations {
                    let request = requests.next().ok_or("too few requests")?;
                    let connection = connections.first_mut().ok_or("no connection")?;
                    let before = self.statistics().await?;
                    let answer = connection.exchange(request).await;
                    let status = answer.map_err(|error| error.to_string())?.status;
                    if status != target.status {
                        return Err(format!("{} was answered {status}", contender.name()));
                    }
                    seen.push(self.statistics().await?.since(&before));
                }
            }
            Job::Logins => {
                let mut seat = self.stage.seat().await?;
                for _ in 0..=operations {
                    let openid = self.stage.attempts.stranger();
                    let before = self.statistics().await?;
                    seat.log_in(&openid).await?;
                    seen.push(self.statistics().await?.since(&before));
                }
            }
        }
        Ok(RoundTrips::of(&seen[1..]))
    }
}

impl RoundTrips {
    fn of(seen: &[Work]) -> Self {
        let counts: Vec<u64> = seen.iter().map(|work| work.round_trips).collect();
        let floats: Vec<f64> = counts.iter().map(|count| float(*count)).collect();
        let mut commands = BTreeMap::new();
        for (name, calls) in seen.iter().flat_map(|work| &work.commands) {
            *commands.entry(name.clone()).or_default() += calls;
        }
        Self {
            operations: seen.len(),
            median: median(&floats),
            mean: float(counts.iter().sum()) / float((counts.len() as u64).max(1)),
            most: counts.iter().copied().max().unwrap_or(0),
            commands,
        }
    }

    /// How many commands there were in all.
    pub(crate) fn commands_in_all(&self) -> u64 {
        self.commands.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_operations_are_summed_up() {
        let work = |round_trips| Work {
            round_trips,
            commands: BTreeMap::from([("evalsha".to_owned(), round_trips)]),
        };
        let seen = RoundTrips::of(&[work(7), work(8), work(7), work(7)]);
        assert!((seen.median - 7.0).abs() < 1e-9 && (seen.mean - 7.25).abs() < 1e-9);
        assert_eq!((seen.most, seen.commands_in_all()), (8, 29));
    }
}
