//! How many instructions one operation of each path takes, as callgrind counts them: the same on a
//! busy machine as on an idle one, and so good for seeing a regression that no clock would show.
//!
//! The services run as they are shipped, under valgrind, which executes one thread at a time; a
//! fixed script of operations is made one after the other.

use std::{collections::BTreeMap, fs, path::Path};

use harness::process::Process;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::{
    contender::{self, Contender},
    fleet, machine,
    output::say,
    plan::{Check, Plan},
    statistics::float,
    turn::World,
};

/// Operations that count for nothing: connections, scripts, first uses.
const WARM_UP: usize = 30;

/// Operations that count.
const OPERATIONS: usize = 300;

/// More dumps than a service makes.
const DUMPS: usize = 100;

/// How many more instructions than those that are kept are a regression. Timers go off at other
/// moments in each run, and another processor has other instructions for copying memory.
const TOLERANCE: f64 = 0.05;

/// What is kept in the repository.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The compiler, since another one has other counts.
    rustc: String,
    /// By path.
    instructions_per_operation: BTreeMap<String, u64>,
}

/// Counts, and keeps the counts or compares them with those that are kept.
pub(crate) async fn check(plan: &Plan, check: &Check) -> Result<(), String> {
    say("starting the services under valgrind");
    let mut world = World::create(plan).await?;
    let mut counted = BTreeMap::new();
    // The limits aren't ours to count.
    for path in contender::ALL.into_iter().filter(|work| !work.is_limit()) {
        let count = count(&mut world, plan, Contender::ours(path)).await?;
        say(&format!("{:<31} {count:>9} instructions", path.what()));
        counted.insert(path.name().to_owned(), count);
    }
    let counted = Kept {
        rustc: machine::rustc(),
        instructions_per_operation: counted,
    };
    if check.record {
        let text = serde_json::to_string_pretty(&counted).map_err(|error| error.to_string())?;
        fs::write(&check.counts, format!("{text}\n"))
            .map_err(|error| format!("{} can't be written: {error}", check.counts.display()))?;
        say(&format!("kept in {}", check.counts.display()));
        return Ok(());
    }
    let kept = fs::read_to_string(&check.counts)
        .map_err(|error| format!("{} can't be read: {error}", check.counts.display()))?;
    let kept: Kept = serde_json::from_str(&kept)
        .map_err(|error| format!("{} is no good: {error}", check.counts.display()))?;
    if kept.rustc != counted.rustc {
        say(&format!(
            "the counts that are kept come from {}, these from {}",
            kept.rustc, counted.rustc
        ));
    }
    let regressions = compare(
        &kept.instructions_per_operation,
        &counted.instructions_per_operation,
    );
    if regressions.is_empty() {
        say("no path takes more instructions than before");
        return Ok(());
    }
    Err(format!(
        "{}; if that is meant, keep the new counts with --check --record",
        regressions.join("; ")
    ))
}

async fn count(world: &mut World, plan: &Plan, path: Contender) -> Result<u64, String> {
    world.round_trips(path, WARM_UP).await?;
    for service in world.services(path) {
        control("--zero", service).await?;
    }
    world.round_trips(path, OPERATIONS).await?;
    let mut instructions = 0;
    for service in world.services(path) {
        control("--dump", service).await?;
        instructions += last_total(&plan.folder, service.name())?;
    }
    // One more is made in front of those that are asked for.
    Ok(instructions / (OPERATIONS as u64 + 1))
}

async fn control(command: &str, service: &Process) -> Result<(), String> {
    let output = Command::new("callgrind_control")
        .args([command, &service.id().to_string()])
        .output()
        .await
        .map_err(|error| format!("callgrind_control can't be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "callgrind_control {command} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    ))
}

fn last_total(folder: &Path, service: &str) -> Result<u64, String> {
    let name = fleet::dump_name(service);
    let dump = (1..=DUMPS)
        .map(|number| folder.join(format!("{name}.{number}")))
        .take_while(|path| path.exists())
        .last()
        .ok_or_else(|| format!("callgrind wrote no {name} in {}", folder.display()))?;
    let text = fs::read_to_string(&dump)
        .map_err(|error| format!("{} can't be read: {error}", dump.display()))?;
    total(&text).ok_or_else(|| format!("{} names no total", dump.display()))
}

fn total(dump: &str) -> Option<u64> {
    let totals = dump.lines().find_map(|line| line.strip_prefix("totals:"))?;
    totals.trim().parse().ok()
}

/// What takes more than before, in words. What takes less is said and no reason to stop.
fn compare(kept: &BTreeMap<String, u64>, counted: &BTreeMap<String, u64>) -> Vec<String> {
    let mut regressions = Vec::new();
    for (path, count) in counted {
        let Some(before) = kept.get(path) else {
            regressions.push(format!("{path}: nothing is kept"));
            continue;
        };
        let change = float(*count) / float(*before) - 1.0;
        let words = format!(
            "{path}: {count} instructions, {before} before ({:+.1} %)",
            change * 100.0
        );
        if change > TOLERANCE {
            regressions.push(words);
        } else if change < -TOLERANCE {
            say(&format!("{words}: worth keeping with --check --record"));
        }
    }
    regressions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(poll: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([("poll".to_owned(), poll)])
    }

    #[test]
    fn more_than_the_tolerance_is_a_regression_and_less_is_none() {
        assert!(compare(&counts(1000), &counts(1049)).is_empty());
        assert!(compare(&counts(1000), &counts(500)).is_empty());
        assert_eq!(
            compare(&counts(1000), &counts(1100)),
            ["poll: 1100 instructions, 1000 before (+10.0 %)"]
        );
        assert_eq!(compare(&BTreeMap::new(), &counts(1)).len(), 1);
    }

    #[test]
    fn the_total_of_a_dump_is_read() {
        let dump = "version: 1\nevents: Ir\nfn=(1)\n1 5\n\ntotals: 1234567\n";
        assert_eq!(total(dump), Some(1_234_567));
        assert_eq!(total("events: Ir\n"), None);
    }
}
