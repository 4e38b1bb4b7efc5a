//! The binaries under test, built from this tree.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The path of a binary of this workspace, built at the first call so that no test runs against an
/// old one.
pub fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(name)
}

fn build() -> PathBuf {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let status = harness::cargo::command(env!("CARGO"), root)
        // The whole workspace, so that dependencies are built with the features that the tests
        // have.
        .args(["build", "--quiet", "--workspace", "--bins"])
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the binaries under test must build");
    let test = std::env::current_exe().expect("a test has a path");
    test.ancestors()
        .nth(2)
        .expect("a test is in target/<profile>/deps")
        .to_owned()
}
