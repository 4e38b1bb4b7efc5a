//! Clients that keep to no rules: what no HTTP library would send, as slowly as they like.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use crate::deadline::PATIENCE;

/// How long a slow client waits for an answer before it sends its next byte.
const PAUSE: Duration = Duration::from_millis(100);

/// How a client sends its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// All at once, and then it waits.
    AtOnce,
    /// All at once, and then it says that nothing more will come.
    HalfClosing,
    /// All at once, and then one more byte after each pause, for ever.
    Dripping,
}

/// One way to behave badly.
#[derive(Debug, Clone)]
pub struct Assault {
    /// In a few words.
    pub name: &'static str,
    /// What is sent.
    pub bytes: Vec<u8>,
    /// How.
    pub manner: Manner,
}

impl Assault {
    fn new(name: &'static str, manner: Manner, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name,
            bytes: bytes.into(),
            manner,
        }
    }

    /// Behaves like that at this listener and returns all that comes back until the listener ends
    /// the connection, which it must.
    pub async fn strike(&self, listener: &str) -> String {
        let address = listener.replace("http://", "");
        let assault = self.clone();
        let struck = tokio::task::spawn_blocking(move || {
            let name = assault.name;
            assault
                .run(&address)
                .unwrap_or_else(|error| panic!("{name} was not ended: {error}"))
        });
        struck.await.expect("the thread ends")
    }

    /// Nothing good came of it: no answer, or only such as refuse.
    #[track_caller]
    pub fn assert_refused(&self, answer: &str) {
        let statuses = answer.lines().filter(|line| line.starts_with("HTTP/"));
        for status in statuses {
            assert!(status.starts_with("HTTP/1.1 4"), "{}: {status}", self.name);
        }
    }

    fn run(&self, address: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // The listener may have enough before all is sent.
        let _ = stream.write_all(&self.bytes);
        if self.manner == Manner::HalfClosing {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let dripping = self.manner == Manner::Dripping;
        stream.set_read_timeout(Some(if dripping { PAUSE } else { PATIENCE }))?;
        let end = Instant::now() + PATIENCE;
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => answer.extend_from_slice(&buffer[..length]),
                // What it hadn't read yet is thrown away with the connection.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < end => {
                    let _ = stream.write_all(b"a");
                }
                Err(error) => {
                    let answer = String::from_utf8_lossy(&answer).into_owned();
                    return Err(io::Error::other(format!("{error} after {answer:?}")));
                }
            }
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// Requests whose head is wrong, whatever they are for: each must end without an answer or with one
/// of refusal.
pub fn wrong_heads(path: &str) -> Vec<Assault> {
    use Manner::{AtOnce, Dripping, HalfClosing};
    let start = format!("POST {path} HTTP/1.1\r\nHost: x\r\n");
    let with = |headers: &str| format!("{start}{headers}\r\n");
    vec![
        Assault::new("silence", AtOnce, ""),
        Assault::new("half a head", AtOnce, start.clone()),
        Assault::new("a slow head", Dripping, format!("{start}X: ")),
        Assault::new("a slow request line", Dripping, "POST /"),
        Assault::new("a head that is broken off", HalfClosing, start.clone()),
        Assault::new("10 000 headers", AtOnce, with(&"X: y\r\n".repeat(10_000))),
        Assault::new(
            "a header of a mebibyte",
            AtOnce,
            with(&format!("X: {}\r\n", "y".repeat(1 << 20))),
        ),
        Assault::new(
            "a header without an end",
            AtOnce,
            format!("{start}X: {}", "y".repeat(1 << 20)),
        ),
        Assault::new(
            "an address of a mebibyte",
            AtOnce,
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(1 << 20)),
        ),
        Assault::new("a NUL in a header", AtOnce, with("X: a\0b\r\n")),
        Assault::new("a NUL in the address", AtOnce, "GET /\0 HTTP/1.1\r\n\r\n"),
        Assault::new("a header without a name", AtOnce, with(": y\r\n")),
        Assault::new("no length", AtOnce, with("Content-Length: x\r\n")),
        Assault::new("a negative length", AtOnce, with("Content-Length: -1\r\n")),
        Assault::new(
            "a length beyond 64 bits",
            AtOnce,
            with("Content-Length: 99999999999999999999999\r\n"),
        ),
        Assault::new(
            "two lengths",
            AtOnce,
            with("Content-Length: 1\r\nContent-Length: 2\r\n") + "ab",
        ),
        Assault::new(
            "a length and chunks",
            AtOnce,
            with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        ),
        Assault::new(
            "an unknown encoding",
            AtOnce,
            with("Transfer-Encoding: gzip\r\n") + "x",
        ),
        Assault::new(
            "another version",
            AtOnce,
            format!("GET {path} HTTP/9.9\r\n\r\n"),
        ),
        Assault::new("HTTP/2", AtOnce, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Assault::new(
            "TLS",
            AtOnce,
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
        ),
        Assault::new(
            "bytes",
            AtOnce,
            [&[0xff, 0, 0x80, b'\n'][..]; 4096].concat(),
        ),
    ]
}

