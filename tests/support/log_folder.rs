//! Where a test's processes log: `$TEST_LOG_DIR/<test>-<n>`, or below the target folder.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// A new folder, named after the test that runs on this thread.
pub fn create() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let root = std::env::var_os("TEST_LOG_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/test-logs")),
        PathBuf::from,
    );
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("test").replace("::", "-");
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = root.join(format!("{test}-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).expect("a log folder can be made");
    folder
}
