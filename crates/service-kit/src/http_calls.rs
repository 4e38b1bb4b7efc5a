//! Many calls to one HTTP server, over connections that are kept from one to the next.
//!
//! It is hyper's own connection with nothing around it: a call parses no URL, asks no policy for
//! redirects (they aren't followed), and goes through no pool that other servers share. No task
//! drives a connection: whoever waits for an answer does, so that no other thread and no other task
//! is woken. With reqwest the gateway's call of `user/info` took 78,000 instructions and the site's
//! of the gateway 62,000; here they take less than 30,000. reqwest stays for what is rare: calls
//! through a proxy, and all that has another address each time.

use std::{
    error::Error,
    mem,
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::poll_fn};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::{
        TrySendError,
        http1::{self, SendRequest},
    },
    header::{ACCEPT, HOST, HeaderMap, HeaderValue, USER_AGENT},
    http::uri::{Authority, PathAndQuery},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::crypto::ring;
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service as _;
use url::{Host, Url};

use crate::{
    http_client::{self, AGENT, IDLE, Proxy},
    root_cause::root_cause,
    tcp,
};

/// Calls to one server.
pub struct HttpCalls {
    way: Way,
    /// What lies in front of every path: nothing, or a path that begins with a slash and doesn't
    /// end with one.
    base_path: String,
    timeout: Duration,
}

enum Way {
    Direct(Box<Direct>),
    /// Through a proxy, to the server at this address.
    Proxied(reqwest::Client, Url),
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Why there is no answer. No form of it holds an address's query.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No connection could be made.
    #[error("{}", root_cause(&**.0))]
    Connect(Box<dyn Error + Send + Sync>),
    /// It wasn't answered in time.
    #[error("it took too long")]
    Timeout,
    /// The connection ended after the call was sent and before an answer came.
    #[error("{}", root_cause(.0))]
    Closed(#[source] hyper::Error),
    /// The answer ended in the middle, or is no HTTP.
    #[error("{}", root_cause(.0))]
    Broken(#[source] hyper::Error),
    /// The answer's body is longer than what is read.
    #[error("a body of more than {limit} bytes")]
    TooLarge {
        /// The HTTP status.
        status: StatusCode,
        /// The bytes that would have been read.
        limit: usize,
    },
    /// A call through a proxy failed.
    #[error("{}", http_client::cause(.0))]
    Proxied(#[source] reqwest::Error),
}

impl CallError {
    /// Whether it took too long.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout => true,
            Self::Proxied(error) => error.is_timeout(),
            _ => false,
        }
    }

    /// Whether the connection ended after the call was sent and before an answer came.
    pub fn is_closed_connection(&self) -> bool {
        match self {
            Self::Closed(_) => true,
            Self::Proxied(error) => {
                error.is_request() && !error.is_connect() && !error.is_timeout()
            }
            _ => false,
        }
    }
}

impl HttpCalls {
    /// Calls to the server at this address, each of which is given up after `timeout`, its
    /// connection included. They go through the proxy, if there is one. Connects lazily.
    ///
    /// # Errors
    ///
    /// When the system's certificates can't be read, or an address can't be used.
    pub fn new(
        server: &Url,
        proxy: Option<&Proxy>,
        timeout: Duration,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let way = if proxy.is_some() {
            let client = http_client::build_through(proxy, timeout)?;
            Way::Proxied(client, server.clone())
        } else {
            Way::Direct(Box::new(Direct::new(server, timeout)?))
        };
        Ok(Self {
            way,
            base_path: server.path().trim_end_matches('/').to_owned(),
            timeout,
        })
    }

    /// Makes a call and reads its answer, of which the body may have `limit` bytes. `path` begins
    /// with a slash and may have a query. Redirects are answers as any other.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
        limit: usize,
    ) -> Result<Answer, CallError> {
        let target = format!("{}{path}", self.base_path);
        match &self.way {
            Way::Direct(direct) => {
                let called = direct.call(method, target, headers, body, limit);
                timeout(self.timeout, called)
                    .await
                    .unwrap_or(Err(CallError::Timeout))
            }
            Way::Proxied(client, server) => {
                let mut url = server.clone();
                let (path, query) = target
                    .split_once('?')
                    .map_or((&*target, None), |(path, query)| (path, Some(query)));
                url.set_path(path);
                url.set_query(query);
                let request = client.request(method, url).headers(headers).body(body);
                proxied(request, limit).await
            }
        }
    }
}

