//! Long-lived connections that cost little.
//!
//! While a connection speaks HTTP, actix-http keeps two buffers of 8 KiB for it, and the state of a
//! parser. A stream of events that is silent for minutes needs neither. So once the head and the
//! first chunk of the body are written, actix-http is told that the connection has ended, and the
//! socket goes to a [`Held`], which writes the rest of the body.

use std::{
    cell::Cell,
    convert::Infallible,
    io,
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
use futures_util::future::LocalBoxFuture;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::timeout,
};

use crate::connection_pace::Pace;

/// How long a finished connection waits for its client to notice. Closing it at once could discard
/// the last chunk before it is read.
const FAREWELL: Duration = Duration::from_secs(5);

/// The bytes around a chunk: its length in hexadecimal digits, and line ends.
const FRAME_OVERHEAD: usize = 12;

type Holder = Box<dyn FnOnce(Held) -> LocalBoxFuture<'static, ()>>;

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
    /// What remains to be done when actix-http has finished: nothing, or holding the connection.
    pub(crate) fn take(&self) -> Option<LocalBoxFuture<'static, ()>> {
        let socket = self.socket.take()?;
        let holder = self.holder.take()?;
        Some(holder(Held { socket }))
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
pub fn hold<H>(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    first: Bytes,
    holder: H,
) -> Option<HttpResponse>
where
    H: AsyncFnOnce(Held) + 'static,
{
    let handover = Rc::clone(request.conn_data::<Rc<Handover>>()?);
    let opening = Opening {
        first: Some(first),
        holder: Some(Box::new(move |held| Box::pin(holder(held)))),
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
    socket: TcpStream,
}

impl Held {
    /// Sends a piece of the body (RFC 9112, 7.1). A client that has left so much unread that there
    /// is no room for it in the system's buffers isn't waited for.
    ///
    /// # Errors
    ///
    /// When the client is gone or doesn't read.
    pub fn send(&self, piece: &[u8]) -> io::Result<()> {
        let mut chunk = Vec::with_capacity(piece.len() + FRAME_OVERHEAD);
        chunk.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk)
    }

    /// Returns when the client has hung up. It has nothing to say any more; when it does all the
    /// same, it is taken for one that has.
    pub async fn gone(&self) {
        let mut unexpected = [0; 1];
        while self.socket.readable().await.is_ok() {
            match self.socket.try_read(&mut unexpected) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    }

    /// Ends the body, and then the connection.
    pub async fn end(mut self) {
        // An error means that there is nobody to say it to.
        if self.write(b"0\r\n\r\n").is_ok() && self.socket.shutdown().await.is_ok() {
            let _ = timeout(FAREWELL, self.gone()).await;
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if self.socket.try_write(bytes)? < bytes.len() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_given_up_and_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, client) = tokio::join!(listener.accept(), client);
        let held = Held {
            socket: accepted.unwrap().0,
        };
        held.socket.writable().await.unwrap();
        let piece = [b'x'; 8 * 1024];
        // The system's buffers hold some megabytes.
        let full = (0..10_000).find_map(|_| held.send(&piece).err());
        assert_eq!(full.unwrap().kind(), io::ErrorKind::WouldBlock);
        drop(client);
        held.gone().await;
    }
}
