//! `cargo xtask test`: every check, in the order in which a mistake shows soonest.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use harness::older::BINARIES;
use serde_json::Value;

use crate::failure::{During, Failure};
use crate::older::{self, Older};
use crate::{console, log_scan, modal, node_packages, packages, repository};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave the browser tests out, and with them Chromium
    #[arg(long)]
    no_browser: bool,
    /// Run only tests whose names contain this, and skip the other stages
    filter: Option<String>,
}

/// The files of tests that need a browser.
const BROWSER_TESTS: [&str; 3] = ["journeys", "modal", "examples"];

/// The test that needs the version before: its file, which cargo leaves out unless it is named, and
/// its name.
const ROLLING_UPGRADE: [&str; 2] = ["rolling_upgrade", "a_rolling_upgrade_loses_no_login"];

/// Totals over cargo's `test result:` lines.
#[derive(Default)]
struct Results {
    suites: u32,
    passed: u32,
    failed: u32,
    ignored: u32,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    packages::for_tests(!options.no_browser)?;
    let mut times = Vec::new();
    if options.filter.is_none() {
        stage(&mut times, "formatting", || {
            cargo(&["fmt", "--all", "--check"], &[])
        })?;
        stage(&mut times, "clippy", || {
            let unasked = ["--test", ROLLING_UPGRADE[0], "--test", "recipes"];
            for targets in [&["--all-targets"][..], &unasked] {
                let workspace = ["clippy", "--locked", "--workspace"];
                let denying_warnings = ["--", "-D", "warnings"];
                cargo(&[&workspace, targets, &denying_warnings].concat(), &[])?;
            }
            Ok(())
        })?;
        stage(&mut times, "documentation", || {
            let arguments = ["doc", "--locked", "--workspace", "--no-deps", "--quiet"];
            cargo(&arguments, &[("RUSTDOCFLAGS", "-D warnings")])
        })?;
    }
    if options.filter.is_none() {
        stage(&mut times, "modal", modal::test)?;
    } else if !options.no_browser {
        node_packages::install()?;
    }
    // The whole-system tests start the services' binaries, which cargo builds for no other
    // package's tests.
    stage(&mut times, "build", || {
        cargo(&["build", "--locked", "--workspace", "--bins"], &[])?;
        cargo(&["test", "--locked", "--workspace", "--no-run"], &[])
    })?;
    let mut older = None;
    if options.wants_rolling_upgrade() {
        stage(&mut times, "version before", || {
            older = Some(older::build()?);
            Ok(())
        })?;
    }
    let logs = repository::target().join("test-logs");
    let mut results = Results::default();
    let tested = stage(&mut times, "tests", || {
        let _ = fs::remove_dir_all(&logs);
        fs::create_dir_all(&logs).during("create target/test-logs")?;
        run_tests(options, older.as_ref(), &mut results)
    });
    if let Some(Older::Unavailable(reason)) = older {
        console::note(&format!("the rolling upgrade wasn't tested: {reason}"));
    }
    tested?;
    if options.filter.is_none() {
        stage(&mut times, "log search", || log_scan::run(&logs))?;
    }

    console::plain("");
    for (name, time) in &times {
        console::done(&format!("{name:<14} {}", console::duration(*time)));
    }
    console::done(&format!(
        "all passed in {}: {} tests in {} suites, {} ignored",
        console::duration(started.elapsed()),
        results.passed,
        results.suites,
        results.ignored,
    ));
    Ok(())
}

fn stage(
    times: &mut Vec<(&'static str, Duration)>,
    name: &'static str,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    console::step(name);
    let started = Instant::now();
    work().map_err(|failure| {
        let time = console::duration(started.elapsed());
        Failure::new(format!(
            "FAILED at the stage \"{name}\" after {time}: {failure}"
        ))
    })?;
    times.push((name, started.elapsed()));
    console::done(&format!(
        "{name} in {}",
        console::duration(started.elapsed())
    ));
    Ok(())
}

fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), Failure> {
    let status = repository::cargo()
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .status()
        .during("run cargo")?;
    succeed(status.success(), arguments)
}