async fn proxied(request: reqwest::RequestBuilder, limit: usize) -> Result<Answer, CallError> {
    let wrong = |error: reqwest::Error| CallError::Proxied(error.without_url());
    let mut response = request.send().await.map_err(wrong)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(wrong)? {
        if body.len() + chunk.len() > limit {
            let status = response.status();
            return Err(CallError::TooLarge { status, limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status(),
        headers: mem::take(response.headers_mut()),
        body: body.into(),
    })
}

/// Connections without a proxy.
struct Direct {
    connector: Connector,
    connect_timeout: Duration,
    host: HeaderValue,
    idle: Mutex<Vec<Idle>>,
}

/// How a connection is made.
enum Connector {
    /// To this host and port. The system's certificates aren't read for it.
    Plain(String, u16),
    Tls(HttpsConnector<HttpConnector>, Uri),
}

/// A connection that nobody uses.
struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    driver: Option<Driver>,
    /// Whose runtime watches its socket.
    thread: ThreadId,
}

type Driver = http1::Connection<MaybeHttpsStream<TokioIo<TcpStream>>, Full<Bytes>>;

impl Direct {
    fn new(server: &Url, timeout: Duration) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let connect_timeout = http_client::connect_timeout(timeout);
        let host = server.host_str().ok_or("the address has no host")?;
        let authority: Authority = match server.port() {
            Some(port) => format!("{host}:{port}").parse()?,
            None => host.parse()?,
        };
        let host = HeaderValue::from_str(authority.as_str())?;
        Ok(Self {
            connector: Connector::new(server, authority, connect_timeout)?,
            connect_timeout,
            host,
            idle: Mutex::default(),
        })
    }

    /// A connection that the server has closed meanwhile is found out before anything is written to
    /// it, and another one is used. A call that was written isn't made again.
    async fn call(
        &self,
        method: Method,
        target: String,
        mut headers: HeaderMap,
        body: Bytes,
        limit: usize,
    ) -> Result<Answer, CallError> {
        let target = PathAndQuery::from_maybe_shared(Bytes::from(target))
            .map_err(|error| CallError::Connect(error.into()))?;
        headers.insert(HOST, self.host.clone());
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = target.into();
        *request.headers_mut() = headers;

        while let Some(mut connection) = self.kept() {
            match connection.send(request).await {
                Ok(response) => return self.read(connection, response, limit).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(unanswered(error.into_error())),
                },
            }
        }
        // In a box: connecting takes kilobytes of room, which every call would hold and move
        // around.
        let mut connection = Box::pin(self.connect()).await?;
        match connection.send(request).await {
            Ok(response) => self.read(connection, response, limit).await,
            Err(error) => Err(unanswered(error.into_error())),
        }
    }

    async fn read(
        &self,
        mut connection: Box<Connection>,
        response: Response<Incoming>,
        limit: usize,
    ) -> Result<Answer, CallError> {
        let Connection {
            requests, driver, ..
        } = &mut *connection;
        let answer = drive(driver, read(response, limit)).await?;
        // It is ready at once, or never will be.
        if let Some(Ok(())) = drive(driver, requests.ready()).now_or_never() {
            self.keep(connection);
        }
        Ok(answer)
    }

    /// A connection of this thread's, or else of another's: that is still better than a new one.
    fn kept(&self) -> Option<Box<Connection>> {
        let thread = thread::current().id();
        let mut idle = self.idle();
        loop {
            let own = idle
                .iter()
                .rposition(|idle| idle.connection.thread == thread);
            let found = own.or(idle.len().checked_sub(1))?;
            let found = idle.remove(found);
            if found.since.elapsed() < IDLE {
                return Some(found.connection);
            }
        }
    }

    fn keep(&self, connection: Box<Connection>) {
        let since = Instant::now();
        let mut idle = self.idle();
        // Those of a burst that nobody needs any more are closed.
        idle.retain(|idle| idle.since.elapsed() < IDLE);
        idle.push(Idle { connection, since });
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Box<Connection>, CallError> {
        let connecting = timeout(self.connect_timeout, self.connector.connect());
        let socket = connecting.await.map_err(|_| CallError::Timeout)?;
        let (requests, driver) = http1::handshake(socket.map_err(CallError::Connect)?)
            .await
            .map_err(|error| CallError::Connect(error.into()))?;
        Ok(Box::new(Connection {
            requests,
            driver: Some(driver),
            thread: thread::current().id(),
        }))
    }
}

