//! `cargo xtask deny`: what the project may be made of, as deny.toml says it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{During, Failure};
use crate::{console, repository};

/// The version that deny.toml is written for.
const VERSION: &str = "0.20.2";

/// How long fetching the database of known vulnerabilities may take.
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fail when the database of known vulnerabilities can't be fetched from GitHub; without this
    /// it is only said
    #[arg(long)]
    advisories: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let folder = repository::target().join("tools");
    let program = folder.join("bin/cargo-deny");
    if !is_current(&program) {
        console::step("Installing cargo-deny, which takes some minutes");
        let installed = repository::cargo()
            .args(["install", "cargo-deny", "--locked", "--quiet", "--version"])
            .arg(VERSION)
            .arg("--root")
            .arg(&folder)
            .stdin(Stdio::null())
            .status()
            .during("run cargo install")?;
        if !installed.success() {
            return Err(Failure::new("cargo-deny can't be installed, see above"));
        }
    }
    let advisories = is_database_there(&program)?;
    if options.advisories && !advisories {
        return Err(Failure::new(
            "the database of known vulnerabilities can't be fetched, see above",
        ));
    }
    console::step("Checking bans, licences and sources");
    let mut check = Command::new(&program);
    check.current_dir(repository::root()).args([
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]);
    if advisories {
        check.args(["advisories", "--disable-fetch"]);
    }
    if !check.status().during("run cargo-deny")?.success() {
        return Err(Failure::new(
            "a dependency isn't allowed, see above; deny.toml says what is, and why",
        ));
    }
    if !advisories {
        console::note(
            "known vulnerabilities were NOT looked for: their database can't be fetched from GitHub here",
        );
    }
    Ok(())
}

/// Fetches the database of known vulnerabilities, unless GitHub can't be reached in time.
fn is_database_there(program: &Path) -> Result<bool, Failure> {
    console::step("Fetching the database of known vulnerabilities");
    let mut fetch = Command::new(program)
        .current_dir(repository::root())
        .args(["--locked", "fetch", "db"])
        .stdin(Stdio::null())
        .spawn()
        .during("run cargo-deny")?;
    let deadline = Instant::now() + FETCH_TIMEOUT;
    loop {
        if let Some(status) = fetch.try_wait().during("wait for cargo-deny")? {
            return Ok(status.success());
        }
        if Instant::now() > deadline {
            fetch.kill().during("end cargo-deny")?;
            fetch.wait().during("wait for cargo-deny")?;
            return Ok(false);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn is_current(program: &Path) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .ends_with(VERSION)
    })
}
