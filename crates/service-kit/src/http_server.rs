//! One listener's HTTP server, with what all of ours have: the access log, problems for unknown
//! routes, limits on slow clients, and connections that can be [held](crate::held_connection).
//!
//! It is `actix_web::HttpServer` assembled by hand, since that doesn't allow wrapping the
//! connection type.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_http::{HttpService, error::DispatchError};
use actix_service::{
    IntoServiceFactory as _, Service, ServiceFactory, ServiceFactoryExt as _, fn_factory,
    map_config,
};
use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{AppConfig, Server, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web,
};
use futures_util::future::LocalBoxFuture;
use tokio::net::TcpStream;

use crate::{
    access_log,
    held_connection::Socket,
    problem,
    slow_clients::{self, Paced},
    traces::Reach,
};

/// How long a stop waits for requests in flight: longer than WeChat waits for an answer.
const DRAIN_SECONDS: u64 = 8;

/// How long a closing connection waits for its client to notice, so that a client that is still
/// sending doesn't lose the response.
///
/// actix-http measures this with a clock that it reads every 500 ms, and a deadline that has passed
/// by then wakes nobody: the connection stays open for ever. So a worker must never be delayed for
/// this long, and the default of one second is short for a busy machine.
const LINGER: Duration = Duration::from_secs(5);

/// How long an idle connection stays open: longer than our own clients and nginx's (60 s) keep one
/// for another request, so that none sends its request into a connection that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How many connections a worker has at most. A worker that is full leaves new ones waiting without
/// a word, so the limits that do answer, on waiting browsers and on open files, have to be reached
/// before. actix's own is 25,600.
const CONNECTIONS: usize = 1_000_000;

/// Starts a server for anybody of this application, which runs when it is awaited. Unknown routes are answered
/// with a problem, and every request is logged and counted.
///
/// # Errors
///
/// When the listener can't be used.
pub fn serve<F, T, B>(listener: TcpListener, app: F) -> io::Result<Server>
where
    F: Fn() -> App<T> + Clone + Send + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    start(listener, Reach::Public, app)
}

/// The same for the owner's own services.
///
/// # Errors
///
/// When the listener can't be used.
pub fn serve_internal<F, T, B>(listener: TcpListener, app: F) -> io::Result<Server>
where
    F: Fn() -> App<T> + Clone + Send + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    start(listener, Reach::Internal, app)
}

fn start<F, T, B>(listener: TcpListener, reach: Reach, app: F) -> io::Result<Server>
where
    F: Fn() -> App<T> + Clone + Send + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let builder = Server::build()
        .disable_signals()
        .shutdown_timeout(DRAIN_SECONDS)
        .max_concurrent_connections(CONNECTIONS);
    let stopping = builder.graceful_shutdown_signal();
    let connections = move || {
        let app = app()
            .default_service(web::to(problem::not_found))
            .wrap(from_fn(move |request, next| {
                access_log::observe(request, next, reach)
            }));
        let stopping = stopping.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(slow_clients::HEAD)
            .client_disconnect_timeout(LINGER)
            // A client that hangs up is gone, and nothing more is done for it.
            .h1_allow_half_closed(false)
            .keep_alive(KEEP_ALIVE)
            .local_addr(address)
            .on_connect_ext(|socket: &Socket, requests| {
                requests.insert(socket.handover());
            })
            .h1(map_config(
                app.into_factory()
                    .map_err(|error: Error| error.error_response()),
                |()| AppConfig::default(),
            ));
        holdable(http)
    };
    Ok(builder
        .listen(address.to_string(), listener, connections)?
        .run())
}

/// HTTP on connections that a request may take over.
fn holdable<H>(http: H) -> impl ServiceFactory<TcpStream, Config = ()>
where
    H: ServiceFactory<
            (Socket, Option<SocketAddr>),
            Config = (),
            Response = (),
            Error = DispatchError,
        > + 'static,
    <H::Service as Service<(Socket, Option<SocketAddr>)>>::Future: 'static,
{
    let http = Rc::new(http);
    fn_factory(move || {
        let http = Rc::clone(&http);
        async move { http.new_service(()).await.map(Connections) }
    })
}

struct Connections<H>(H);

impl<H> Service<TcpStream> for Connections<H>
where
    H: Service<(Socket, Option<SocketAddr>), Response = (), Error = DispatchError>,
    H::Future: 'static,
{
    type Response = ();
    type Error = DispatchError;
    type Future = LocalBoxFuture<'static, Result<(), DispatchError>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), DispatchError>> {
        self.0.poll_ready(context)
    }

    fn call(&self, stream: TcpStream) -> Self::Future {
        let peer = stream.peer_addr().ok();
        let (socket, handover) = Socket::new(stream);
        let http = Paced::new(self.0.call((socket, peer)), Rc::clone(&handover));
        Box::pin(async move {
            http.await?;
            Ok(handover.pass_on()?)
        })
    }
}
