//! A connection to one Redis server, which many requests share.
//!
//! Each request adds its commands to those that are to be written and waits for its replies; one
//! task writes all that came together since it last did, and hands out what it reads. The redis
//! crate's own connection does the same with a parser, a channel and a command's copy more: for a
//! scan's three round trips 60,000 instructions more, a fifth of all. It stays for TLS, for
//! Clusters, and for subscriptions.

use std::{
    collections::VecDeque,
    io, mem,
    path::Path,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use deadpool_redis::redis::{ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, RedisResult};
use futures_util::future::poll_fn;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::UnixStream,
    sync::oneshot,
    time::timeout,
};

use crate::tcp;

use super::{
    RESPONSE_TIMEOUT, Request,
    wire::{self, RedisReply, Reply},
};

/// How much is made room for before each read.
const READ: usize = 4 * 1024;

/// The connection; its copies are the same one. It ends with the last of them.
#[derive(Clone)]
pub(super) struct Link(Arc<Handle>);

struct Handle(Arc<Mutex<State>>);

/// What requests and the task share.
#[derive(Default)]
struct State {
    unwritten: Vec<u8>,
    waiting: VecDeque<Waiting>,
    task: Option<Waker>,
    /// Nobody wants anything any more.
    abandoned: bool,
    /// The task has ended.
    lost: bool,
}

/// Who waits for replies.
struct Waiting {
    replies: Vec<Reply>,
    missing: usize,
    refusal: Option<RedisError>,
    answer: oneshot::Sender<RedisResult<Vec<Reply>>>,
}

impl Link {
    /// A new connection to this server, driven by the thread's runtime; `None` if it isn't one that
    /// can be had without TLS.
    pub(super) async fn connect(server: &ConnectionInfo) -> RedisResult<Option<Self>> {
        let link = match server.addr() {
            ConnectionAddr::Tcp(host, port) => Self::over(tcp::connect(host, *port).await?),
            ConnectionAddr::Unix(path) => Self::over(UnixStream::connect(path as &Path).await?),
            _ => return Ok(None),
        };
        let settings = server.redis_settings();
        if let Some(password) = settings.password() {
            link.authenticate(settings.username(), password).await?;
        }
        if settings.db() != 0 {
            let database = settings.db().to_string();
            link.query(Request::Words(&["SELECT", &database])).await?;
        }
        Ok(Some(link))
    }

    async fn authenticate(&self, user: Option<&str>, password: &str) -> RedisResult<()> {
        if let Some(user) = user {
            let words = ["AUTH", user, password];
            match self.query(Request::Words(&words)).await {
                // Before 6.0 Redis knew no users.
                Err(error) if error.to_string().contains("wrong number of arguments") => {}
                other => return other.map(drop).map_err(|error| unauthenticated(&error)),
            }
        }
        let answered = self.query(Request::Words(&["AUTH", password])).await;
        answered.map(drop).map_err(|error| unauthenticated(&error))
    }

    fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let mut task = Task {
            stream,
            state: Arc::clone(&state),
            writing: Vec::new(),
            written: 0,
            received: Vec::new(),
        };
        tokio::spawn(async move {
            let ended = poll_fn(|context| task.poll(context)).await;
            task.end(&ended);
        });
        Self(Arc::new(Handle(state)))
    }

    /// The reply to each command, in their order.
    pub(super) async fn query(&self, request: Request<'_>) -> RedisResult<Vec<Reply>> {
        let (answer, answered) = oneshot::channel();
        {
            let mut state = lock(&self.0.0);
            if state.lost {
                return Err(gone().into());
            }
            let missing = request.write(&mut state.unwritten);
            if missing == 0 {
                return Ok(Vec::new());
            }
            state.waiting.push_back(Waiting {
                replies: Vec::with_capacity(missing),
                missing,
                refusal: None,
                answer,
            });
            if let Some(task) = state.task.take() {
                task.wake();
            }
        }
        match timeout(RESPONSE_TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(gone().into()),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.abandoned = true;
        if let Some(task) = state.task.take() {
            task.wake();
        }
    }
}

