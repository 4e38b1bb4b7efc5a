//! Cargo, run by what cargo itself runs.

use std::{ffi::OsStr, path::Path, process::Command};

/// This cargo, working in this folder.
///
/// What cargo told this process about its own package isn't meant for another cargo: ring's build
/// script runs again when one of these variables changes, and everything above it is compiled anew.
pub fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}