impl Connector {
    fn new(
        server: &Url,
        authority: Authority,
        connect_timeout: Duration,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        if server.scheme() == "http" {
            // Brackets are for addresses with a port behind them.
            let host = match server.host() {
                Some(Host::Ipv6(address)) => address.to_string(),
                _ => authority.host().to_owned(),
            };
            let port = server
                .port_or_known_default()
                .ok_or("the address has no port")?;
            return Ok(Self::Plain(host, port));
        }
        let mut tcp = HttpConnector::new();
        // The name's addresses share it, so that a silent one doesn't use up all of it.
        tcp.set_connect_timeout(Some(connect_timeout));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(ring::default_provider())?
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let server = Uri::builder()
            .scheme(server.scheme())
            .authority(authority)
            .path_and_query("/")
            .build()?;
        Ok(Self::Tls(connector, server))
    }

    async fn connect(
        &self,
    ) -> Result<MaybeHttpsStream<TokioIo<TcpStream>>, Box<dyn Error + Send + Sync>> {
        match self {
            Self::Plain(host, port) => {
                let stream = tcp::connect(host, *port).await?;
                Ok(MaybeHttpsStream::Http(TokioIo::new(stream)))
            }
            Self::Tls(connector, server) => connector.clone().call(server.clone()).await,
        }
    }
}

impl Connection {
    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        let Self {
            requests, driver, ..
        } = self;
        drive(driver, requests.try_send_request(request)).await
    }
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

/// Why a request that was sent has no answer.
fn unanswered(error: hyper::Error) -> CallError {
    if error.is_parse() {
        CallError::Broken(error)
    } else {
        CallError::Closed(error)
    }
}

