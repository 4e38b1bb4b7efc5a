//! HTTP clients with bounds. Nothing here follows redirects or waits without limit.

use std::time::Duration;

/// Names the one TLS implementation of this process. Safe to call again.
pub fn install_tls() {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client that gives up on a request after `timeout`, its connection included.
///
/// # Errors
///
/// When the system's certificates can't be read.
pub fn build(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    install_tls();
    reqwest::Client::builder()
        .user_agent(concat!("wechat-login/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(2).min(timeout))
        .timeout(timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
}
