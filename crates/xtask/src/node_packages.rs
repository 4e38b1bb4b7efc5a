//! Packages from npm's registry, for the modal's tests and the shops in `examples/`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{During, Failure};
use crate::repository;

/// The folder of the modal's package.
pub(crate) const MODAL: &str = "services/site/modal";

const EXAMPLES: &str = "examples";

/// Installs what the lock files name, unless it is there.
pub(crate) fn install() -> Result<(), Failure> {
    for folder in [MODAL, EXAMPLES] {
        let path = repository::root().join(folder);
        let installed = path.join("node_modules/.package-lock.json");
        if is_newer(&installed, &path.join("package-lock.json")) {
            continue;
        }
        // No package of these has to run anything to be installed.
        npm(
            folder,
            &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        )?;
    }
    Ok(())
}

/// Runs npm in a folder of the repository.
pub(crate) fn npm(folder: &str, arguments: &[&str]) -> Result<(), Failure> {
    let status = Command::new("npm")
        .args(arguments)
        .current_dir(repository::root().join(folder))
        .stdin(Stdio::null())
        .status()
        .during("run npm")?;
    if status.success() {
        return Ok(());
    }
    let arguments = arguments.join(" ");
    Err(Failure::new(format!(
        "`npm {arguments}` failed in {folder}, see above"
    )))
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    changed(one) > changed(other)
}
