//! Where a request really came from, behind reverse proxies.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// The networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Anybody can send these
/// headers, so without a proxy they mean nothing.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Believes these networks.
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether nobody's headers are believed.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the last one in `X-Forwarded-For` that no trusted proxy stands behind.
    pub fn client(&self, request: &HttpRequest) -> IpAddr {
        let peer = request
            .peer_addr()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
        let forwarded = request.headers().get_all("x-forwarded-for");
        let forwarded: Vec<&str> = forwarded.filter_map(|value| value.to_str().ok()).collect();
        self.walk(peer, &forwarded.join(","))
    }

    /// The protocol that the client spoke: the last one in `X-Forwarded-Proto` from a trusted proxy. Our own
    /// listeners speak `http`.
    pub fn protocol(&self, request: &HttpRequest) -> &'static str {
        let peer = request.peer_addr().map(|address| address.ip());
        if !peer.is_some_and(|peer| self.contains(peer)) {
            return "http";
        }
        let forwarded = request.headers().get_all("x-forwarded-proto").last();
        let last = forwarded.and_then(|value| value.as_bytes().rsplit(|byte| *byte == b',').next());
        match last {
            Some(last) if last.trim_ascii().eq_ignore_ascii_case(b"https") => "https",
            _ => "http",
        }
    }

    fn walk(&self, peer: IpAddr, forwarded: &str) -> IpAddr {
        let mut client = peer;
        for hop in forwarded.rsplit(',') {
            if !self.contains(client) {
                break;
            }
            let Ok(address) = hop.trim().parse() else {
                break;
            };
            client = address;
        }
        client.to_canonical()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(peer: &str, forwarded: &str) -> String {
        let proxies = TrustedProxies::new(vec![
            "10.0.0.0/8".parse().unwrap(),
            "127.0.0.1/32".parse().unwrap(),
        ]);
        proxies.walk(peer.parse().unwrap(), forwarded).to_string()
    }

    #[test]
    fn a_strangers_header_means_nothing() {
        assert_eq!(walk("203.0.113.9", "198.51.100.1"), "203.0.113.9");
    }

    #[test]
    fn the_last_untrusted_hop_is_the_client() {
        assert_eq!(
            walk("127.0.0.1", "198.51.100.1, 203.0.113.9, 10.1.1.1"),
            "203.0.113.9"
        );
    }

    #[test]
    fn garbage_ends_the_walk() {
        assert_eq!(walk("10.0.0.1", "198.51.100.1, unknown"), "10.0.0.1");
        assert_eq!(walk("10.0.0.1", ""), "10.0.0.1");
    }

    #[test]
    fn mapped_addresses_are_those_they_map() {
        assert_eq!(walk("::ffff:10.0.0.1", "203.0.113.9"), "203.0.113.9");
    }
}
