//! HTTP/1.1 as cheaply as a load generator needs it: requests made beforehand, answers read to
//! their announced end.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// As much as is read at once; the largest answer, a drawn code, fits.
const BUFFER: usize = 32 * 1024;

/// What announces a body's length.
const LENGTH: &[u8] = b"content-length:";

/// The part of an answer in front of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status.
    pub(crate) status: u16,
    /// How long it is, in bytes.
    pub(crate) length: usize,
    /// How long the body is that follows; 0 where none is announced.
    pub(crate) body_length: usize,
}

impl Head {
    /// Reads it; `None` while it isn't complete.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let status = digits(bytes.get(9..12)?);
        let mut body_length = 0;
        let mut begin = 0;
        loop {
            let line = begin + bytes[begin..].iter().position(|byte| *byte == b'\n')?;
            let text = &bytes[begin..line];
            if text.len() <= 1 {
                return Some(Self {
                    status: u16::try_from(status).unwrap_or(0),
                    length: line + 1,
                    body_length,
                });
            }
            let value = text.split_at_checked(LENGTH.len());
            if let Some((_, value)) = value.filter(|(name, _)| name.eq_ignore_ascii_case(LENGTH)) {
                body_length = digits(value);
            }
            begin = line + 1;
        }
    }
}

fn digits(text: &[u8]) -> usize {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

/// An answer, in the connection's buffer.
#[derive(Debug)]
pub(crate) struct Answer<'connection> {
    /// The status.
    pub(crate) status: u16,
    /// The head.
    pub(crate) head: &'connection [u8],
    /// The body.
    pub(crate) body: &'connection [u8],
}

/// A connection that is kept. One request after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            stream: connect(address, None).await?,
            buffer: vec![0; BUFFER],
        })
    }

    /// Sends a request and reads its answer whole.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let head = loop {
            filled += self.read(filled).await?;
            if let Some(head) = Head::parse(&self.buffer[..filled]) {
                break head;
            }
        };
        let end = head.length + head.body_length;
        if end > self.buffer.len() {
            self.buffer.resize(end, 0);
        }
        while filled < end {
            filled += self.read(filled).await?;
        }
        Ok(Answer {
            status: head.status,
            head: &self.buffer[..head.length],
            body: &self.buffer[head.length..end],
        })
    }

    async fn read(&mut self, filled: usize) -> io::Result<usize> {
        match self.stream.read(&mut self.buffer[filled..]).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

/// Connects, from a source address of its own where one address has too few ports.
pub(crate) async fn connect(
    address: SocketAddr,
    source: Option<Ipv4Addr>,
) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(source) = source {
        socket.bind((source, 0).into())?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 12\r\nx: y\r\n\r\n{\"a\":\"bcde\"}";
        let head = Head::parse(answer).unwrap();
        assert_eq!((head.status, head.body_length), (201, 12));
        assert_eq!(&answer[head.length..head.length + 3], b"{\"a");
        for end in 0..head.length {
            assert_eq!(Head::parse(&answer[..end]), None);
        }
    }

    #[test]
    fn an_answer_may_have_no_body() {
        let head = Head::parse(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        assert_eq!((head.status, head.body_length), (204, 0));
    }
}
