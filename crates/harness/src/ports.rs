//! Ports of the loopback address that nobody listens on.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// Leaves the choice to whoever listens, which then says what it got.
pub const ANY: SocketAddr = local(0);

/// The loopback address with this port.
pub const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// A port for a process that has to be told one, or that listens on the same one after each
/// restart.
///
/// It lies below those that the system gives to whoever asks for any (32,768 and above, as Linux is
/// set up), so that nobody gets it in between; no two calls of a process return the same, and other
/// processes begin elsewhere.
pub fn free() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id() * 64;
    let ports = std::iter::repeat_with(|| {
        let number = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        u16::try_from(10_000 + number % 20_000).expect("it is a port")
    });
    let mut free = ports
        .take(1000)
        .filter(|port| TcpListener::bind(local(*port)).is_ok());
    free.next().expect("a port is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_comes_twice_and_the_system_gives_none_of_them_away() {
        let ports: std::collections::BTreeSet<u16> = (0..50).map(|_| free()).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| (10_000..30_000).contains(port)));
    }

    #[test]
    fn a_port_that_is_taken_is_passed_over() {
        let next = free() + 1;
        let _listener = TcpListener::bind(local(next));
        assert_ne!(free(), next);
    }
}
