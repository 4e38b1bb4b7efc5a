//! `cargo xtask soak`: many logins while everything is killed now and then. The work is done by the
//! package `soak`, in an optimised binary; this builds it, says what to do, and becomes it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use crate::console;
use crate::failure::{During, Failure};
use crate::{packages, repository};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many logins have to complete
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    logins: u64,
    /// How many of them run at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    at_once: u32,
    /// How many people with a phone log in, one after the other
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    people: u32,
    /// Seconds between two outages on average; 0 for none, to watch the memory of processes that
    /// live long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    every: f64,
    /// Repeats the choices of an earlier run, which said its seed
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Milliseconds between two deliveries of a push that isn't answered; WeChat's own are 5000
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1000)]
    push_interval_ms: u64,
    /// Also posts events to a receiver that is down for a minute, and compares what it got in the end
    #[arg(long)]
    webhook: bool,
    /// Also writes the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Run unoptimised binaries: sooner ready, and several times slower
    #[arg(long)]
    debug: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let redis = packages::redis_server()?;
    build(options.debug)?;
    let binaries = repository::binaries(!options.debug)?;
    let logs = repository::target().join("soak");
    // The last run's logs would be read as this one's.
    let _ = fs::remove_dir_all(&logs);
    let plan = json!({
        "logins": options.logins,
        "at_once": options.at_once,
        "people": options.people,
        "outage_every_seconds": options.every,
        "seed": options.seed.map_or_else(random_seed, Ok)?,
        "push_interval_ms": options.push_interval_ms,
        "webhook": options.webhook,
        "binaries": binaries,
        "redis_server": redis,
        "folder": logs,
        "json": options.json,
    });
    console::step("Soaking (Ctrl-C ends it and tells what came of it so far)");
    // It becomes this very process, so that Ctrl-C and the exit status are its own.
    let failed = Command::new(binaries.join("soak"))
        .arg(plan.to_string())
        .exec();
    Err(Failure::new(format!("could not run soak: {failed}")))
}

fn build(debug: bool) -> Result<(), Failure> {
    console::step("Building (an optimised build takes several minutes the first time)");
    let started = Instant::now();
    let mut command = repository::cargo();
    // The whole workspace, as the other commands build it, so that nothing is compiled twice.
    command.args(["build", "--locked", "--workspace", "--bins"]);
    if !debug {
        command.arg("--release");
    }
    let status = command
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

fn random_seed() -> Result<u64, Failure> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(format!("the system provides no random bytes: {error}")))?;
    Ok(u32::from_be_bytes(bytes).into())
}
