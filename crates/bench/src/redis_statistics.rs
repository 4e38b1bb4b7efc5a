//! What Redis counts of itself: the commands it ran and the pieces it read from its clients.

use std::collections::BTreeMap;

use deadpool_redis::redis::{RedisResult, aio::MultiplexedConnection, cmd};

/// Commands that aren't the work of a request: our own look, the heartbeat of the site's
/// subscription, the site's look whether Redis still has a waiting browser's attempt, and what the
/// one script says that writes figures for the console.
const NOT_WORK: [&str; 4] = ["info", "ping", "exists", "expireat"];

/// Redis' counters at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    reads: u64,
    calls: BTreeMap<String, u64>,
}

/// What happened between two moments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Pieces read from clients. A client that waits for each answer sends one for each round trip.
    pub(crate) round_trips: u64,
    /// Commands by name, those inside scripts included.
    pub(crate) commands: BTreeMap<String, u64>,
}

impl Statistics {
    /// Asks Redis.
    pub(crate) async fn read(connection: &mut MultiplexedConnection) -> RedisResult<Self> {
        let text: String = cmd("INFO").arg("all").query_async(connection).await?;
        Ok(Self::parse(&text))
    }

    fn parse(info: &str) -> Self {
        let mut statistics = Self::default();
        for line in info.lines() {
            if let Some(reads) = line.strip_prefix("total_reads_processed:") {
                statistics.reads = reads.trim().parse().unwrap_or(0);
            }
            let command = line
                .strip_prefix("cmdstat_")
                .and_then(|line| line.split_once(":calls="));
            if let Some((name, rest)) = command {
                let calls = rest.split(',').next().unwrap_or_default();
                statistics
                    .calls
                    .insert(name.to_owned(), calls.parse().unwrap_or(0));
            }
        }
        statistics
    }

    /// What happened since an earlier moment, without the asking itself and the heartbeats.
    pub(crate) fn since(&self, earlier: &Self) -> Work {
        let mut not_work = 0;
        let mut commands = BTreeMap::new();
        for (name, calls) in &self.calls {
            let before = earlier.calls.get(name).copied().unwrap_or(0);
            let calls = calls.saturating_sub(before);
            if matches!(name.as_str(), "ping" | "exists" | "expireat") {
                not_work += calls;
            }
            if calls > 0 && !NOT_WORK.contains(&name.as_str()) {
                commands.insert(name.clone(), calls);
            }
        }
        // Of the two questions the second was read in between; it isn't among the calls yet.
        let reads = self.reads.saturating_sub(earlier.reads);
        Work {
            round_trips: reads.saturating_sub(1 + not_work),
            commands,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_what_happened_in_between_without_the_looking() {
        let before = Statistics::parse(
            "# Stats\r\ntotal_reads_processed:10\r\n# Commandstats\r\n\
             cmdstat_info:calls=1,usec=9,usec_per_call=9.00\r\n\
             cmdstat_hmget:calls=4,usec=8,usec_per_call=2.00\r\n",
        );
        let after = Statistics::parse(
            "total_reads_processed:14\r\ncmdstat_info:calls=2,usec=9\r\n\
             cmdstat_hmget:calls=6,usec=8\r\ncmdstat_ping:calls=1,usec=1\r\n",
        );
        let work = after.since(&before);
        assert_eq!(work.round_trips, 2);
        assert_eq!(work.commands, BTreeMap::from([("hmget".to_owned(), 2)]));
    }
}
