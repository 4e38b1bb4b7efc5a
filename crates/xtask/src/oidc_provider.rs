//! npm's `oidc-provider`, which `cargo xtask bench --oidc` measures beside ours.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failure::{During, Failure};
use crate::repository;

/// Installs it, with the versions that the lock file names. Returns its folder.
pub(crate) fn install() -> Result<PathBuf, Failure> {
    let source = repository::root().join("crates/bench/oidc-provider");
    let folder = repository::target().join("oidc-provider");
    fs::create_dir_all(&folder).during("create target/oidc-provider")?;
    for name in ["package.json", "package-lock.json", "provider.mjs"] {
        fs::copy(source.join(name), folder.join(name)).during("copy crates/bench/oidc-provider")?;
    }
    let status = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .status()
        .during("run npm")?;
    if status.success() {
        Ok(folder)
    } else {
        Err(Failure::new("`npm ci` failed, see above"))
    }
}
