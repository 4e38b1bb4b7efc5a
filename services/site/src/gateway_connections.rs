//! Warm connections to the gateway.
//!
//! Each login asks the gateway once. reqwest parsed the address twice for each request, passed it
//! through five layers and gave it to another task over a pool behind a lock: 62,000 of the site's
//! 650,000 instructions for `POST /api/login`. Here each worker keeps hyper's own connections and
//! works on them itself while it waits for the answer, in 30,000.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, Uri,
    body::{Bytes, Incoming},
    client::conn::{
        TrySendError,
        http1::{self, SendRequest},
    },
};
use hyper_util::rt::TokioIo;
use service_kit::tcp;
use thread_local::ThreadLocal;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection is kept that nobody uses: the gateway closes one after 75 s, and a proxy
/// in between may do so after a minute.
const KEPT: Duration = Duration::from_secs(30);

/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

type Body = Full<Bytes>;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The connections of all workers to one host.
pub(crate) struct GatewayConnections {
    host: String,
    port: u16,
    /// Each worker's own, the one that was used last at the end.
    idle: ThreadLocal<RefCell<VecDeque<Idle>>>,
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

struct Connection {
    sender: SendRequest<Body>,
    /// `None` once it has ended.
    driver: Option<Driver>,
}

type Driver = http1::Connection<TokioIo<TcpStream>, Body>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Nothing listens there, or there is no such host.
    #[error("can't connect: {0}")]
    Connect(io::Error),
    /// Nothing answers there, not even to connect.
    #[error("connecting took longer than {} s", CONNECT_TIMEOUT.as_secs())]
    ConnectTimeout,
    /// The connection broke, or what came isn't HTTP.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// The answer is too large, or breaks off.
    #[error("can't read the answer: {0}")]
    Body(BoxError),
    /// No request has such a path.
    #[error("the path of the gateway's URL can't be requested: {0}")]
    Path(BoxError),
}

impl GatewayConnections {
    /// Connections to this host. None is made yet.
    pub(crate) const fn new(host: String, port: u16) -> Self {
        Self {
            host,
            port,
            idle: ThreadLocal::new(),
        }
    }

    /// Posts to this path with these headers, which have to name the host, and reads the whole
    /// answer.
    ///
    /// A connection that its other side has closed meanwhile is found out before anything is
    /// written to it, and another one is used. A request that was written isn't sent again.
    ///
    /// # Errors
    ///
    /// See [`ExchangeError`].
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Response<Bytes>, ExchangeError> {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() =
            Uri::try_from(path).map_err(|error| ExchangeError::Path(error.into()))?;
        *request.headers_mut() = headers;
        while let Some(mut connection) = self.take_idle() {
            match connection.send(request).await {
                Ok(response) => return self.read(connection, response).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        }
        let mut connection = self.connect().await?;
        match connection.send(request).await {
            Ok(response) => self.read(connection, response).await,
            Err(error) => Err(error.into_error().into()),
        }
    }

    async fn connect(&self) -> Result<Box<Connection>, ExchangeError> {
        let connecting = tcp::connect(&self.host, self.port);
        let stream = timeout(CONNECT_TIMEOUT, connecting)
            .await
            .map_err(|_| ExchangeError::ConnectTimeout)?
            .map_err(ExchangeError::Connect)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = Some(driver);
        Ok(Box::new(Connection { sender, driver }))
    }

    async fn read(
        &self,
        mut connection: Box<Connection>,
        response: Response<Incoming>,
    ) -> Result<Response<Bytes>, ExchangeError> {
        let (head, body) = response.into_parts();
        let body = drive(&mut connection.driver, whole(body)).await?;
        let Connection { sender, driver } = &mut *connection;
        // It is ready at once, or never will be.
        if let Some(Ok(())) = drive(driver, sender.ready()).now_or_never() {
            self.keep(connection);
        }
        Ok(Response::from_parts(head, body))
    }

    fn take_idle(&self) -> Option<Box<Connection>> {
        let idle = self.idle.get_or_default().borrow_mut().pop_back()?;
        // Those before it have been idle for even longer, and go when the next one is kept.
        (idle.since.elapsed() < KEPT).then_some(idle.connection)
    }

    fn keep(&self, connection: Box<Connection>) {
        let mut idle = self.idle.get_or_default().borrow_mut();
        while idle
            .front()
            .is_some_and(|idle| idle.since.elapsed() >= KEPT)
        {
            idle.pop_front();
        }
        idle.push_back(Idle {
            connection,
            since: Instant::now(),
        });
    }
}

impl Connection {
    async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        let Self { sender, driver } = self;
        let sent = sender.try_send_request(request);
        drive(driver, sent).await
    }
}

/// The whole body of an answer.
///
/// # Errors
///
/// It is too large, or breaks off.
pub(crate) async fn whole<B>(body: B) -> Result<Bytes, ExchangeError>
where
    B: hyper::body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let whole = Limited::new(body, LARGEST).collect().await;
    Ok(whole.map_err(ExchangeError::Body)?.to_bytes())
}

