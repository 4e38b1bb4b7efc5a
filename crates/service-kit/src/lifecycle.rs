//! Listening, running until a signal, and draining before exit.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::dev::Server;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    operations::Readiness,
    repeated_lines::summarise,
    settings::{InvalidSettings, Key},
};

/// How often a starting service looks whether it is ready.
const READINESS_POLL: Duration = Duration::from_millis(50);

/// The service can't start, or stopped without a signal.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The settings are invalid.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// The address is in use or not this machine's.
    #[error("can't listen on {address} ({key}): {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The setting that names it.
        key: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A client of Redis or HTTP can't be made.
    #[error("can't prepare a client: {0}")]
    Client(Box<dyn std::error::Error + Send + Sync>),
    /// A server failed.
    #[error("a listener failed: {0}")]
    Server(#[from] io::Error),
    /// A part that runs as long as the service ended early.
    #[error("the service can't go on: {0}")]
    Background(String),
}

impl ServiceError {
    /// Wraps what a client says of itself.
    pub fn client(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Client(Box::new(error))
    }
}

/// Listens on an address; `key` is the setting that names it, for the error.
///
/// # Errors
///
/// When the address can't be bound.
pub fn bind(address: SocketAddr, key: &Key<SocketAddr>) -> Result<TcpListener, ServiceError> {
    TcpListener::bind(address).map_err(|source| ServiceError::Bind {
        address,
        key: key.name,
        source,
    })
}

/// A token that SIGTERM, SIGINT (Ctrl-C) cancel.
///
/// # Errors
///
/// When signals can't be caught.
pub fn shutdown_on_signal() -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing requests in flight");
        cancelled.cancel();
    });
    Ok(token)
}

/// Runs servers and background tasks until the token is cancelled, then drains.
///
/// # Errors
///
/// When a server fails or a background task ends early: nothing works half.
pub async fn run_until_stopped(
    servers: Vec<Server>,
    mut background: JoinSet<&'static str>,
    shutdown: CancellationToken,
) -> Result<(), ServiceError> {
    let handles: Vec<_> = servers.iter().map(Server::handle).collect();
    background.spawn(async {
        summarise().await;
        "summing up repeated log lines"
    });
    let mut running: JoinSet<io::Result<()>> = JoinSet::new();
    for server in servers {
        running.spawn_local(server);
    }
    let ended_early = tokio::select! {
        // In this order: a part that ends because of the stop doesn't end early, even if it is
        // noticed first.
        biased;
        () = shutdown.cancelled() => None,
        Some(ended) = running.join_next() => Some(format!("a listener stopped: {ended:?}")),
        Some(ended) = background.join_next() => Some(match ended {
            Ok(name) => format!("{name} stopped"),
            Err(error) => format!("a background task failed: {error}"),
        }),
    };
    shutdown.cancel();
    futures_util::future::join_all(handles.iter().map(|handle| handle.stop(true))).await;
    while let Some(ended) = running.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    background.shutdown().await;
    ended_early.map_or(Ok(()), |reason| Err(ServiceError::Background(reason)))
}

/// Says where the service listens: in the log at once, and on standard output, in one line, as soon
/// as it is ready. Until then the log says what is missing.
pub fn announce_when_ready(
    service: &'static str,
    addresses: [(&'static str, SocketAddr); 2],
    readiness: Readiness,
    shutdown: CancellationToken,
) {
    let [(_, public), (_, internal)] = addresses;
    tracing::info!(%public, %internal, "listening");
    tokio::task::spawn_local(async move {
        let mut said = None;
        while let Err((_, missing)) = readiness().await {
            if said.as_ref() != Some(&missing) {
                tracing::warn!(missing, "not ready yet");
                said = Some(missing);
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(READINESS_POLL) => {}
            }
        }
        announce(service, &addresses);
    });
}

/// Prints the one line that says where the service listens.
#[expect(
    clippy::print_stdout,
    reason = "the line is for the one who started the service"
)]
pub fn announce(service: &str, addresses: &[(&str, SocketAddr)]) {
    let addresses: Vec<String> = addresses
        .iter()
        .map(|(name, address)| format!("{name}=http://{address}"))
        .collect();
    println!("{service} ready {}", addresses.join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn with_a_part_that_has_ended(shutdown: CancellationToken) -> Result<(), ServiceError> {
        let mut background = JoinSet::new();
        let ended = background.spawn(async { "a part" });
        while !ended.is_finished() {
            tokio::task::yield_now().await;
        }
        run_until_stopped(Vec::new(), background, shutdown).await
    }

    #[tokio::test]
    async fn a_part_that_ends_with_the_stop_is_no_failure() {
        // Were it a matter of luck, no more than one of so many runs in 10^19 would pass.
        for _ in 0..64 {
            let shutdown = CancellationToken::new();
            shutdown.cancel();
            with_a_part_that_has_ended(shutdown).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_part_that_ends_early_ends_the_service() {
        let ended = with_a_part_that_has_ended(CancellationToken::new()).await;
        let error = ended.unwrap_err().to_string();
        assert_eq!(error, "the service can't go on: a part stopped");
    }
}
