//! Commands that are mostly calls of other programs, as scripts in the repository.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::failure::{During, Failure};
use crate::repository;

/// Runs a script, named by its path from the repository's root, with these variables more in its
/// environment.
pub(crate) fn run(path: &str, environment: &[(&str, &OsStr)]) -> Result<(), Failure> {
    let status = Command::new("bash")
        .arg(repository::root().join(path))
        .envs(environment.iter().copied())
        .current_dir(repository::root())
        .stdin(Stdio::null())
        .status()
        .during(&format!("run {path}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{path} failed, see above")))
    }
}
