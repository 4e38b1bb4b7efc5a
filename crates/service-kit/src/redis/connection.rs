//! Making connections to Redis, whichever form it has.

use std::time::Duration;

use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection, PubSub},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType},
};
use tokio::{sync::Mutex, time::timeout};

use super::{RESPONSE_TIMEOUT, Request, address::RedisAddress, link::Link, walk, wire::Reply};

/// How long making a connection may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(super) enum Source {
    Server(Client),
    Sentinel(Mutex<SentinelClient>),
    Cluster {
        client: ClusterClient,
        nodes: Vec<Client>,
    },
}

/// A connection that all requests share.
#[derive(Clone)]
pub(super) enum Connection {
    Server(Link),
    /// To a server by TLS.
    Tls(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Source {
    /// Connects lazily.
    pub(super) fn new(address: RedisAddress) -> RedisResult<Self> {
        match address {
            RedisAddress::Server(url) => Ok(Self::Server(Client::open(url)?)),
            RedisAddress::Sentinel {
                sentinels,
                service,
                primary,
                tls,
            } => {
                let mut node =
                    SentinelNodeConnectionInfo::default().set_redis_connection_info(primary);
                if tls {
                    node = node.set_tls_mode(TlsMode::Secure);
                }
                let primary = SentinelServerType::Master;
                let client = SentinelClient::build(sentinels, service, Some(node), primary)?;
                Ok(Self::Sentinel(Mutex::new(client)))
            }
            RedisAddress::Cluster { nodes } => {
                let client = ClusterClient::builder(nodes.iter().map(String::as_str))
                    .connection_timeout(CONNECT_TIMEOUT)
                    .response_timeout(RESPONSE_TIMEOUT)
                    .overall_response_timeout(Some(CONNECT_TIMEOUT + RESPONSE_TIMEOUT))
                    .build()?;
                let nodes = nodes.into_iter().map(Client::open);
                Ok(Self::Cluster {
                    client,
                    nodes: nodes.collect::<RedisResult<_>>()?,
                })
            }
        }
    }

    /// A new connection to the primary, or to the Cluster.
    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        match self {
            Self::Server(client) => in_time(server(client)).await,
            Self::Sentinel(client) => {
                in_time(async {
                    let primary = client.lock().await.async_get_client().await?;
                    server(&primary).await
                })
                .await
            }
            Self::Cluster { client, .. } => {
                let connection = in_time(client.get_async_connection()).await?;
                Ok(Connection::Cluster(connection))
            }
        }
    }

    /// A connection of its own for a subscription.
    pub(super) async fn subscriber(&self) -> RedisResult<PubSub> {
        match self {
            Self::Server(client) => in_time(client.get_async_pubsub()).await,
            Self::Sentinel(client) => {
                in_time(async {
                    let primary = client.lock().await.async_get_client().await?;
                    primary.get_async_pubsub().await
                })
                .await
            }
            // A Cluster passes messages on to all its nodes: any that answers will do.
            Self::Cluster { nodes, .. } => {
                let mut failure = None;
                for node in nodes {
                    match in_time(node.get_async_pubsub()).await {
                        Ok(subscriber) => return Ok(subscriber),
                        Err(error) => failure = Some(error),
                    }
                }
                Err(failure.unwrap_or_else(took_too_long))
            }
        }
    }

    /// A connection of its own for a walk through the keys, whose replies a [`Link`] doesn't read.
    pub(super) async fn walker(&self) -> RedisResult<walk::Connection> {
        let config = config();
        match self {
            Self::Server(client) => {
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                in_time(connection).await.map(walk::Connection::Server)
            }
            Self::Sentinel(client) => {
                in_time(async {
                    let primary = client.lock().await.async_get_client().await?;
                    let connection = primary.get_multiplexed_async_connection_with_config(&config);
                    connection.await.map(walk::Connection::Server)
                })
                .await
            }
            Self::Cluster { client, .. } => {
                let connection = in_time(client.get_async_connection()).await?;
                Ok(walk::Connection::Cluster(connection))
            }
        }
    }

    /// Whether keys live on several nodes, so that one pipeline can't hold them all.
    pub(super) const fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster { .. })
    }
}

impl Connection {
    /// The reply to each command, in their order.
    pub(super) async fn query(&mut self, request: Request<'_>) -> RedisResult<Vec<Reply>> {
        let values = match self {
            Self::Server(link) => return link.query(request).await,
            Self::Tls(connection) => ask(connection, request).await,
            Self::Cluster(connection) => ask(connection, request).await,
        };
        values?.into_iter().map(super::texts).collect()
    }
}

async fn ask(
    connection: &mut impl ConnectionLike,
    request: Request<'_>,
) -> RedisResult<Vec<Value>> {
    match request.single_step() {
        // A command alone has a shorter way than a pipeline of one.
        Some(command) => Ok(vec![command.query_async(connection).await?]),
        None => request.pipeline().query_async(connection).await,
    }
}

async fn server(client: &Client) -> RedisResult<Connection> {
    if let Some(link) = Link::connect(client.get_connection_info()).await? {
        return Ok(Connection::Server(link));
    }
    let config = config();
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    connection.await.map(Connection::Tls)
}

fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
}

async fn in_time<T>(connecting: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let connected = timeout(CONNECT_TIMEOUT + RESPONSE_TIMEOUT, connecting).await;
    connected.unwrap_or_else(|_| Err(took_too_long()))
}

fn took_too_long() -> RedisError {
    RedisError::from((ErrorKind::Io, "connecting to Redis took too long"))
}