/// Requests that begin well. What comes of them depends on whether the body matters.
pub fn wrong_bodies(path: &str) -> Vec<Assault> {
    use Manner::{AtOnce, Dripping, HalfClosing};
    let with = |headers: &str| format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    let chunked = with("Transfer-Encoding: chunked\r\n");
    vec![
        Assault::new("a slow body", Dripping, with("Content-Length: 1000\r\n")),
        Assault::new(
            "a body that never comes",
            AtOnce,
            with("Content-Length: 1000\r\n"),
        ),
        Assault::new(
            "a body that is broken off",
            HalfClosing,
            with("Content-Length: 1000\r\n") + "<xml>",
        ),
        Assault::new("a slow chunk", Dripping, format!("{chunked}fffff\r\n")),
        Assault::new(
            "a chunk beyond 64 bits",
            AtOnce,
            format!("{chunked}fffffffffffffffff1\r\n"),
        ),
        Assault::new(
            "a chunk without a size",
            AtOnce,
            format!("{chunked}x\r\n\r\n"),
        ),
        Assault::new(
            "a chunk's extension without an end",
            AtOnce,
            format!("{chunked}1;{}", "x".repeat(1 << 20)),
        ),
        Assault::new(
            "chunks without an end",
            AtOnce,
            format!("{chunked}{}", "1\r\na\r\n".repeat(200_000)),
        ),
        Assault::new(
            "garbage behind a request",
            AtOnce,
            format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n\0\u{1}garbage\r\n\r\n"),
        ),
        Assault::new(
            "garbage behind 200 requests",
            AtOnce,
            format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").repeat(200) + "\0garbage\r\n\r\n",
        ),
        Assault::new(
            "a slow second head",
            Dripping,
            format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\nGET {path} HTTP/1.1\r\nX: "),
        ),
        Assault::new(
            "a request that is half closed",
            HalfClosing,
            format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
        ),
    ]
}

/// Requests whose body doesn't end, in every way in which that can be. `head` is a request's line
/// and headers.
pub fn endless_bodies(head: &str) -> Vec<Assault> {
    use Manner::{AtOnce, Dripping};
    let with = |headers: &str| format!("{head}Host: x\r\n{headers}\r\n");
    let chunked = with("Transfer-Encoding: chunked\r\n");
    let announced = with("Content-Length: 1000\r\n");
    vec![
        Assault::new("a body that never comes", AtOnce, announced.clone()),
        Assault::new("half a body", AtOnce, format!("{announced}ticket=a")),
        Assault::new("a slow body", Dripping, announced),
        Assault::new("chunks that never come", AtOnce, chunked.clone()),
        Assault::new("half a chunk", AtOnce, format!("{chunked}9\r\nticket=")),
        Assault::new("a slow chunk", Dripping, format!("{chunked}fffff\r\n")),
        Assault::new("a slow extension", Dripping, format!("{chunked}1;")),
        Assault::new(
            "chunks without an end",
            AtOnce,
            format!("{chunked}{}", "1\r\na\r\n".repeat(200_000)),
        ),
        Assault::new(
            "a body without a bound",
            AtOnce,
            format!(
                "{}{}",
                with("Content-Length: 1000000000000\r\n"),
                "a".repeat(1 << 20)
            ),
        ),
        Assault::new(
            "a body that waits to be asked for",
            AtOnce,
            with("Expect: 100-continue\r\nContent-Length: 1000\r\n"),
        ),
    ]
}
