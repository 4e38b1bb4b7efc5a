//! The modal's own tests, which need Node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{During, Failure};
use crate::repository;

/// Runs them: that the committed bundle is what the sources make, and what the npm package
/// promises.
pub(crate) fn test() -> Result<(), Failure> {
    install_dependencies()?;
    npm(&["test"])
}

/// Installs what the lock file names, unless it is there.
pub(crate) fn install_dependencies() -> Result<(), Failure> {
    let folder = folder();
    let installed = folder.join("node_modules/.package-lock.json");
    if is_newer(&installed, &folder.join("package-lock.json")) {
        return Ok(());
    }
    // No package of these has to run anything to be installed.
    npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
}

fn folder() -> PathBuf {
    repository::root().join("services/site/modal")
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    changed(one) > changed(other)
}

fn npm(arguments: &[&str]) -> Result<(), Failure> {
    let status = Command::new("npm")
        .args(arguments)
        .current_dir(folder())
        .stdin(Stdio::null())
        .status()
        .during("run npm")?;
    if status.success() {
        return Ok(());
    }
    let arguments = arguments.join(" ");
    Err(Failure::new(format!("`npm {arguments}` failed, see above")))
}
