//! The load: connections that are kept, on each one request after the other, without pipelining.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::http_wire::Connection;

/// Requests made beforehand.
#[derive(Debug)]
pub(crate) struct Requests {
    all: Vec<Vec<u8>>,
    again: bool,
    next: AtomicUsize,
}

impl Requests {
    /// Each is sent once.
    pub(crate) const fn once(all: Vec<Vec<u8>>) -> Self {
        Self {
            all,
            again: false,
            next: AtomicUsize::new(0),
        }
    }

    /// They are sent in turn, over and over.
    pub(crate) const fn in_turn(all: Vec<Vec<u8>>) -> Self {
        Self {
            all,
            again: true,
            next: AtomicUsize::new(0),
        }
    }

    /// The next one; `None` when all were sent.
    pub(crate) fn next(&self) -> Option<&[u8]> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let place = if self.again {
            number.checked_rem(self.all.len())?
        } else {
            number
        };
        self.all.get(place).map(Vec::as_slice)
    }

    /// How many of those that are sent once were sent.
    pub(crate) fn sent(&self) -> usize {
        self.next.load(Ordering::Relaxed).min(self.all.len())
    }
}

/// Where to send them, and what is right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// The server.
    pub(crate) address: SocketAddr,
    /// The only status that is no error.
    pub(crate) status: u16,
}

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How long each took, in nanoseconds.
    pub(crate) nanoseconds: Vec<u32>,
    /// How many weren't answered, or not as they should be.
    pub(crate) errors: u64,
    /// What the first of them was.
    pub(crate) first_error: Option<String>,
    /// From the first request to the last answer.
    pub(crate) wall: Duration,
}

impl Outcome {
    /// Adds what came of another connection.
    pub(crate) fn add(&mut self, other: Self) {
        self.nanoseconds.extend(other.nanoseconds);
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// Notes a failure.
    pub(crate) fn fail(&mut self, what: String) {
        self.errors += 1;
        self.first_error.get_or_insert(what);
    }

    /// An error if there was one.
    pub(crate) fn check(&self) -> Result<(), String> {
        match &self.first_error {
            Some(error) => Err(format!("{} requests failed, first: {error}", self.errors)),
            None => Ok(()),
        }
    }
}

/// Opens connections, so that connecting is no part of what is measured.
pub(crate) async fn connections(target: Target, count: usize) -> Result<Vec<Connection>, String> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        let connection = Connection::open(target.address).await;
        connections.push(connection.map_err(|error| format!("can't connect: {error}"))?);
    }
    Ok(connections)
}

/// Sends until the time is up or the requests are.
pub(crate) async fn run(
    target: Target,
    requests: &Arc<Requests>,
    connections: Vec<Connection>,
    duration: Duration,
) -> Outcome {
    let began = Instant::now();
    let end = began + duration;
    let mut senders = JoinSet::new();
    for connection in connections {
        senders.spawn(send(connection, Arc::clone(requests), target.status, end));
    }
    let mut outcome = Outcome::default();
    while let Some(sent) = senders.join_next().await {
        match sent {
            Ok(sent) => outcome.add(sent),
            Err(error) => outcome.fail(error.to_string()),
        }
    }
    outcome.wall = began.elapsed();
    outcome
}

async fn send(
    mut connection: Connection,
    requests: Arc<Requests>,
    status: u16,
    end: Instant,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut sent_at = Instant::now();
    while sent_at < end
        && let Some(request) = requests.next()
    {
        match connection.exchange(request).await {
            Ok(answer) if answer.status == status => {}
            Ok(answer) => {
                let body = String::from_utf8_lossy(answer.body);
                outcome.fail(format!("status {}: {body}", answer.status));
            }
            Err(error) => {
                outcome.fail(error.to_string());
                break;
            }
        }
        let answered_at = Instant::now();
        let took = nanoseconds(answered_at - sent_at);
        outcome.nanoseconds.push(took);
        sent_at = answered_at;
    }
    outcome
}

/// A time of at most four seconds; a longer one counts as that.
pub(crate) fn nanoseconds(time: Duration) -> u32 {
    u32::try_from(time.as_nanos()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn requests_come_once_or_in_turn() {
        let all = || vec![b"a".to_vec(), b"b".to_vec()];
        let once = Requests::once(all());
        let turn = Requests::in_turn(all());
        let three = |requests: &Requests| {
            (0..3)
                .map(|_| requests.next().map(<[u8]>::to_vec))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            three(&once),
            [Some(b"a".to_vec()), Some(b"b".to_vec()), None]
        );
        assert_eq!(three(&turn)[2], Some(b"a".to_vec()));
        assert_eq!(once.sent(), 2);
    }

    #[tokio::test]
    async fn another_status_than_the_expected_one_is_an_error() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 64];
            while stream.read(&mut request).await.unwrap() > 0 {
                let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno";
                stream.write_all(answer).await.unwrap();
            }
        });
        let requests = Arc::new(Requests::once(vec![b"GET / HTTP/1.1\r\n\r\n".to_vec(); 3]));
        let target = Target {
            address,
            status: 200,
        };
        let connections = connections(target, 1).await.unwrap();
        let outcome = run(target, &requests, connections, Duration::from_mins(1)).await;
        assert_eq!((outcome.errors, outcome.nanoseconds.len()), (3, 3));
        let failure = outcome.check().unwrap_err();
        assert_eq!(failure, "3 requests failed, first: status 503: no");
    }
}
