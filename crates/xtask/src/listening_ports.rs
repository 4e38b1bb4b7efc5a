//! Free ports, and who holds one that isn't.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use crate::failure::{During, Failure};

/// Passes when the port of 127.0.0.1 can be listened on; else names the port, its holder and the
/// way out.
pub(crate) fn require_free(port: u16, purpose: &str, option: &str) -> Result<(), Failure> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => {
            let holder = holder(port)
                .map(|holder| format!(", held by {holder}"))
                .unwrap_or_default();
            Err(Failure::new(format!(
                "port {port} for {purpose} can't be used{holder} ({error}). End that process, or \
                 choose another port with {option} PORT."
            )))
        }
    }
}

/// The wanted port if it is free, else one that the system picks.
pub(crate) fn free_or_any(wanted: u16) -> Result<u16, Failure> {
    let address = |port| (Ipv4Addr::LOCALHOST, port);
    let listener = TcpListener::bind(address(wanted))
        .or_else(|_| TcpListener::bind(address(0)))
        .during("find a free port")?;
    Ok(listener.local_addr().during("find a free port")?.port())
}

/// The name and number of the process that listens on the port, where Linux lets us see it.
fn holder(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .find_map(|table| {
            let table = fs::read_to_string(table).ok()?;
            table.lines().find_map(|line| listening_inode(line, port))
        })?;
    let socket = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let id: u32 = process.file_name().to_str()?.parse().ok()?;
        let holds = fs::read_dir(process.path().join("fd"))
            .ok()?
            .flatten()
            .any(|file| {
                fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket.as_str())
            });
        if !holds {
            return None;
        }
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        Some(format!("{} (process {id})", name.trim()))
    })
}

/// The socket's inode, from a line of `/proc/net/tcp` (proc(5)) that listens on the port.
fn listening_inode(line: &str, port: u16) -> Option<u64> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let (_, local_port) = local.rsplit_once(':')?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?.parse().ok()?;
    (state == LISTEN && u16::from_str_radix(local_port, 16) == Ok(port)).then_some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernels_table_names_its_socket() {
        let line = "   3: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 \
                    1000        0 41245 1 0000000000000000 100 0 0 10 0";
        assert_eq!(listening_inode(line, 8080), Some(41245));
        assert_eq!(listening_inode(line, 8081), None);
        assert_eq!(listening_inode(&line.replace(" 0A ", " 01 "), 8080), None);
    }

    #[test]
    fn a_taken_port_is_named_with_its_holder_and_the_way_out() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let message = require_free(port, "the site", "--site-port")
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&port.to_string()) && message.contains("--site-port PORT"),
            "{message}"
        );
        if cfg!(target_os = "linux") {
            assert!(
                message.contains(&format!("(process {})", std::process::id())),
                "{message}"
            );
        }
        drop(listener);
        assert!(require_free(port, "the site", "--site-port").is_ok());
    }
}
