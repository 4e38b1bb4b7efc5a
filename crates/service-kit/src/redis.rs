//! Redis: running the protocol's steps, and listening to a channel.
//!
//! One multiplexed connection serves the whole process: commands of all requests share its
//! round trips. The pool makes connections and checks them; a connection that fails is dropped, and the
//! step is sent once more over a fresh one, which is safe because steps can be repeated.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use deadpool_redis::{
    Connection, Manager, Pool, PoolError, Runtime,
    redis::{
        AsyncConnectionConfig, Client, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value,
        aio::{MultiplexedConnection, PubSub},
        cmd,
    },
};
use login_protocol::{
    problem::ProblemCode,
    steps::{Operation, Step, UnexpectedReply},
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    problem::Problem,
    settings::{Default, Key},
};

mod inspection;

pub use inspection::ServerFacts;

/// `redis.url`.
pub static REDIS_URL: Key<SecretString> = Key {
    name: "redis.url",
    default: Default::Text("redis://127.0.0.1:6379"),
    example: "redis://:password@127.0.0.1:6379/0",
    meaning: "The Redis that both services share: redis://, rediss:// (TLS) or redis+unix://.",
    secret: true,
    parse: crate::settings_parse::redis_url,
};

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long Redis may take to answer: well under WeChat's five seconds, with room for a second try.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Redis can't be reached, or answered what it shouldn't.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be made.
    #[error("Redis can't be reached: {0}")]
    Unreachable(#[source] PoolError),
    /// The connection broke, Redis took too long, or it refused the command.
    #[error("Redis failed: {0}")]
    Failed(#[from] RedisError),
    /// The key holds what this version doesn't know.
    #[error(transparent)]
    Unexpected(#[from] UnexpectedReply),
}

impl StoreError {
    /// What a client is told. The log holds the rest.
    pub fn problem(&self) -> Problem {
        tracing::error!(error = %self, "Redis failed a request");
        let detail = "The service's store can't be reached right now. Try again in a moment.";
        Problem::new(ProblemCode::StoreUnavailable, detail).retry_after(Duration::from_secs(2))
    }
}

/// A Redis that runs steps.
pub struct Store {
    client: Client,
    pool: Pool,
    shared: Mutex<Option<Shared>>,
    /// Numbers the connections, so that a late failure of an old one doesn't discard its successor.
    generations: AtomicU64,
}

#[derive(Clone)]
struct Shared {
    connection: MultiplexedConnection,
    generation: u64,
}

impl Store {
    /// A store at this address. Nothing connects yet.
    ///
    /// # Errors
    ///
    /// When the address can't be read.
    pub fn new(url: &SecretString) -> Result<Self, RedisError> {
        let client = Client::open(url.expose_secret())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let manager = Manager::new_with_config(url.expose_secret(), config)?;
        let pool = Pool::builder(manager)
            .max_size(4)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(RESPONSE_TIMEOUT))
            .build();
        let pool = pool.map_err(|error| {
            RedisError::from((ErrorKind::InvalidClientConfig, "pool", error.to_string()))
        })?;
        Ok(Self {
            client,
            pool,
            shared: Mutex::new(None),
            generations: AtomicU64::new(0),
        })
    }

    /// Runs one step.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached or answers what it shouldn't. The step may have had its effect all
    /// the same; repeating it is safe.
    pub async fn run<S: Step>(&self, step: &S) -> Result<S::Outcome, StoreError> {
        let replies = self.send(&[step.operation()]).await?;
        Ok(step.outcome(&replies[0])?)
    }

    /// Runs two steps in one round trip, in this order. Each is atomic, the pair isn't.
    ///
    /// # Errors
    ///
    /// As [`Store::run`].
    pub async fn run_both<A: Step, B: Step>(
        &self,
        first: &A,
        second: &B,
    ) -> Result<(A::Outcome, B::Outcome), StoreError> {
        let replies = self.send(&[first.operation(), second.operation()]).await?;
        Ok((first.outcome(&replies[0])?, second.outcome(&replies[1])?))
    }

    /// Runs many steps of a kind in one round trip.
    ///
    /// # Errors
    ///
    /// As [`Store::run`].
    pub async fn run_all<S: Step>(&self, steps: &[S]) -> Result<Vec<S::Outcome>, StoreError> {
        if steps.is_empty() {
            // Redis takes no empty pipeline.
            return Ok(Vec::new());
        }
        let operations: Vec<Operation> = steps.iter().map(Step::operation).collect();
        let replies = self.send(&operations).await?;
        let outcomes = steps
            .iter()
            .zip(&replies)
            .map(|(step, reply)| step.outcome(reply));
        Ok(outcomes.collect::<Result<_, _>>()?)
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    ///
    /// When it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut ping = Pipeline::new();
        ping.cmd("PING");
        self.query(&ping).await.map(drop)
    }

    /// Listens to a channel over a connection of its own.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached.
    pub async fn subscribe(&self, channel: &str) -> Result<PubSub, StoreError> {
        let connect = async {
            let mut subscription = self.client.get_async_pubsub().await?;
            subscription.subscribe(channel).await?;
            Ok::<_, RedisError>(subscription)
        };
        let timeout = || RedisError::from((ErrorKind::Io, "subscribing took too long"));
        let subscription = tokio::time::timeout(CONNECT_TIMEOUT + RESPONSE_TIMEOUT, connect).await;
        Ok(subscription.map_err(|_| timeout())??)
    }

    /// Sends the operations in one round trip. A script that Redis doesn't know yet is sent in full.
    async fn send(&self, operations: &[Operation]) -> Result<Vec<Vec<Option<String>>>, StoreError> {
        let values = match self.query(&pipeline(operations, Scripts::ByName)).await {
            Err(StoreError::Failed(error)) if is_unknown_script(&error) => {
                self.query(&pipeline(operations, Scripts::InFull)).await?
            }
            other => other?,
        };
        values
            .into_iter()
            .map(|value| texts(value).map_err(StoreError::from))
            .collect()
    }

    async fn query(&self, pipeline: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let shared = self.shared().await?;
        match pipeline.query_async(&mut shared.connection.clone()).await {
            Err(error) if is_connection_lost(&error) => {
                self.discard(shared.generation);
                let fresh = self.shared().await?;
                let retried = pipeline.query_async(&mut fresh.connection.clone()).await;
                retried
                    .inspect_err(|error| self.discard_if_lost(error, fresh.generation))
                    .map_err(StoreError::from)
            }
            other => other
                .inspect_err(|error| self.discard_if_lost(error, shared.generation))
                .map_err(StoreError::from),
        }
    }

    async fn shared(&self) -> Result<Shared, StoreError> {
        if let Some(shared) = self.lock().clone() {
            return Ok(shared);
        }
        let fresh = Connection::take(self.pool.get().await.map_err(StoreError::Unreachable)?);
        let mut slot = self.lock();
        // Another request may have connected meanwhile; one connection is enough.
        let next = self.generations.fetch_add(1, Ordering::Relaxed);
        Ok(slot
            .get_or_insert(Shared {
                connection: fresh,
                generation: next,
            })
            .clone())
    }

    fn discard_if_lost(&self, error: &RedisError, generation: u64) {
        if is_connection_lost(error) || error.is_timeout() {
            self.discard(generation);
        }
    }

    fn discard(&self, generation: u64) {
        let mut slot = self.lock();
        if slot
            .as_ref()
            .is_some_and(|shared| shared.generation == generation)
        {
            *slot = None;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Shared>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
enum Scripts {
    ByName,
    InFull,
}

fn pipeline(operations: &[Operation], scripts: Scripts) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(operations.len());
    for operation in operations {
        let command = match operation {
            Operation::Command {
                name,
                key,
                arguments,
            } => {
                let mut command = cmd(name);
                command.arg(key).arg(arguments);
                command
            }
            Operation::Script {
                script,
                key,
                arguments,
            } => {
                let mut command = match scripts {
                    Scripts::ByName => cmd("EVALSHA"),
                    Scripts::InFull => cmd("EVAL"),
                };
                match scripts {
                    Scripts::ByName => command.arg(script.sha1()),
                    Scripts::InFull => command.arg(script.source()),
                };
                command.arg(1).arg(key).arg(arguments);
                command
            }
        };
        pipeline.add_command(command);
    }
    pipeline
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether sending over another connection may help. A timeout isn't among them: the caller's own
/// time is limited.
fn is_connection_lost(error: &RedisError) -> bool {
    error.is_connection_dropped()
        || (error.is_io_error() && !error.is_timeout())
        // After a failover the old primary has become a replica.
        || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

/// A reply as the protocol's steps read it.
fn texts(value: Value) -> Result<Vec<Option<String>>, RedisError> {
    match value {
        Value::Array(values) => values.into_iter().map(text).collect(),
        single => Ok(vec![text(single)?]),
    }
}

fn text(value: Value) -> Result<Option<String>, RedisError> {
    deadpool_redis::redis::from_redis_value(value).map_err(RedisError::from)
}
