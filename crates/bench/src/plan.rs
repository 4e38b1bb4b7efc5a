//! What to do, as `cargo xtask bench` says it.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// One run. The options of `cargo xtask bench` explain its members.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// Fewer and shorter rounds.
    pub(crate) quick: bool,
    /// The names of what is measured; empty for all.
    pub(crate) only: Vec<String>,
    /// The cores that may be used, in the order of services, load, Redis, WeChat; the last one
    /// serves whoever is left. Empty where nothing is pinned.
    pub(crate) cores: Vec<usize>,
    /// Another program with the same HTTP interface, with its arguments, to measure in the same
    /// turns; empty for none.
    #[serde(default)]
    pub(crate) peer: Vec<String>,
    /// Where the binaries lie.
    pub(crate) binaries: PathBuf,
    /// The Redis server.
    pub(crate) redis_server: PathBuf,
    /// Where logs go.
    pub(crate) folder: PathBuf,
    /// Where the figures go as JSON.
    pub(crate) json: Option<PathBuf>,
    /// Count instructions instead of measuring.
    pub(crate) check: Option<Check>,
    /// Measure the `OpenID` Connect provider instead, beside npm's `oidc-provider` in this folder.
    #[serde(default)]
    pub(crate) oidc: Option<String>,
}

/// What to do with the counts of instructions.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    /// The file in which they are kept.
    pub(crate) counts: PathBuf,
    /// Keep them, instead of comparing them.
    pub(crate) record: bool,
}

/// Who runs on a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// What is measured.
    Service,
    /// The Redis server.
    Redis,
    /// WeChat's stand-in.
    StandIn,
}

impl Plan {
    /// Reads the argument of the command line.
    pub(crate) fn from_argument(argument: &str) -> Result<Self, String> {
        serde_json::from_str(argument).map_err(|error| {
            format!("run `cargo xtask bench` instead; the plan is no good: {error}")
        })
    }

    /// The core of one side; `None` where nothing is pinned.
    pub(crate) fn core(&self, side: Side) -> Option<usize> {
        let place = match side {
            Side::Service => 0,
            Side::Redis => 2,
            Side::StandIn => 3,
        };
        self.cores.get(place).or_else(|| self.cores.last()).copied()
    }

    /// How often each contender has its turn.
    pub(crate) const fn rounds(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }

    /// How long a turn lasts.
    pub(crate) const fn turn(&self) -> Duration {
        Duration::from_millis(if self.quick { 700 } else { 1500 })
    }

    /// Whether something of this name is to be measured.
    pub(crate) fn includes(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(cores: &[usize]) -> Plan {
        Plan {
            quick: true,
            only: Vec::new(),
            cores: cores.to_vec(),
            peer: Vec::new(),
            binaries: PathBuf::new(),
            redis_server: PathBuf::new(),
            folder: PathBuf::new(),
            json: None,
            check: None,
            oidc: None,
        }
    }

    #[test]
    fn on_two_cores_everything_but_the_services_shares_one() {
        let plan = on(&[0, 1]);
        assert_eq!(plan.core(Side::Service), Some(0));
        assert_eq!(plan.core(Side::Redis), Some(1));
        assert_eq!(plan.core(Side::StandIn), Some(1));
    }

    #[test]
    fn more_cores_are_used_and_none_is_no_harm() {
        let plan = on(&[2, 3, 6, 7]);
        assert_eq!(plan.core(Side::Redis), Some(6));
        assert_eq!(plan.core(Side::StandIn), Some(7));
        assert_eq!(on(&[]).core(Side::Service), None);
    }
}
