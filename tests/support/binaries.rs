//! The binaries under test, built from this tree.

use std::{path::PathBuf, process::Command, sync::OnceLock};

/// The path of a binary of this workspace, built at the first call so that no test runs against an
/// old one.
pub fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(name)
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo describes this package to its tests. A build that inherited that would look like another
    // environment to dependencies that watch these variables (ring does), and build them all anew.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    let status = cargo
        // The whole workspace, so that dependencies are built with the features that the tests have.
        .args(["build", "--quiet", "--workspace", "--bins"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the binaries under test must build");
    let test = std::env::current_exe().expect("a test has a path");
    test.ancestors()
        .nth(2)
        .expect("a test is in target/<profile>/deps")
        .to_owned()
}
