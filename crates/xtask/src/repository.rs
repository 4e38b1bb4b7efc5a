//! Where things lie in the repository and in cargo's target folder.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{During, Failure};

/// The folder that holds the workspace's Cargo.toml.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable for `cargo xtask`; a binary started by hand knows where it was built.
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package
        .ancestors()
        .nth(2)
        .map_or_else(|| package.clone(), Path::to_path_buf)
}

/// The folder for files that may be deleted at any time: cargo's own, next to its build output.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// `cargo`, the one that runs this command, working in the repository's root.
pub(crate) fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    harness::cargo::command(program, &root())
}

/// Runs `cargo` with these arguments, and shows what it says.
pub(crate) fn run_cargo(arguments: &[&str]) -> Result<(), Failure> {
    let status = cargo()
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .during("run cargo")?;
    if status.success() {
        return Ok(());
    }
    let arguments = arguments.join(" ");
    Err(Failure::new(format!(
        "`cargo {arguments}` failed, see above"
    )))
}

/// The folder that holds the binaries of a debug or of a release build.
pub(crate) fn binaries(release: bool) -> Result<PathBuf, Failure> {
    // Cargo puts the binaries of one target side by side, wherever its target folder is.
    let own = env::current_exe().during("find the folder of the built binaries")?;
    let debug = own
        .parent()
        .ok_or_else(|| Failure::new("this binary lies in no folder"))?;
    Ok(if release {
        debug.with_file_name("release")
    } else {
        debug.to_path_buf()
    })
}

/// The first program of these names that `PATH` leads to.
pub(crate) fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    })
}