async fn read(response: Response<Incoming>, limit: usize) -> Result<Answer, CallError> {
    let (head, mut body) = response.into_parts();
    let mut whole = Bytes::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(CallError::Broken)?.into_data() else {
            continue;
        };
        if whole.len() + data.len() > limit {
            let status = head.status;
            return Err(CallError::TooLarge { status, limit });
        }
        // Nearly every body is one piece, which is as good as the whole.
        whole = if whole.is_empty() {
            data
        } else {
            [whole, data].concat().into()
        };
    }
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body: whole,
    })
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    const KEPT_OPEN: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nhi";

    /// As much as is read of an answer.
    const LIMIT: usize = 4096;

    /// Nothing here waits for long, unless it fails.
    const PATIENCE: Duration = Duration::from_secs(10);

    struct Server(TcpListener);

    impl Server {
        async fn start() -> (Self, HttpCalls) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/base/", listener.local_addr().unwrap());
            let calls = HttpCalls::new(&url.parse().unwrap(), None, PATIENCE).unwrap();
            (Self(listener), calls)
        }

        async fn accept(&self) -> TcpStream {
            let accepted = timeout(PATIENCE, self.0.accept()).await;
            accepted.expect("a connection").unwrap().0
        }
    }

    async fn answer(client: &mut TcpStream, text: &str) {
        let mut request = Vec::new();
        while !request.ends_with(b"body") {
            let read = timeout(PATIENCE, client.read_buf(&mut request)).await;
            assert_ne!(read.expect("a request").unwrap(), 0);
        }
        let request = String::from_utf8(request).unwrap();
        assert!(request.starts_with("POST /base/v1/qrcodes HTTP/1.1\r\n"));
        client.write_all(text.as_bytes()).await.unwrap();
    }

    async fn post(calls: &HttpCalls) -> Result<(StatusCode, Bytes), CallError> {
        let body = Bytes::from_static(b"body");
        let call = calls.call(Method::POST, "/v1/qrcodes", HeaderMap::new(), body, LIMIT);
        let answer = call.await?;
        Ok((answer.status, answer.body))
    }

    fn assert_created(answer: Result<(StatusCode, Bytes), CallError>) {
        let answer = answer.expect("an answer");
        assert_eq!(answer, (StatusCode::CREATED, Bytes::from_static(b"hi")));
    }

    #[tokio::test]
    async fn a_connection_is_used_again_until_it_says_that_it_ends() {
        let (server, calls) = Server::start().await;
        let last = KEPT_OPEN.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
        let chunked = "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n";
        for _ in 0..2 {
            let serve = async {
                let mut client = server.accept().await;
                for text in [KEPT_OPEN, chunked, &last] {
                    answer(&mut client, text).await;
                }
            };
            let ask = async {
                for _ in 0..3 {
                    assert_created(post(&calls).await);
                }
            };
            tokio::join!(serve, ask);
        }
    }

    #[tokio::test]
    async fn one_that_was_closed_while_nobody_used_it_is_replaced() {
        let (server, calls) = Server::start().await;
        let serve = async {
            let mut client = server.accept().await;
            answer(&mut client, KEPT_OPEN).await;
            client
        };
        let (answered, client) = tokio::join!(post(&calls), serve);
        assert_created(answered);
        drop(client);
        // The runtime has heard of whatever came before this connection.
        let address = server.0.local_addr().unwrap();
        let (later, _) = tokio::join!(TcpStream::connect(address), server.accept());
        assert!(later.is_ok());
        let serve = async {
            let mut client = server.accept().await;
            answer(&mut client, KEPT_OPEN).await;
        };
        let (answered, ()) = tokio::join!(post(&calls), serve);
        assert_created(answered);
    }

    #[tokio::test]
    async fn what_was_written_isnt_sent_again() {
        let (server, calls) = Server::start().await;
        let serve = async {
            let mut client = server.accept().await;
            answer(&mut client, KEPT_OPEN).await;
            answer(&mut client, "HTTP/1.1 201 Crea").await;
        };
        let ask = async {
            assert_created(post(&calls).await);
            post(&calls).await
        };
        // Nobody would accept another connection.
        let (broken, ()) = tokio::join!(ask, serve);
        assert!(broken.unwrap_err().is_closed_connection());
    }

    #[tokio::test]
    async fn an_answer_that_is_no_http_is_no_closed_connection() {
        let (server, calls) = Server::start().await;
        let serve = async {
            let mut client = server.accept().await;
            answer(&mut client, "SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
        };
        let (broken, ()) = tokio::join!(post(&calls), serve);
        assert!(matches!(broken, Err(CallError::Broken(_))), "{broken:?}");
    }

    #[tokio::test]
    async fn an_answer_has_its_bounds() {
        let (server, calls) = Server::start().await;
        for (length, is_read) in [(LIMIT, true), (LIMIT + 1, false)] {
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}");
            let text = format!("{head}\r\n\r\n{}", "x".repeat(length));
            let serve = async {
                let mut client = server.accept().await;
                answer(&mut client, &text).await;
            };
            let (read, ()) = tokio::join!(post(&calls), serve);
            match read {
                Ok((_, body)) => assert!(is_read && body.len() == length),
                Err(error) => assert!(!is_read && matches!(error, CallError::TooLarge { .. })),
            }
        }
    }

    #[tokio::test]
    async fn where_nothing_listens_there_is_no_answer() {
        let (server, calls) = Server::start().await;
        drop(server);
        let refused = post(&calls).await;
        assert!(matches!(refused, Err(CallError::Connect(_))), "{refused:?}");
    }
}
