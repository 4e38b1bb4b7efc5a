//! Making connections to Redis, whichever form it has.

use std::time::Duration;

use deadpool_redis::{
    Connection as PooledConnection, Manager, Pool, Runtime,
    redis::{
        AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, RedisResult, TlsMode,
        Value,
        aio::{MultiplexedConnection, PubSub},
        cluster::ClusterClient,
        cluster_async::ClusterConnection,
        sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType},
    },
};
use tokio::{sync::Mutex, time::timeout};

use super::{StoreError, address::RedisAddress};

/// How long making a connection may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long Redis may take to answer: well under WeChat's five seconds, with room for a second try.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(super) enum Source {
    Server {
        client: Client,
        pool: Pool,
    },
    Sentinel(Mutex<SentinelClient>),
    Cluster {
        client: ClusterClient,
        nodes: Vec<Client>,
    },
}

/// What goes to Redis in one round trip.
pub(super) enum Batch {
    /// A single command, which has a shorter way than a pipeline of one.
    Command(Cmd),
    Pipeline(Pipeline),
}

impl From<Cmd> for Batch {
    fn from(command: Cmd) -> Self {
        Self::Command(command)
    }
}

impl From<Pipeline> for Batch {
    fn from(pipeline: Pipeline) -> Self {
        Self::Pipeline(pipeline)
    }
}

/// A connection that all requests share.
#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Source {
    /// Connects lazily.
    pub(super) fn new(address: RedisAddress) -> RedisResult<Self> {
        match address {
            RedisAddress::Server(url) => {
                let manager = Manager::new_with_config(url.as_str(), config())?;
                Ok(Self::Server {
                    client: Client::open(url)?,
                    pool: pool(manager)?,
                })
            }
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
    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Server { pool, .. } => {
                let pooled = pool.get().await.map_err(StoreError::Unreachable)?;
                Ok(Connection::Server(PooledConnection::take(pooled)))
            }
            Self::Sentinel(client) => {
                let connection = in_time(async {
                    let mut client = client.lock().await;
                    client.get_async_connection_with_config(&config()).await
                });
                Ok(Connection::Server(connection.await?))
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
            Self::Server { client, .. } => in_time(client.get_async_pubsub()).await,
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

    /// Whether keys live on several nodes, so that one pipeline can't hold them all.
    pub(super) const fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster { .. })
    }
}

impl Connection {
    /// The reply to each command, in their order.
    pub(super) async fn query(&mut self, batch: &Batch) -> RedisResult<Vec<Value>> {
        match (self, batch) {
            (Self::Server(connection), Batch::Command(command)) => command
                .query_async(connection)
                .await
                .map(|value| vec![value]),
            (Self::Server(connection), Batch::Pipeline(pipeline)) => {
                pipeline.query_async(connection).await
            }
            (Self::Cluster(connection), Batch::Command(command)) => command
                .query_async(connection)
                .await
                .map(|value| vec![value]),
            (Self::Cluster(connection), Batch::Pipeline(pipeline)) => {
                pipeline.query_async(connection).await
            }
        }
    }
}

fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
}

fn pool(manager: Manager) -> RedisResult<Pool> {
    let pool = Pool::builder(manager)
        .max_size(4)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_TIMEOUT))
        .create_timeout(Some(CONNECT_TIMEOUT))
        .recycle_timeout(Some(RESPONSE_TIMEOUT))
        .build();
    pool.map_err(|error| {
        RedisError::from((ErrorKind::InvalidClientConfig, "pool", error.to_string()))
    })
}

async fn in_time<T>(connecting: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let connected = timeout(CONNECT_TIMEOUT + RESPONSE_TIMEOUT, connecting).await;
    connected.unwrap_or_else(|_| Err(took_too_long()))
}

fn took_too_long() -> RedisError {
    RedisError::from((ErrorKind::Io, "connecting to Redis took too long"))
}
