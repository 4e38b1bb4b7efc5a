//! What to do, as `cargo xtask soak` says it.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// One run. The options of `cargo xtask soak` explain its members.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// How many logins have to complete.
    pub(crate) logins: u64,
    /// How many of them run at the same time.
    pub(crate) at_once: usize,
    /// How many people there are with a phone.
    pub(crate) people: usize,
    /// How many seconds pass on average between two outages; 0 for none.
    pub(crate) outage_every_seconds: f64,
    /// Where the random choices begin.
    pub(crate) seed: u64,
    /// How many milliseconds pass between two deliveries of a push; WeChat's own are 5000.
    pub(crate) push_interval_ms: u64,
    /// Whether events are posted to a receiver that is down for a minute.
    pub(crate) webhook: bool,
    /// Where the binaries lie.
    pub(crate) binaries: PathBuf,
    /// The Redis server.
    pub(crate) redis_server: PathBuf,
    /// Where logs go.
    pub(crate) folder: PathBuf,
    /// Where the figures go as JSON.
    pub(crate) json: Option<PathBuf>,
}

impl Plan {
    /// Reads the only argument.
    pub(crate) fn from_arguments() -> Result<Self, String> {
        let argument = std::env::args().nth(1).unwrap_or_default();
        serde_json::from_str(&argument).map_err(|error| {
            format!("run `cargo xtask soak` instead; the plan is no good: {error}")
        })
    }

    /// The pause between two deliveries of a push.
    pub(crate) const fn push_interval(&self) -> Duration {
        Duration::from_millis(self.push_interval_ms)
    }
}
