//! Where a request really came from, behind reverse proxies.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderValue},
};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_METHOD: &str = "x-forwarded-method";
const FORWARDED_URI: &str = "x-forwarded-uri";

/// How many entries of a header are looked at. No chain of proxies is nearly as long, and what a
/// client puts in front of it mustn't cost anything.
const MOST_ENTRIES: usize = 32;

/// The longest text that can be an address: a bracketed IPv6 address that maps an IPv4 one, a zone,
/// a port and quotes.
const LONGEST_ENTRY: usize = 80;

/// The networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. Anybody can send these
/// headers, so without a trusted proxy they mean nothing.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// The request that a trusted proxy asks about (forward authentication).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forwarded<'request> {
    /// `https` or `http`.
    pub protocol: &'static str,
    /// The host, perhaps with a port.
    pub host: &'request str,
    /// The method; `None` if the proxy doesn't say.
    pub method: Option<&'request str>,
    /// Path and query; `None` if the proxy doesn't say.
    pub uri: Option<&'request str>,
}

/// What the headers say, as far as they are believed.
struct Walk {
    /// Who asked.
    client: IpAddr,
    /// How many entries of `X-Forwarded-For` that took, so that the last ones of
    /// `X-Forwarded-Proto`, of which proxies add one each as well, can be told from what the client
    /// sent.
    believed: usize,
}

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

    /// The client's IP address: the last one in `X-Forwarded-For` that isn't a trusted proxy's.
    ///
    /// If a trusted proxy's entry isn't an address, the client is that proxy: entries further left
    /// come from nobody trusted, so the client could choose them.
    pub fn client(&self, request: &HttpRequest) -> IpAddr {
        self.walk(peer(request), request.headers()).client
    }

    /// The client's protocol, `https` or `http`: what the proxy that it connected to reports, and
    /// `http` without a trusted proxy, because these listeners speak nothing else.
    pub fn protocol(&self, request: &HttpRequest) -> &'static str {
        let peer = peer(request);
        if !self.contains(peer) {
            return "http";
        }
        let headers = request.headers();
        let believed = self.walk(peer, headers).believed.max(1);
        // A proxy that replaces the header leaves fewer entries than there are proxies. Then the
        // first one is from a proxy as well.
        let said = Entries::of(headers, FORWARDED_PROTO).take(believed).last();
        match said {
            Some(said) if said.eq_ignore_ascii_case(b"https") => "https",
            _ => "http",
        }
    }

    /// What a trusted proxy says of the request that it asks about. `None` from anybody else, and
    /// when it doesn't name a host.
    ///
    /// Of several values the last one counts, which the nearest proxy has added.
    pub fn forwarded<'request>(
        &self,
        request: &'request HttpRequest,
    ) -> Option<Forwarded<'request>> {
        if !self.contains(peer(request)) {
            return None;
        }
        let headers = request.headers();
        // A path may contain commas.
        let last = |name| headers.get_all(name).last()?.to_str().ok();
        let host = Entries::of(headers, FORWARDED_HOST).next()?;
        Some(Forwarded {
            protocol: self.protocol(request),
            host: str::from_utf8(host).ok()?,
            method: last(FORWARDED_METHOD),
            uri: last(FORWARDED_URI),
        })
    }

    fn walk(&self, peer: IpAddr, headers: &HeaderMap) -> Walk {
        let mut walk = Walk {
            client: peer,
            believed: 0,
        };
        if self.contains(peer) {
            for entry in Entries::of(headers, FORWARDED_FOR) {
                let Some(address) = address_in(entry) else {
                    break;
                };
                walk.client = address;
                walk.believed += 1;
                if !self.contains(address) {
                    break;
                }
            }
        }
        walk.client = walk.client.to_canonical();
        walk
    }
}

fn peer(request: &HttpRequest) -> IpAddr {
    request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}

