//! Which build of the program this is.

use std::sync::LazyLock;

/// The version, by semantic versioning.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that this was built from, as the environment variable `WECHAT_LOGIN_COMMIT` named it
/// to the compiler. `None` in a build that nobody told, for example from an archive of the sources.
pub const COMMIT: Option<&str> = match option_env!("WECHAT_LOGIN_COMMIT") {
    // A build argument of Docker that isn't given is empty.
    Some(commit) if !commit.is_empty() => Some(commit),
    _ => None,
};

/// Both, as `--version` shows them.
pub static DESCRIPTION: LazyLock<String> = LazyLock::new(|| match COMMIT {
    Some(commit) => format!("{VERSION} ({commit})"),
    None => VERSION.to_owned(),
});

/// Sets the metric `build_info`, which is always 1.
pub fn record() {
    let labels = [("version", VERSION), ("commit", COMMIT.unwrap_or_default())];
    metrics::gauge!("build_info", &labels).set(1.0);
}
