//! `cargo xtask bench`: what the services cost beside the least work that could serve the same
//! requests. The work is done by the package `bench`; this builds it, chooses the cores, and
//! becomes it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use crate::console;
use crate::failure::{During, Failure};
use crate::repository::{self, find_program};

/// The services, the load, Redis and WeChat's stand-in can use one core each, and no more.
const MOST_CORES: usize = 4;

#[derive(clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct Options {
    /// Fewer and shorter rounds: a minute and a half instead of five
    #[arg(long)]
    quick: bool,
    /// Also writes every figure to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure only these: limit-static, limit-redis, limit-hop, poll, push-plain, push-safe,
    /// push-known, open, login, news, waiting, starting
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// How many cores the services may use; where the machine has no more, the load shares them
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    service_cores: usize,
    /// Also measures this program, which has the HTTP interface of both services in one process and
    /// is given their environment. A path with its arguments, between spaces
    #[arg(long, value_name = "COMMAND")]
    peer: Option<String>,
    /// Measure the OpenID Connect provider instead, beside npm's oidc-provider (in memory) on the
    /// same core: token exchange, refresh and userinfo
    #[arg(long, conflicts_with_all = ["only", "json", "peer", "check"])]
    oidc: bool,
    /// Count instructions under valgrind instead, and compare them with those kept in the
    /// repository
    #[arg(long, conflicts_with_all = ["only", "quick", "json", "peer"])]
    check: bool,
    /// Keep the counts as those to compare with from now on
    #[arg(long, requires = "check")]
    record: bool,
}

/// Where the counts of instructions are kept.
const COUNTS: &str = "crates/bench/instructions.json";

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let redis = crate::packages::redis_server()?;
    for program in ["taskset", "chrt"] {
        if find_program(&[program]).is_none() {
            let wanted = format!("{program} is missing: install util-linux");
            return Err(Failure::new(wanted));
        }
    }
    if options.check {
        crate::packages::valgrind()?;
    }
    build()?;
    let binaries = repository::binaries(true)?;
    let logs = repository::target().join("bench");
    // The last run's logs would be read as this one's.
    let _ = fs::remove_dir_all(&logs);
    let cores = cores()?;
    let oidc = options
        .oidc
        .then(crate::oidc_provider::install)
        .transpose()?;
    let plan = json!({
        "quick": options.quick,
        "only": options.only,
        "peer": words(options.peer.as_deref()),
        "cores": cores,
        "service_cores": options.service_cores,
        "binaries": binaries,
        "redis_server": redis,
        "folder": logs,
        "json": options.json,
        "oidc": oidc,
        "check": options.check.then(|| json!({
            "counts": repository::root().join(COUNTS),
            "record": options.record,
        })),
    });
    console::step(if options.check {
        "Counting instructions (Ctrl-C ends it)"
    } else {
        "Measuring (Ctrl-C ends it; let the machine do nothing else meanwhile)"
    });
    let program = binaries.join("bench");
    // The load has the first core that isn't the services'.
    let load = cores.get(options.service_cores).or_else(|| cores.last());
    let mut command = match load {
        Some(core) => {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", &core.to_string()]).arg(program);
            pinned
        }
        None => Command::new(program),
    };
    // It becomes this very process, so that Ctrl-C and the exit status are its own.
    let failed = command.arg(plan.to_string()).exec();
    Err(Failure::new(format!("could not run bench: {failed}")))
}

/// The words of a command.
fn words(command: Option<&str>) -> Vec<&str> {
    command.unwrap_or_default().split_whitespace().collect()
}

/// Builds the services as they are shipped: in the workspace as a whole, other packages would turn
/// on features of their dependencies.
fn build() -> Result<(), Failure> {
    console::step("Building (an optimised build takes several minutes the first time)");
    let started = Instant::now();
    let status = repository::cargo()
        .args(["build", "--locked", "--release", "--bins"])
        .args(["-p", "site", "-p", "wechat-gateway", "-p", "bench"])
        .stdin(Stdio::null())
        .status()
        .during("run cargo build")?;
    if !status.success() {
        return Err(Failure::new("the build failed, see above"));
    }
    let took = console::duration(started.elapsed());
    console::done(&format!("built in {took}"));
    Ok(())
}

/// The cores to use; none where there is only one.
fn cores() -> Result<Vec<usize>, Failure> {
    let status = fs::read_to_string("/proc/self/status").during("read which cores may be used")?;
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .unwrap_or_default();
    Ok(usable(&listed(allowed)))
}

fn usable(allowed: &[usize]) -> Vec<usize> {
    match allowed {
        [] | [_] => Vec::new(),
        several => several.iter().take(MOST_CORES).copied().collect(),
    }
}

/// Reads the kernel's list of cores, such as `0-3,8`.
fn listed(text: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<usize>().ok()?..=last.parse().ok()?)
    };
    let parts = text.trim().split(',').filter_map(range);
    parts.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_is_read() {
        assert_eq!(listed("\t0-1\n"), [0, 1]);
        assert_eq!(listed("0,2-4,8"), [0, 2, 3, 4, 8]);
        assert!(listed("").is_empty());
    }

    #[test]
    fn one_core_is_none() {
        assert!(usable(&[3]).is_empty());
        assert_eq!(usable(&[0, 1, 2, 3, 4, 5]), [0, 1, 2, 3]);
    }
}