/// The entries of a header that is a list (RFC 9110, 5.6.1), the last one first: of all its lines,
/// as bytes, since a client may have put any in front, and without the empty ones, which mean
/// nothing.
struct Entries<'request> {
    lines: Vec<&'request [u8]>,
    left: usize,
}

impl<'request> Entries<'request> {
    fn of(headers: &'request HeaderMap, name: &str) -> Self {
        Self {
            lines: headers.get_all(name).map(HeaderValue::as_bytes).collect(),
            left: MOST_ENTRIES,
        }
    }
}

impl<'request> Iterator for Entries<'request> {
    type Item = &'request [u8];

    fn next(&mut self) -> Option<&'request [u8]> {
        while self.left > 0 {
            self.left -= 1;
            let line = self.lines.pop()?;
            let entry = match line.iter().rposition(|byte| *byte == b',') {
                Some(comma) => {
                    self.lines.push(&line[..comma]);
                    &line[comma + 1..]
                }
                None => line,
            };
            let entry = entry.trim_ascii();
            if !entry.is_empty() {
                return Some(entry);
            }
        }
        None
    }
}

/// The address in an entry as proxies write it: alone, with a port, an IPv6 address also in
/// brackets or with a zone, and all of it perhaps in quotes. The zone names an interface of the
/// proxy's, so it says nothing here.
fn address_in(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry.get(..entry.len().min(LONGEST_ENTRY + 1))?).ok()?;
    if text.len() > LONGEST_ENTRY {
        return None;
    }
    let text = match text.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => text,
    };
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return ipv6(address).filter(|_| is_port);
    }
    let v4 = || {
        let alone = text.parse().ok();
        alone.or_else(|| text.parse().ok().map(|with: SocketAddrV4| *with.ip()))
    };
    v4().map(IpAddr::V4).or_else(|| ipv6(text))
}

