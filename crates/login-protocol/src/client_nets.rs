//! Which client a request comes from, as far as its IP address tells, so that nobody gains by
//! having many addresses.

use std::net::{IpAddr, Ipv6Addr};

/// A network, and how many clients' shares all of it together may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Net {
    /// The network's first address.
    pub address: IpAddr,
    /// How many leading bits its addresses have in common.
    pub prefix: u8,
    /// How many clients' shares it may have.
    pub factor: u32,
}

/// How long an IPv6 prefix is, and how many clients' shares it may have. A /64 is the least that a
/// subscriber gets, a /56 what most do, and a /48 the most that is usual (RFC 6177; RIPE-690). But
/// where each phone gets a /64, a /48 holds thousands of people, so the wider ones may have more
/// than one share.
const IPV6: [(u8, u32); 3] = [(64, 1), (56, 4), (48, 16)];

/// What counts as one client, an IPv4 address or the /64 of an IPv6 address, and the wider networks
/// that contain it, the narrowest first. An IPv4 address stands alone: its neighbours are
/// unrelated.
pub fn nets(client: IpAddr) -> [Option<Net>; 3] {
    match client.to_canonical() {
        IpAddr::V6(address) => IPV6.map(|(prefix, factor)| {
            let rest = 128 - u32::from(prefix);
            Some(Net {
                address: Ipv6Addr::from_bits(address.to_bits() >> rest << rest).into(),
                prefix,
                factor,
            })
        }),
        address @ IpAddr::V4(_) => [
            Some(Net {
                address,
                prefix: 32,
                factor: 1,
            }),
            None,
            None,
        ],
    }
}

/// The widest network of a client; for an IPv4 address, itself.
pub fn widest_net(client: IpAddr) -> Net {
    let widest = nets(client).into_iter().flatten().last();
    widest.unwrap_or(Net {
        address: client,
        prefix: 0,
        factor: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(client: &str) -> Vec<String> {
        let nets = nets(client.parse().unwrap()).into_iter().flatten();
        nets.map(|net| format!("{}/{} {}", net.address, net.prefix, net.factor))
            .collect()
    }

    #[test]
    fn an_ipv6_client_is_in_three_nets() {
        assert_eq!(
            described("2001:db8:1:2345:6:7:8:9"),
            [
                "2001:db8:1:2345::/64 1",
                "2001:db8:1:2300::/56 4",
                "2001:db8:1::/48 16"
            ]
        );
    }

    #[test]
    fn an_ipv4_client_is_alone_also_when_it_is_written_as_ipv6() {
        assert_eq!(described("203.0.113.9"), ["203.0.113.9/32 1"]);
        assert_eq!(described("::ffff:203.0.113.9"), ["203.0.113.9/32 1"]);
    }
}
