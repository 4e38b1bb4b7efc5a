//! How much memory the services hold in the course of a run.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::fleet::Fleet;

/// What allocators and caches may add without anything being kept that should go: a quarter, and
/// eight MiB.
const ALLOWANCE_KIB: u64 = 8 * 1024;

/// All that was seen.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    at: Duration,
    kind: &'static str,
    kib: u64,
}

impl Memory {
    /// Notes what everybody holds now.
    pub(crate) fn look(&mut self, fleet: &Fleet, at: Duration) {
        let seen = fleet.memory().into_iter();
        self.samples
            .extend(seen.map(|(kind, kib)| Sample { at, kind, kib }));
    }

    /// For each kind of process: the most that one of them held in the first, the second and the
    /// last third of the run, in KiB.
    pub(crate) fn thirds(&self) -> BTreeMap<&'static str, [u64; 3]> {
        let end = self.samples.last().map_or(Duration::ZERO, |last| last.at);
        let mut thirds: BTreeMap<_, [u64; 3]> = BTreeMap::new();
        for Sample { at, kind, kib } in &self.samples {
            let third = (0..2)
                .find(|third| *at * 3 <= end * (third + 1))
                .unwrap_or(2);
            let peak = &mut thirds.entry(*kind).or_default()[third as usize];
            *peak = (*peak).max(*kib);
        }
        thirds
    }

    /// Whether no service held much more at the end than at the beginning. Redis is left out: it
    /// keeps every session for a week.
    pub(crate) fn is_flat(&self) -> bool {
        self.thirds()
            .iter()
            .filter(|(kind, _)| **kind != "redis")
            .all(|(_, [first, _, last])| *last <= first + first / 4 + ALLOWANCE_KIB)
    }

    /// All of it, for the JSON file.
    pub(crate) fn to_json(&self) -> Value {
        self.samples
            .iter()
            .map(|sample| json!([sample.at.as_secs(), sample.kind, sample.kib]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: &[(u64, u64)]) -> Memory {
        let sample = |&(seconds, kib): &(u64, u64)| Sample {
            at: Duration::from_secs(seconds),
            kind: "site",
            kib,
        };
        Memory {
            samples: samples.iter().map(sample).collect(),
        }
    }

    #[test]
    fn the_last_third_is_compared_with_the_first() {
        let flat = of(&[(10, 20_000), (30, 21_000), (50, 40_000), (90, 22_000)]);
        assert_eq!(flat.thirds()["site"], [21_000, 40_000, 22_000]);
        assert!(flat.is_flat());
        assert!(!of(&[(10, 20_000), (90, 40_000)]).is_flat());
    }
}
