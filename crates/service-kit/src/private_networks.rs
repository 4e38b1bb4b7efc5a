//! Which addresses only machines of a private network have: plain HTTP stays inside it.

use url::{Host, Url};

/// Whether only machines of a private network have such a name or address. A name without a dot is
/// one of a container network or of an office.
pub fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            !name.contains('.')
                || [".internal", ".local", ".lan", ".localhost", ".home.arpa"]
                    .iter()
                    .any(|end| name.ends_with(end))
        }
        Some(Host::Ipv4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_is_told_from_what_anybody_reaches() {
        for (url, expected) in [
            ("http://127.0.0.1:8000/", true),
            ("http://[::1]/", true),
            ("http://10.1.2.3/", true),
            ("http://192.168.0.7/", true),
            ("http://172.16.0.1/", true),
            ("http://[fd00::1]/", true),
            ("http://localhost/", true),
            ("http://crm:8000/", true),
            ("http://crm.internal/", true),
            ("http://crm.example.com/", false),
            ("http://172.32.0.1/", false),
            ("http://1.1.1.1/", false),
            ("http://[2606:4700::1111]/", false),
            ("http://internal.example.com/", false),
        ] {
            let url = Url::parse(url).expect("it is a URL");
            assert_eq!(is_private(&url), expected, "{url}");
        }
    }
}