fn ipv6(text: &str) -> Option<IpAddr> {
    let address = match text.split_once('%') {
        Some((_, "")) => return None,
        Some((address, _zone)) => address,
        None => text,
    };
    address.parse().ok().map(|address: Ipv6Addr| address.into())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(vec![
            "10.0.0.0/8".parse().unwrap(),
            "127.0.0.1/32".parse().unwrap(),
            "fd00::/8".parse().unwrap(),
        ])
    }

    fn request(peer: &str, lines: &[(&str, &[u8])]) -> HttpRequest {
        let peer: IpAddr = peer.parse().unwrap();
        let request = TestRequest::default().peer_addr((peer, 51000).into());
        let request = lines.iter().fold(request, |request, (name, value)| {
            request.append_header((*name, HeaderValue::from_bytes(value).unwrap()))
        });
        request.to_http_request()
    }

    fn walk_bytes(peer: &str, forwarded: &[&[u8]]) -> String {
        let lines: Vec<_> = forwarded
            .iter()
            .map(|line| (FORWARDED_FOR, *line))
            .collect();
        proxies().client(&request(peer, &lines)).to_string()
    }

    fn walk(peer: &str, forwarded: &str) -> String {
        walk_bytes(peer, &[forwarded.as_bytes()])
    }

    #[test]
    fn only_a_trusted_proxy_says_which_request_it_asks_about() {
        let lines: [(&str, &[u8]); 6] = [
            ("x-forwarded-host", b"forged.example"),
            (
                "x-forwarded-host",
                b"also-forged.example, wiki.example:8443",
            ),
            ("x-forwarded-proto", b"https"),
            ("x-forwarded-method", b"POST"),
            ("x-forwarded-uri", b"/forged"),
            ("x-forwarded-uri", b"/a,b?c=d,e"),
        ];
        let told = request("10.0.0.1", &lines);
        let expected = Forwarded {
            protocol: "https",
            host: "wiki.example:8443",
            method: Some("POST"),
            uri: Some("/a,b?c=d,e"),
        };
        assert_eq!(proxies().forwarded(&told), Some(expected));
        assert_eq!(proxies().forwarded(&request("192.0.2.1", &lines)), None);
        assert_eq!(proxies().forwarded(&request("10.0.0.1", &lines[2..])), None);
        let alone = request("10.0.0.1", &lines[..1]);
        let alone = proxies().forwarded(&alone).map(|it| (it.protocol, it.uri));
        assert_eq!(alone, Some(("http", None)));
    }

    #[test]
    fn a_strangers_header_means_nothing() {
        assert_eq!(walk("203.0.113.9", "198.51.100.1"), "203.0.113.9");
        assert_eq!(walk("203.0.113.9", "127.0.0.1"), "203.0.113.9");
    }

    #[test]
    fn the_last_untrusted_hop_is_the_client() {
        assert_eq!(
            walk("127.0.0.1", "198.51.100.1, 203.0.113.9, 10.1.1.1"),
            "203.0.113.9"
        );
        assert_eq!(walk("127.0.0.1", "10.2.2.2, 10.1.1.1"), "10.2.2.2");
    }

    #[test]
    fn mapped_addresses_are_those_they_map() {
        assert_eq!(walk("::ffff:10.0.0.1", "203.0.113.9"), "203.0.113.9");
        assert_eq!(walk("10.0.0.1", "::ffff:203.0.113.9"), "203.0.113.9");
        let through = "203.0.113.9, [::ffff:10.0.0.2]:443";
        assert_eq!(walk("10.0.0.1", through), "203.0.113.9");
    }

    /// Every way in which a proxy writes an address.
    #[test]
    fn an_address_counts_as_proxies_write_it() {
        for (entry, client) in [
            ("203.0.113.10", "203.0.113.10"),
            ("203.0.113.10:51000", "203.0.113.10"),
            ("\t 203.0.113.10 \t", "203.0.113.10"),
            ("\"203.0.113.10\"", "203.0.113.10"),
            ("\"203.0.113.10:51000\"", "203.0.113.10"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:443", "fe80::1"),
            ("[::ffff:203.0.113.10]:443", "203.0.113.10"),
            ("203.0.113.10,", "203.0.113.10"),
            ("203.0.113.10 , ,, ", "203.0.113.10"),
            (
                "198.51.100.1, 203.0.113.10:51000, 10.1.1.1:80",
                "203.0.113.10",
            ),
            ("[2001:db8::1]:443, [fd00::7]:443,", "2001:db8::1"),
        ] {
            assert_eq!(walk("10.0.0.1", entry), client, "{entry:?}");
        }
    }

    /// A trusted proxy reports no address for its client. What the client itself sent doesn't
    /// count.
    #[test]
    fn what_is_no_address_ends_the_walk_at_the_proxy_that_said_it() {
        for garbage in [
            "unknown",
            "_hidden",
            "for=203.0.113.9",
            "203.0.113",
            "203.0.113.9:",
            "203.0.113.9:65536",
            "203.0.113.9:+80",
            "203.0.113.9:80:80",
            "203.0.113.9%eth0",
            "0203.0.113.9",
            "203.0.113.9 80",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]443",
            "[2001:db8::1]:",
            "[2001:db8::1]:+1",
            "[203.0.113.9]:80",
            "fe80::1%",
            "\"203.0.113.9",
            "203.0.113.9\"",
            "\"",
            "\"\"",
            "localhost",
            "２０３.0.113.9",
            &"1".repeat(100_000),
        ] {
            let header = format!("198.51.100.1, {garbage}");
            assert_eq!(walk("10.0.0.1", &header), "10.0.0.1", "{garbage:?}");
            let header = format!("198.51.100.1, {garbage}, 10.1.1.1");
            assert_eq!(walk("10.0.0.1", &header), "10.1.1.1", "{garbage:?}");
            // In front of what a proxy appended it is the client's own, and changes nothing.
            let header = format!("{garbage}, 203.0.113.10:51000");
            assert_eq!(walk("10.0.0.1", &header), "203.0.113.10", "{garbage:?}");
        }
        assert_eq!(walk("10.0.0.1", ""), "10.0.0.1");
        assert_eq!(walk("10.0.0.1", " , ,"), "10.0.0.1");
    }

    #[test]
    fn bytes_that_are_no_text_are_one_entry_and_not_the_header() {
        let header = b"198.51.100.1, \xff\xfe, 203.0.113.10";
        assert_eq!(walk_bytes("10.0.0.1", &[header]), "203.0.113.10");
        let header = b"\xe4\xbd, 203.0.113.10:80, 10.1.1.1";
        assert_eq!(walk_bytes("10.0.0.1", &[header]), "203.0.113.10");
        let header = b"198.51.100.1, 203.0.113.10\xff";
        assert_eq!(walk_bytes("10.0.0.1", &[header]), "10.0.0.1");
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines: [&[u8]; 3] = [b"198.51.100.1", b"203.0.113.10", b"10.2.2.2, 10.1.1.1"];
        assert_eq!(walk_bytes("10.0.0.1", &lines), "203.0.113.10");
        let lines: [&[u8]; 3] = [b"\xff", b"203.0.113.10:80,", b""];
        assert_eq!(walk_bytes("10.0.0.1", &lines), "203.0.113.10");
        let lines: [&[u8]; 2] = [b"203.0.113.10", b"unknown"];
        assert_eq!(walk_bytes("10.0.0.1", &lines), "10.0.0.1");
    }

    #[test]
    fn a_long_header_is_no_work() {
        let spoofed = "198.51.100.1, ".repeat(5000);
        let header = format!("{spoofed}203.0.113.10");
        assert_eq!(walk("10.0.0.1", &header), "203.0.113.10");
        // Beyond every chain of proxies nothing is believed.
        let header = format!("203.0.113.10{}", ", 10.1.1.1".repeat(MOST_ENTRIES));
        assert_eq!(walk("10.0.0.1", &header), "10.1.1.1");
        let header = format!("203.0.113.10{}", ",".repeat(100_000));
        assert_eq!(walk("10.0.0.1", &header), "10.0.0.1");
    }

    fn protocol(peer: &str, forwarded: &[&str], protocols: &[&str]) -> &'static str {
        let forwarded = forwarded
            .iter()
            .map(|line| (FORWARDED_FOR, line.as_bytes()));
        let protocols = protocols
            .iter()
            .map(|line| (FORWARDED_PROTO, line.as_bytes()));
        let lines: Vec<_> = forwarded.chain(protocols).collect();
        proxies().protocol(&request(peer, &lines))
    }

    #[test]
    fn the_protocol_is_that_of_the_clients_own_connection() {
        assert_eq!(protocol("10.0.0.1", &[], &[]), "http");
        assert_eq!(protocol("10.0.0.1", &[], &["https"]), "https");
        assert_eq!(
            protocol("10.0.0.1", &["203.0.113.9"], &[" HTTPS\t"]),
            "https"
        );
        assert_eq!(protocol("203.0.113.9", &[], &["https"]), "http");
        for nonsense in ["", "ftp", "https2", "\"https\"", "https http"] {
            assert_eq!(
                protocol("10.0.0.1", &[], &[nonsense]),
                "http",
                "{nonsense:?}"
            );
        }
        // TLS ends at the first of two proxies, and the second one adds its own connection's.
        let two = ["203.0.113.9, 10.1.1.1"];
        assert_eq!(protocol("10.0.0.1", &two, &["https, http"]), "https");
        assert_eq!(protocol("10.0.0.1", &two, &["https", "http,"]), "https");
        assert_eq!(protocol("10.0.0.1", &two, &["https"]), "https");
        // What the client sent itself stands in front of that.
        assert_eq!(protocol("10.0.0.1", &two, &["https, http, http"]), "http");
        assert_eq!(
            protocol("10.0.0.1", &["203.0.113.9"], &["https, http"]),
            "http"
        );
    }
}
