//! Whether an address leads to this machine. Browsers trust it without TLS.

use url::{Host, Url};

/// Whether its host is this machine's loopback.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
