//! The version before this one. What it wrote goes on with this one, and replicas of both serve
//! side by side.

/// Its commit.
pub const COMMIT: &str = "1c2a62dc1d9a9f28c705b70ec03e9826acf8d88e";

/// The environment variable that names the folder of its `wechat-gateway` and `site`. `cargo xtask
/// test` builds them from the repository's history and sets it.
pub const BINARIES: &str = "LOGIN_OLDER_BINARIES";
