//! HTTP clients with bounds. Nothing here follows redirects, waits without limit, or goes through a
//! proxy that no setting of ours names.

use std::{fmt, time::Duration};

use reqwest::{Client, ClientBuilder};
use url::Url;

use crate::root_cause::root_cause;

/// What all calls say of the program that makes them.
pub(crate) const AGENT: &str = concat!("wechat-login/", env!("CARGO_PKG_VERSION"));

/// How long a connection is kept that nobody uses.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

/// How long connecting may take for a call that may take this long.
pub(crate) fn connect_timeout(timeout: Duration) -> Duration {
    Duration::from_secs(2).min(timeout)
}

/// The root cause of a failed request. It never contains the URL's query.
pub fn cause(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    // The outermost error only says that a request failed.
    error
        .source()
        .map_or_else(|| "the request failed".to_owned(), root_cause)
}

/// Names the one TLS implementation of this process. Safe to call again.
pub fn install_tls() {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// An HTTP or SOCKS5 proxy from a setting. Its `Debug` form is redacted, since the URL may contain a
/// password.
#[derive(Clone)]
pub struct Proxy(Url);

impl Proxy {
    /// Takes `http://`, `https://`, `socks5://` or `socks5h://` (the proxy looks names up) with a
    /// host and perhaps a port, a user and a password.
    ///
    /// # Errors
    ///
    /// Any other text. The message doesn't repeat it.
    pub fn parse(value: &str) -> Result<Self, String> {
        let url = Url::parse(value).map_err(|error| format!("is not a URL: {error}"))?;
        let is_known = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
        if !is_known || url.host_str().is_none_or(str::is_empty) {
            return Err("must begin with http://, https:// or socks5://".to_owned());
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("must end with the proxy's host and port".to_owned());
        }
        Ok(Self(url))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Proxy(…)")
    }
}

/// What every client begins with. The variables by which other programs choose a proxy
/// (`HTTP_PROXY`, `ALL_PROXY` and so on) are not obeyed: machines and container engines set them
/// for everything that runs, and a call inside an installation would hand its bearer key to the
/// proxy.
pub fn builder() -> ClientBuilder {
    install_tls();
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the builder that all others use is made"
    )]
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
}

/// A client that gives up on a request after `timeout`, its connection included.
///
/// # Errors
///
/// When the system's certificates can't be read.
pub fn build(timeout: Duration) -> reqwest::Result<Client> {
    bounded(timeout).build()
}

/// As [`build`], for calls that leave the installation: through this proxy, if there is one.
///
/// # Errors
///
/// As [`build`], or when the proxy's URL is invalid.
pub fn build_through(proxy: Option<&Proxy>, timeout: Duration) -> reqwest::Result<Client> {
    let mut client = bounded(timeout);
    if let Some(Proxy(url)) = proxy {
        client = client.proxy(reqwest::Proxy::all(url.clone())?);
    }
    client.build()
}

fn bounded(timeout: Duration) -> ClientBuilder {
    builder()
        .user_agent(AGENT)
        .connect_timeout(connect_timeout(timeout))
        .timeout(timeout)
        .pool_idle_timeout(IDLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_and_no_complaint_shows_its_password() {
        for address in [
            "http://proxy.example.com:3128",
            "https://user:hunter2@10.0.0.1:3128/",
            "http://[::1]:3128",
            "socks5://user:hunter2@proxy.example.com",
            "socks5h://10.0.0.1:1080/",
        ] {
            let proxy = Proxy::parse(address).unwrap();
            assert_eq!(format!("{proxy:?}"), "Proxy(…)");
        }
        for address in [
            "proxy.example.com:3128",
            "user:hunter2@proxy.example.com:3128",
            "socks4://user:hunter2@proxy.example.com",
            "socks5://user:hunter2@proxy.example.com:1080/path",
            "socks5://user:hunter2@:1080",
            "http://user:hunter2@proxy.example.com:port",
            "http://user:hunter2@proxy.example.com/path",
            "http://user:hunter2@proxy.example.com/?a=b",
            "http://user:hunter2@",
        ] {
            let wrong = Proxy::parse(address).unwrap_err();
            assert!(!wrong.contains("hunter2"), "{wrong}");
        }
    }
}