/// Works on a connection until this is done, which depends on it: there is no task that would have
/// to be woken.
async fn drive<Work: Future>(driver: &mut Option<Driver>, work: Work) -> Work::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        if let Some(driving) = driver
            && Pin::new(driving).poll(context).is_ready()
        {
            // What waits in it is given back when it is dropped.
            *driver = None;
        }
        work.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use hyper::{
        StatusCode,
        header::{HOST, HeaderValue},
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    const KEPT_OPEN: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nhi";

    struct Gateway(TcpListener);

    impl Gateway {
        async fn start() -> (Self, GatewayConnections) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let connections = GatewayConnections::new("127.0.0.1".to_owned(), port);
            (Self(listener), connections)
        }

        async fn accept(&self) -> TcpStream {
            self.0.accept().await.unwrap().0
        }
    }

    async fn answer(client: &mut TcpStream, text: &str) {
        let mut request = Vec::new();
        while !request.ends_with(b"body") {
            assert_ne!(client.read_buf(&mut request).await.unwrap(), 0);
        }
        let request = String::from_utf8(request).unwrap();
        assert!(request.starts_with("POST /v1/qrcodes HTTP/1.1\r\nhost: gateway\r\n"));
        client.write_all(text.as_bytes()).await.unwrap();
    }

    async fn post(connections: &GatewayConnections) -> Result<(StatusCode, Bytes), ExchangeError> {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("gateway"))]);
        let body = b"body".to_vec();
        let response = connections.post("/v1/qrcodes", headers, body).await?;
        Ok((response.status(), response.into_body()))
    }

    fn assert_created(answer: Result<(StatusCode, Bytes), ExchangeError>) {
        let answer = answer.expect("an answer");
        assert_eq!(answer, (StatusCode::CREATED, Bytes::from_static(b"hi")));
    }

    #[tokio::test]
    async fn a_connection_is_used_again_until_it_says_that_it_ends() {
        let (gateway, connections) = Gateway::start().await;
        let last = KEPT_OPEN.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
        let chunked = "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n";
        for _ in 0..2 {
            let serve = async {
                let mut client = gateway.accept().await;
                for text in [KEPT_OPEN, chunked, &last] {
                    answer(&mut client, text).await;
                }
            };
            let ask = async {
                for _ in 0..3 {
                    assert_created(post(&connections).await);
                }
            };
            tokio::join!(serve, ask);
        }
    }

    #[tokio::test]
    async fn one_that_was_closed_while_nobody_used_it_is_replaced() {
        let (gateway, connections) = Gateway::start().await;
        let serve = async {
            let mut client = gateway.accept().await;
            answer(&mut client, KEPT_OPEN).await;
            client
        };
        let (answered, client) = tokio::join!(post(&connections), serve);
        assert_created(answered);
        drop(client);
        // The runtime has heard of whatever came before this connection.
        let (later, _) = tokio::join!(connections.connect(), gateway.accept());
        assert!(later.is_ok());
        let serve = async {
            let mut client = gateway.accept().await;
            answer(&mut client, KEPT_OPEN).await;
        };
        let (answered, ()) = tokio::join!(post(&connections), serve);
        assert_created(answered);
    }

    #[tokio::test]
    async fn what_was_written_isnt_sent_again() {
        let (gateway, connections) = Gateway::start().await;
        let serve = async {
            let mut client = gateway.accept().await;
            answer(&mut client, KEPT_OPEN).await;
            answer(&mut client, "HTTP/1.1 201 Crea").await;
        };
        let ask = async {
            assert_created(post(&connections).await);
            post(&connections).await
        };
        // Nobody would accept another connection.
        let (broken, ()) = tokio::join!(ask, serve);
        assert!(matches!(broken, Err(ExchangeError::Http(_))), "{broken:?}");
    }

    #[tokio::test]
    async fn an_answer_has_its_bounds() {
        let (gateway, connections) = Gateway::start().await;
        for (length, is_read) in [(LARGEST, true), (LARGEST + 1, false)] {
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}");
            let text = format!("{head}\r\n\r\n{}", "x".repeat(length));
            let serve = async {
                let mut client = gateway.accept().await;
                answer(&mut client, &text).await;
            };
            let (read, ()) = tokio::join!(post(&connections), serve);
            match read {
                Ok((_, body)) => assert!(is_read && body.len() == length),
                Err(error) => assert!(!is_read && matches!(error, ExchangeError::Body(_))),
            }
        }
    }

    #[tokio::test]
    async fn where_nothing_listens_there_is_no_answer() {
        let (gateway, connections) = Gateway::start().await;
        drop(gateway);
        let refused = post(&connections).await;
        assert!(
            matches!(refused, Err(ExchangeError::Connect(_))),
            "{refused:?}"
        );
    }
}
