//! `cargo xtask api`: schemathesis compares what the services answer with their descriptions.

use std::time::Instant;

use crate::failure::Failure;
use crate::{console, packages, python_packages, repository};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only listeners whose tests' names contain this
    filter: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    packages::for_tests(false)?;
    packages::python_environments()?;
    console::step("schemathesis from PyPI");
    let list = repository::root().join("tests/api_descriptions/requirements.txt");
    let environment = repository::target().join("api-descriptions/python");
    python_packages::install(&list, &environment)?;
    console::step("descriptions of the APIs");
    let tests = ["test", "--locked", "-p", "system-tests"];
    let target = ["--test", "api_descriptions", "--"];
    let filter: Vec<&str> = options.filter.as_deref().into_iter().collect();
    repository::run_cargo(&[&tests[..], &target, &filter].concat())?;
    console::done(&format!(
        "all answer as described, after {}",
        console::duration(started.elapsed())
    ));
    Ok(())
}
