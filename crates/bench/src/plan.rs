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
    /// How many of them are the services', from the first one on.
    pub(crate) service_cores: usize,
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

    /// What is in front of a command of one side, so that it keeps to its cores: nothing where
    /// nothing is pinned.
    pub(crate) fn pin(&self, side: Side) -> Vec<String> {
        let place = match side {
            Side::Service => {
                let own = self.cores.iter().take(self.service_cores);
                return pin(&own.map(usize::to_string).collect::<Vec<_>>());
            }
            // The load has the first of the others.
            Side::Redis => self.service_cores + 1,
            Side::StandIn => self.service_cores + 2,
        };
        let core = self.cores.get(place).or_else(|| self.cores.last());
        pin(&core.map(usize::to_string).into_iter().collect::<Vec<_>>())
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

fn pin(cores: &[String]) -> Vec<String> {
    if cores.is_empty() {
        return Vec::new();
    }
    ["taskset", "-c", &cores.join(",")]
        .map(str::to_owned)
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(cores: &[usize]) -> Plan {
        Plan {
            quick: true,
            only: Vec::new(),
            cores: cores.to_vec(),
            service_cores: 1,
            peer: Vec::new(),
            binaries: PathBuf::new(),
            redis_server: PathBuf::new(),
            folder: PathBuf::new(),
            json: None,
            check: None,
            oidc: None,
        }
    }

    fn cores(plan: &Plan) -> [Option<String>; 3] {
        [Side::Service, Side::Redis, Side::StandIn].map(|side| plan.pin(side).pop())
    }

    #[test]
    fn on_two_cores_everything_but_the_services_shares_one() {
        let pinned = ["0", "1", "1"].map(|cores| Some(cores.to_owned()));
        assert_eq!(cores(&on(&[0, 1])), pinned);
    }

    #[test]
    fn more_cores_are_used_and_none_is_no_harm() {
        let pinned = ["2", "6", "7"].map(|cores| Some(cores.to_owned()));
        assert_eq!(cores(&on(&[2, 3, 6, 7])), pinned);
        assert_eq!(cores(&on(&[])), [None, None, None]);
    }

    #[test]
    fn the_services_may_have_several() {
        let several = |cores: &[usize]| Plan {
            service_cores: 2,
            ..on(cores)
        };
        let pinned = ["0,1", "3", "3"].map(|cores| Some(cores.to_owned()));
        assert_eq!(cores(&several(&[0, 1, 2, 3])), pinned);
        let pinned = ["0,1", "1", "1"].map(|cores| Some(cores.to_owned()));
        assert_eq!(cores(&several(&[0, 1])), pinned);
    }
}
