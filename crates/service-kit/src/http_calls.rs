//! Many calls to one HTTP server, over connections that are kept from one to the next.
//!
//! It is hyper's own connection with nothing around it: a call parses no URL, asks no policy for
//! redirects (they aren't followed), boxes nothing and goes through no lock of a pool that other
//! servers share. A connection belongs to the thread that made it, whose runtime drives it; a
//! thread takes its own first, so that a call wakes no other thread. A scan with `user/info` takes
//! a fifth fewer instructions than with reqwest, which stays for what is rare: calls through a
//! proxy, and all that has another address each time.

use std::{
    error::Error,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use futures_util::future::poll_fn;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
    header::{ACCEPT, HOST, HeaderMap, HeaderValue, USER_AGENT},
    http::uri::{Authority, PathAndQuery},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::ring;
use tokio::time::timeout;
use tower_service::Service as _;
use url::Url;

use crate::{
    http_client::{self, AGENT, IDLE, Proxy},
    root_cause::root_cause,
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
    connector: HttpsConnector<HttpConnector>,
    connect_timeout: Duration,
    server: Uri,
    host: HeaderValue,
    idle: Mutex<Vec<Idle>>,
}

/// A connection that nobody uses.
struct Idle {
    connection: Connection,
    since: Instant,
}

struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// Whose runtime drives it.
    thread: ThreadId,
}

impl Direct {
    fn new(server: &Url, timeout: Duration) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let connect_timeout = http_client::connect_timeout(timeout);
        let mut tcp = HttpConnector::new();
        // The name's addresses share it, so that a silent one doesn't use up all of it.
        tcp.set_connect_timeout(Some(connect_timeout));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let host = server.host_str().ok_or("the address has no host")?;
        let authority: Authority = match server.port() {
            Some(port) => format!("{host}:{port}").parse()?,
            None => host.parse()?,
        };
        Ok(Self {
            connector,
            connect_timeout,
            host: HeaderValue::from_str(authority.as_str())?,
            server: Uri::builder()
                .scheme(server.scheme())
                .authority(authority)
                .path_and_query("/")
                .build()?,
            idle: Mutex::default(),
        })
    }

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

        let mut connection = match self.kept() {
            Some(connection) => connection,
            // In a box: connecting takes kilobytes of room, which every call would hold and move
            // around.
            None => Box::pin(self.connect()).await?,
        };
        let response = connection.requests.send_request(request).await;
        let answer = read(response.map_err(unanswered)?, limit).await?;
        // It is ready at once, or about to be closed.
        if poll_fn(|context| connection.requests.poll_ready(context))
            .await
            .is_ok()
        {
            self.keep(connection);
        }
        Ok(answer)
    }

    /// A connection of this thread's, or else of another's: that is still better than a new one.
    fn kept(&self) -> Option<Connection> {
        let thread = thread::current().id();
        let mut idle = self.idle();
        loop {
            let own = idle
                .iter()
                .rposition(|idle| idle.connection.thread == thread);
            let found = own.or(idle.len().checked_sub(1))?;
            let found = idle.remove(found);
            let is_usable = !found.connection.requests.is_closed() && found.since.elapsed() < IDLE;
            if is_usable {
                return Some(found.connection);
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let since = Instant::now();
        let mut idle = self.idle();
        // Those of a burst that nobody needs any more are closed.
        idle.retain(|idle| idle.since.elapsed() < IDLE && !idle.connection.requests.is_closed());
        idle.push(Idle { connection, since });
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Connection, CallError> {
        let mut connector = self.connector.clone();
        let connecting = timeout(self.connect_timeout, connector.call(self.server.clone()));
        let socket = connecting.await.map_err(|_| CallError::Timeout)?;
        let (requests, driver) = http1::handshake(socket.map_err(CallError::Connect)?)
            .await
            .map_err(|error| CallError::Connect(error.into()))?;
        // Its failure is told to whoever waits for an answer.
        tokio::spawn(driver);
        Ok(Connection {
            requests,
            thread: thread::current().id(),
        })
    }
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
