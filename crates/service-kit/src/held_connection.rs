//! Long-lived connections that cost little.
//!
//! While a connection speaks HTTP, actix-http keeps two buffers of 8 KiB for it, and the state of a
//! parser. A stream of events that is silent for minutes needs neither. So once the head and the
//! first piece of its body are written, the HTTP machinery is told that the connection has ended,
//! and the socket becomes a [`Held`], which writes what is left of the body. No task belongs to it:
//! [`HangUps`] notices for all of them when a client goes away.

use std::{
    cell::Cell,
    convert::Infallible,
    io::{self, Write as _},
    net::Shutdown,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::{BodySize, MessageBody},
    web::Bytes,
};
use mio::{Events, Interest, Registry, Token};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::connection_pace::Pace;

/// The bytes around a chunk: its length in hexadecimal digits, and line ends.
const FRAME_OVERHEAD: usize = 12;

/// The chunk that ends a body.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// How many clients that hung up are noticed at once.
const HANG_UPS: usize = 256;

type Holder = Box<dyn FnOnce(Held)>;

/// What a connection's socket, its request and its task share.
#[derive(Default)]
pub(crate) struct Handover {
    holder: Cell<Option<Holder>>,
    phase: Cell<Phase>,
    socket: Cell<Option<TcpStream>>,
    body: Cell<Option<Waker>>,
    /// How the connection goes on while it speaks HTTP.
    pub(crate) pace: Pace,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    /// HTTP goes back and forth.
    #[default]
    Http,
    /// actix-http has everything that HTTP will write, but the system doesn't have all of it yet.
    Flushing,
    /// What actix-http writes from now on is discarded.
    Taken,
}

impl Handover {
    /// When the machinery has ended: gives the connection to who holds it, if somebody does.
    ///
    /// # Errors
    ///
    /// When the socket can't be taken from the runtime.
    pub(crate) fn pass_on(&self) -> io::Result<()> {
        if let Some(socket) = self.socket.take()
            && let Some(holder) = self.holder.take()
        {
            holder(Held::new(socket)?);
        }
        Ok(())
    }
}

/// A connection's socket, as actix-http sees it.
pub(crate) struct Socket {
    stream: Option<TcpStream>,
    handover: Rc<Handover>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> (Self, Rc<Handover>) {
        let handover = Rc::new(Handover::default());
        let socket = Self {
            stream: Some(stream),
            handover: Rc::clone(&handover),
        };
        (socket, handover)
    }

    /// What requests on this connection find it by.
    pub(crate) fn handover(&self) -> Rc<Handover> {
        Rc::clone(&self.handover)
    }

    fn is_taken(&self) -> bool {
        self.handover.phase.get() == Phase::Taken
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.is_taken() {
            self.handover.socket.set(self.stream.take());
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_taken() {
            return Poll::Ready(Ok(()));
        }
        let filled = buffer.filled().len();
        let read = self.stream()?.poll_read(context, buffer);
        if buffer.filled().len() > filled {
            self.handover.pace.heard();
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_taken() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = self.stream()?.poll_write(context, bytes);
        self.handover.pace.wrote(written.is_ready());
        written
    }

    /// actix-http flushes when the system has accepted everything that it wrote.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.handover.phase.get() == Phase::Flushing {
            self.handover.phase.set(Phase::Taken);
            if let Some(body) = self.handover.body.take() {
                body.wake();
            }
        }
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_taken() {
            return Poll::Ready(Ok(()));
        }
        self.stream()?.poll_shutdown(context)
    }
}

/// Responds with a body that `holder` continues after this first chunk, on a connection that
/// belongs to it from then on. `None` if the request's connection can't be held.
pub fn hold(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    first: Bytes,
    holder: impl FnOnce(Held) + 'static,
) -> Option<HttpResponse> {
    let handover = Rc::clone(request.conn_data::<Rc<Handover>>()?);
    let opening = Opening {
        first: Some(first),
        holder: Some(Box::new(holder)),
        handover,
    };
    // actix-http ends a connection that takes no further requests.
    Some(response.force_close().body(opening))
}

/// The start of the body. It ends when actix-http no longer owns the connection's socket.
struct Opening {
    first: Option<Bytes>,
    holder: Option<Holder>,
    handover: Rc<Handover>,
}

impl MessageBody for Opening {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if let Some(holder) = self.holder.take() {
            // actix-http asks for more only after taking what there was.
            self.handover.holder.set(Some(holder));
            self.handover.phase.set(Phase::Flushing);
        }
        if self.handover.phase.get() == Phase::Taken {
            return Poll::Ready(None);
        }
        self.handover.body.set(Some(context.waker().clone()));
        Poll::Pending
    }
}

