//! A browser's event stream, read only as far as to know what it says.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::http_wire::connect;

/// What the first event says.
pub(crate) const PENDING: &str = "\"status\":\"pending\"";
/// What the event after the scan says.
pub(crate) const CONFIRMED: &str = "\"status\":\"confirmed\"";

/// How many source addresses share the streams: each has ports enough for its share.
const SOURCES: u64 = 16;

/// A stream of its own connection; dropping it closes it.
#[derive(Debug)]
pub(crate) struct EventStream(TcpStream);

impl EventStream {
    /// Opens it and reads the first event, which has to be `pending`. The number spreads streams
    /// over source addresses.
    pub(crate) async fn open(address: SocketAddr, number: u64, request: &[u8]) -> io::Result<Self> {
        let last = u8::try_from(number % SOURCES + 2).unwrap_or(2);
        let stream = connect(address, Some(Ipv4Addr::new(127, 0, 0, last))).await?;
        let mut stream = Self(stream);
        stream.0.write_all(request).await?;
        stream.wait_for(PENDING).await?;
        Ok(stream)
    }

    /// Reads until this was said.
    pub(crate) async fn wait_for(&mut self, text: &str) -> io::Result<()> {
        let mut said = Vec::with_capacity(1024);
        loop {
            if self.0.read_buf(&mut said).await? == 0 {
                let said = String::from_utf8_lossy(&said);
                let told = said.lines().next().unwrap_or("nothing").to_owned();
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, told));
            }
            let found = said
                .windows(text.len())
                .any(|window| window == text.as_bytes());
            if found {
                return Ok(());
            }
            let refused =
                said.len() >= 12 && said.starts_with(b"HTTP/1.1") && &said[9..12] != b"200";
            if refused {
                let status = String::from_utf8_lossy(&said[9..12]).into_owned();
                return Err(io::Error::other(format!(
                    "the stream was answered {status}"
                )));
            }
        }
    }
}
