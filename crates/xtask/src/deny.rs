//! `cargo xtask deny`: what the project may be made of, as deny.toml says it.

use std::process::{Command, Stdio};

use crate::failure::{During, Failure};
use crate::{console, repository};

/// The version that deny.toml is written for.
const VERSION: &str = "0.20.2";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Look for known vulnerabilities as well, in a database that is fetched from GitHub
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
    if options.advisories {
        check.arg("advisories");
    }
    if check.status().during("run cargo-deny")?.success() {
        Ok(())
    } else {
        Err(Failure::new(
            "a dependency isn't allowed, see above; deny.toml says what is, and why",
        ))
    }
}

fn is_current(program: &std::path::Path) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .ends_with(VERSION)
    })
}
