//! The version before this one, built from the repository's history: a rolling upgrade runs both.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::older::{BINARIES, COMMIT};

use crate::failure::{During, Failure};
use crate::repository;

const SERVICES: [&str; 2] = ["wechat-gateway", "site"];

/// Where its binaries are.
pub(crate) enum Older {
    /// In this folder.
    At(PathBuf),
    /// Nowhere, for this reason.
    Unavailable(String),
}

/// Builds it below the target folder, where it stays for the next time.
pub(crate) fn build() -> Result<Older, Failure> {
    if let Some(folder) = env::var_os(BINARIES) {
        return Ok(Older::At(folder.into()));
    }
    let folder = repository::target().join("older").join(&COMMIT[..7]);
    let target = folder.join("build");
    let binaries = target.join("debug");
    if SERVICES.iter().all(|name| binaries.join(name).is_file()) {
        return Ok(Older::At(binaries));
    }
    if let Some(reason) = missing() {
        return Ok(Older::Unavailable(reason));
    }
    let source = folder.join("source");
    check_out(&folder.join("index"), &source)?;
    let status = repository::cargo()
        .current_dir(&source)
        .env("CARGO_TARGET_DIR", &target)
        .args(["build", "--locked", "--bins"])
        .args(SERVICES.iter().flat_map(|name| ["-p", name]))
        .stdin(Stdio::null())
        .status()
        .during("run cargo build")?;
    if !status.success() {
        let failure = format!(
            "{} in {} doesn't build, see above",
            &COMMIT[..7],
            source.display()
        );
        return Err(Failure::new(failure));
    }
    Ok(Older::At(binaries))
}

fn git() -> Command {
    let mut git = Command::new("git");
    git.current_dir(repository::root()).stdin(Stdio::null());
    git
}

/// Why git can't tell what that version was; `None` if it can.
fn missing() -> Option<String> {
    let commit = format!("{COMMIT}^{{commit}}");
    match git().args(["cat-file", "-e", &commit]).output() {
        Err(error) => Some(format!("git can't be run: {error}")),
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let told = String::from_utf8_lossy(&output.stderr);
            let told = told.lines().next().unwrap_or("it has no such commit");
            Some(format!(
                "git doesn't find the version before, {}, in this folder ({told}); in a shallow clone \
                 `git fetch --unshallow` gets it",
                &COMMIT[..7]
            ))
        }
    }
}

/// Writes that version's files there. Git's own index and the working tree stay as they are.
fn check_out(index: &Path, source: &Path) -> Result<(), Failure> {
    fs::create_dir_all(source).during(&format!("create {}", source.display()))?;
    let prefix = format!("--prefix={}/", source.display());
    let steps = [
        ["read-tree", COMMIT].as_slice(),
        &["checkout-index", "--all", "--force", &prefix],
    ];
    for step in steps {
        let git = git().args(step).env("GIT_INDEX_FILE", index).status();
        if !git.during("run git")?.success() {
            return Err(Failure::new(format!(
                "`git {}` failed, see above",
                step.join(" ")
            )));
        }
    }
    Ok(())
}