/// What writes and reads.
struct Task<S> {
    stream: S,
    state: Arc<Mutex<State>>,
    writing: Vec<u8>,
    written: usize,
    received: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Task<S> {
    /// Ready when the connection is of no more use.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<RedisResult<()>> {
        {
            let mut state = lock(&self.state);
            if state.abandoned {
                return Poll::Ready(Ok(()));
            }
            if state
                .task
                .as_ref()
                .is_none_or(|task| !task.will_wake(context.waker()))
            {
                state.task = Some(context.waker().clone());
            }
        }
        if let Poll::Ready(Err(error)) = self.write(context) {
            return Poll::Ready(Err(error.into()));
        }
        loop {
            self.received.reserve(READ);
            // After a read that leaves room Tokio knows that there is no more, and asks the system
            // nothing.
            let reading = pin!(self.stream.read_buf(&mut self.received));
            match ready!(reading.poll(context)) {
                Ok(0) => return Poll::Ready(Err(gone().into())),
                Ok(_) => self.hand_out()?,
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.written == self.writing.len() {
                self.writing.clear();
                self.written = 0;
                mem::swap(&mut self.writing, &mut lock(&self.state).unwritten);
                if self.writing.is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
            let unwritten = &self.writing[self.written..];
            match Pin::new(&mut self.stream).poll_write(context, unwritten) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(gone())),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn hand_out(&mut self) -> RedisResult<()> {
        let mut begin = 0;
        let mut state = lock(&self.state);
        while let Some((reply, length)) = wire::read(&self.received[begin..])? {
            begin += length;
            let first = state.waiting.front_mut().ok_or_else(unasked)?;
            if first.take(reply)
                && let Some(done) = state.waiting.pop_front()
            {
                done.answer();
            }
        }
        drop(state);
        self.received.drain(..begin);
        Ok(())
    }
}

impl<S> Task<S> {
    /// Tells all who wait, and who will ask.
    fn end(&mut self, ended: &RedisResult<()>) {
        let mut state = lock(&self.state);
        state.lost = true;
        for waiting in state.waiting.drain(..) {
            let lost = ended
                .as_ref()
                .err()
                .map_or_else(|| gone().into(), Clone::clone);
            // One that gave up wants no answer.
            let _ = waiting.answer.send(Err(lost));
        }
    }
}

/// Also when the runtime ends, or polling panics: who waits isn't left to a timeout.
impl<S> Drop for Task<S> {
    fn drop(&mut self) {
        self.end(&Err(gone().into()));
    }
}

impl Waiting {
    /// Whether it was the last one.
    fn take(&mut self, reply: RedisReply) -> bool {
        match reply {
            Ok(reply) => self.replies.push(reply),
            Err(refusal) => self.refusal = self.refusal.take().or(Some(refusal)),
        }
        self.missing -= 1;
        self.missing == 0
    }

    fn answer(self) {
        let answer = self.refusal.map_or(Ok(self.replies), Err);
        // One that gave up wants no answer.
        let _ = self.answer.send(answer);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn gone() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

fn unasked() -> RedisError {
    RedisError::from((ErrorKind::Parse, "Redis sent a reply that nobody asked for"))
}

fn unauthenticated(error: &RedisError) -> RedisError {
    if error.is_io_error() {
        return error.clone();
    }
    let words = "Password authentication failed";
    RedisError::from((ErrorKind::AuthenticationFailed, words))
}

#[cfg(test)]
mod tests {
    use tokio::{
        net::{TcpListener, TcpStream},
        runtime,
    };

    use super::*;

    #[test]
    fn who_asks_over_a_connection_whose_runtime_has_ended_isnt_left_to_a_timeout() {
        let runtime = || runtime::Builder::new_current_thread().enable_all().build();
        let ended = runtime().unwrap();
        let (link, _server) = ended.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap());
            let (accepted, client) = tokio::join!(listener.accept(), client);
            (Link::over(client.unwrap()), accepted.unwrap())
        });
        drop(ended);
        let asked = link.query(Request::Words(&["PING"]));
        let error = runtime().unwrap().block_on(asked).unwrap_err();
        assert!(!error.is_timeout(), "{error}");
    }
}