fn succeed(success: bool, arguments: &[&str]) -> Result<(), Failure> {
    if success {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "`cargo {}` failed, see above",
            arguments.join(" ")
        )))
    }
}

impl Options {
    fn wants_rolling_upgrade(&self) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| ROLLING_UPGRADE[1].contains(filter))
    }
}

/// Runs the tests that the options leave.
fn run_tests(
    options: &Options,
    older: Option<&Older>,
    results: &mut Results,
) -> Result<(), Failure> {
    let filter: Vec<&str> = options.filter.as_deref().into_iter().collect();
    if options.no_browser {
        // Cargo can name the test files to run, but none to leave out, and then forgets the
        // examples in the documentation.
        let mut targets = vec!["--lib".to_owned(), "--bins".to_owned()];
        for name in test_files()?
            .into_iter()
            .filter(|name| !BROWSER_TESTS.contains(&name.as_str()))
        {
            targets.extend(["--test".to_owned(), name]);
        }
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        cargo_test(&targets, &filter, None, results)?;
        cargo_test(&["--doc"], &filter, None, results)?;
    } else {
        cargo_test(&[], &filter, None, results)?;
    }
    if let Some(Older::At(folder)) = older {
        let targets = ["--test", ROLLING_UPGRADE[0]];
        cargo_test(&targets, &filter, Some(folder), results)?;
    }
    if results.passed == 0 {
        return Err(Failure::new("not one test ran"));
    }
    Ok(())
}

/// The names of the workspace's files of integration tests that cargo runs unasked.
fn test_files() -> Result<BTreeSet<String>, Failure> {
    let output = repository::cargo()
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .output()
        .during("run cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("cargo metadata can't be read: {error}")))?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let targets = list(&metadata, "packages")
        .into_iter()
        .flat_map(|package| list(&package, "targets"));
    let tests = targets.filter(|target| {
        list(target, "kind").contains(&Value::from("test")) && target["test"] == true
    });
    Ok(tests
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect())
}

/// Runs cargo test, shows the runner's own lines as they come, and adds its summaries up.
/// `older` is the folder of the version before, for tests that need it.
fn cargo_test(
    targets: &[&str],
    filter: &[&str],
    older: Option<&Path>,
    results: &mut Results,
) -> Result<(), Failure> {
    // One failure shouldn't hide the others.
    let arguments = [
        &["test", "--locked", "--workspace", "--no-fail-fast"],
        targets,
        &["--"],
        filter,
    ]
    .concat();
    let mut child = repository::cargo()
        .args(&arguments)
        .env("TEST_LOG_DIR", repository::target().join("test-logs"))
        .envs(older.map(|folder| (BINARIES, folder)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .during("run cargo test")?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.during("read the output of cargo test")?;
            let line = String::from_utf8_lossy(&line);
            results.add(&line);
            console::plain(&line);
        }
    }
    let success = child.wait().during("wait for cargo test")?.success();
    succeed(success, &arguments).map_err(|failure| {
        Failure::new(format!(
            "{failure} ({} passed, {} failed)",
            results.passed, results.failed
        ))
    })
}

impl Results {
    /// Adds a line like `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; …`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        self.suites += 1;
        for count in counts.split("; ") {
            match count
                .split_once(' ')
                .map(|(number, what)| (number.parse().unwrap_or(0), what))
            {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                Some((number, "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_summaries_add_up() {
        let mut results = Results::default();
        results.add("test scenes::a_scene_is_new ... ok");
        results.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s");
        results.add("test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s");
        assert_eq!(
            (
                results.suites,
                results.passed,
                results.failed,
                results.ignored
            ),
            (2, 14, 4, 1)
        );
    }
}