/// A connection with an answer's head and the beginning of its body behind it, and nothing around
/// it.
pub struct Held {
    socket: mio::net::TcpStream,
}

impl Held {
    /// Takes a socket from the runtime.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn new(socket: TcpStream) -> io::Result<Self> {
        let socket = mio::net::TcpStream::from_std(socket.into_std()?);
        Ok(Self { socket })
    }

    /// Sends a piece of the body (RFC 9112, 7.1). A client that has left so much unread that there
    /// is no room for it in the system's buffers isn't waited for.
    ///
    /// # Errors
    ///
    /// When the client is gone or doesn't read.
    pub fn send(&self, piece: &[u8]) -> io::Result<()> {
        self.write(&chunk(piece))
    }

    /// Sends the body's last piece, and ends the body and the connection. Dropping it at once could
    /// take away the last piece before it is read, so it should be kept for a moment, until the
    /// client has noticed.
    ///
    /// # Errors
    ///
    /// As [`Held::send`].
    pub fn send_last(&self, piece: &[u8]) -> io::Result<()> {
        let mut last = chunk(piece);
        last.extend_from_slice(LAST_CHUNK);
        self.write(&last)?;
        self.socket.shutdown(Shutdown::Write)
    }

    /// Ends the body, and then the connection, as [`Held::send_last`] does.
    ///
    /// # Errors
    ///
    /// As [`Held::send`].
    pub fn end(&self) -> io::Result<()> {
        self.write(LAST_CHUNK)?;
        self.socket.shutdown(Shutdown::Write)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if (&self.socket).write(bytes)? < bytes.len() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::with_capacity(piece.len() + FRAME_OVERHEAD + LAST_CHUNK.len());
    // Writing into a vector doesn't fail.
    let _ = write!(chunk, "{:x}\r\n", piece.len());
    chunk.extend_from_slice(piece);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// Notices for many held connections when a client hangs up. Clients have nothing to say any more;
/// one that does all the same is taken for one that has hung up.
pub struct HangUps {
    poll: mio::Poll,
    events: Events,
}

/// Where connections are given to [`HangUps`], from any thread.
pub struct Noticed {
    registry: Registry,
}

impl HangUps {
    /// Notices nobody yet.
    ///
    /// # Errors
    ///
    /// When the system has no poller left.
    pub fn new() -> io::Result<(Self, Noticed)> {
        let poll = mio::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let events = Events::with_capacity(HANG_UPS);
        Ok((Self { poll, events }, Noticed { registry }))
    }

    /// Waits for clients that hang up, but no longer than this, and returns the numbers of their
    /// connections. Blocks its thread.
    ///
    /// # Errors
    ///
    /// When the poller fails.
    pub fn wait(&mut self, longest: Duration) -> io::Result<impl Iterator<Item = usize>> {
        match self.poll.poll(&mut self.events, Some(longest)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.events.clear(),
            polled => polled?,
        }
        Ok(self.events.iter().map(|event| event.token().0))
    }
}

impl Noticed {
    /// Has this connection's end noticed under this number, until it is dropped.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn add(&self, held: &mut Held, number: usize) -> io::Result<()> {
        let interest = Interest::READABLE;
        self.registry
            .register(&mut held.socket, Token(number), interest)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn connection() -> (Held, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, client) = tokio::join!(listener.accept(), client);
        (Held::new(accepted.unwrap().0).unwrap(), client.unwrap())
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_given_up_and_not_waited_for() {
        let (held, _client) = connection().await;
        let piece = [b'x'; 8 * 1024];
        // The system's buffers hold some megabytes.
        let full = (0..10_000).find_map(|_| held.send(&piece).err());
        assert_eq!(full.unwrap().kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn whoever_hangs_up_is_noticed_whenever_that_was_and_however_many_there_are() {
        let (mut hang_ups, noticed) = HangUps::new().unwrap();
        let count = 2 * HANG_UPS + 1;
        let mut connections = Vec::new();
        let mut clients = Vec::new();
        for number in 0..count {
            let (mut held, client) = connection().await;
            if number % 2 == 0 {
                noticed.add(&mut held, number).unwrap();
                clients.push(client);
            } else {
                drop(client);
                noticed.add(&mut held, number).unwrap();
            }
            connections.push(held);
        }
        let mut gone = Vec::new();
        let mut wait_for = |count| {
            while gone.len() < count {
                let before = gone.len();
                gone.extend(hang_ups.wait(Duration::from_secs(10)).unwrap());
                assert!(gone.len() > before, "nobody in time");
            }
        };
        wait_for(count / 2);
        drop(clients);
        wait_for(count);
        gone.sort_unstable();
        assert_eq!(gone, (0..count).collect::<Vec<_>>());
        assert_eq!(hang_ups.wait(Duration::ZERO).unwrap().count(), 0);
    }
}
