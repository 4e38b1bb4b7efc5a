//! Redis: running the protocol's steps, and listening to a channel.
//!
//! One multiplexed connection serves all requests of a worker thread: their commands share its
//! round trips, and none has to wake another thread, which costs more than a command does. A
//! connection that fails is dropped, and the step is sent once more over a fresh one, which is safe
//! because steps can be repeated. Redis may be one server, the primary that Sentinels name, or a
//! Cluster.

use std::{
    slice,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use deadpool_redis::redis::{
    Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value, aio::PubSub, cmd,
};
use futures_util::future::try_join_all;
use login_protocol::{
    problem::ProblemCode,
    steps::{Operation, Step, UnexpectedReply},
};
use metrics::{Counter, Gauge, Histogram};
use secrecy::{ExposeSecret as _, SecretString};
use thread_local::ThreadLocal;
use tokio::time::{Duration, Instant, timeout};

use crate::{
    problem::Problem,
    settings::{Default, Key},
    traces::{self, CallSpan},
};
use address::RedisAddress;
use connection::{Connection, Source};
use wire::Reply;

mod address;
mod connection;
mod inspection;
mod link;
mod together;
mod walk;
mod wire;

/// How long Redis may take to answer: well under WeChat's five seconds, with room for a second try.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

pub use inspection::{OLDEST_REDIS, ServerFacts, ServerVersion};
pub use together::{Part, Parts};
pub use walk::{KeyNode, KeyPage, Walk};

/// `redis.url`.
pub static REDIS_URL: Key<SecretString> = Key {
    name: "redis.url",
    default: Default::Text("redis://127.0.0.1:6379"),
    example: "redis://:password@127.0.0.1:6379/0",
    meaning: "the Redis that both services share: `redis://`, `rediss://` (TLS), `redis+unix://`, \
              `redis+sentinel://host:26379,host:26379/service` or `redis+cluster://host:7000,host:7001`",
    meaning_zh: "两个服务共用的 Redis：`redis://`、`rediss://`（TLS）、`redis+unix://`、\
                 `redis+sentinel://host:26379,host:26379/service` 或 `redis+cluster://host:7000,host:7001`",
    secret: true,
    parse: |value| {
        RedisAddress::parse(value)?;
        crate::settings_parse::secret(value)
    },
};

/// Redis can't be reached, or answered what it shouldn't.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be made.
    #[error("Redis can't be reached: {0}")]
    Unreachable(#[source] RedisError),
    /// The connection broke, Redis took too long, or it refused the command.
    #[error("Redis failed: {0}")]
    Failed(#[from] RedisError),
    /// The key holds a value that this version doesn't know.
    #[error(transparent)]
    Unexpected(#[from] UnexpectedReply),
}

impl StoreError {
    /// Whether Redis answered, and refused: it is full, a replica, or can't do what was asked.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Failed(error) if is_said_by_redis(error))
    }

    /// Logs that a request failed because of it.
    pub fn log(&self) {
        tracing::error!(error = %self, "a Redis operation failed");
    }
}

impl From<StoreError> for Problem {
    /// What a client reads. The log has the details.
    fn from(error: StoreError) -> Self {
        error.log();
        let detail = "The service's store is unavailable right now. Try again in a moment.";
        Self::new(ProblemCode::StoreUnavailable, detail).retry_after(Duration::from_secs(2))
    }
}

/// A Redis that runs steps.
pub struct Store {
    source: Source,
    /// The connection of each thread, whose runtime drives it. A thread that replaces one that
    /// ended finds a connection that nobody drives any more: it counts as lost and is replaced like
    /// any other.
    slots: ThreadLocal<Slot>,
    /// Numbers the connections, so that a late failure of an old one doesn't discard its successor.
    generations: AtomicU64,
    round_trips: Histogram,
    failures: Counter,
    connections: Gauge,
}

/// A thread's connection, once there is one.
#[derive(Default)]
struct Slot {
    shared: Mutex<Option<Shared>>,
    /// Locked while connecting, and holds when that last failed: everybody who waits shares the
    /// outcome.
    connecting: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Clone)]
struct Shared {
    connection: Connection,
    generation: u64,
}

impl Store {
    /// A store at this URL. Connects lazily.
    ///
    /// # Errors
    ///
    /// When the URL is invalid.
    pub fn new(url: &SecretString) -> Result<Self, RedisError> {
        let address = RedisAddress::parse(url.expose_secret()).map_err(|wrong| {
            RedisError::from((ErrorKind::InvalidClientConfig, "the Redis address", wrong))
        })?;
        Ok(Self {
            source: Source::new(address)?,
            slots: ThreadLocal::new(),
            generations: AtomicU64::new(0),
            round_trips: metrics::histogram!("redis_round_trip_seconds"),
            failures: metrics::counter!("redis_failures_total"),
            connections: metrics::gauge!("redis_connections"),
        })
    }

    /// Runs one step.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached or answers what it shouldn't. The step may have had its effect
    /// all the same; repeating it is safe.
    pub async fn run<S: Step>(&self, step: &S) -> Result<S::Outcome, StoreError> {
        let replies = self.send(&[step.operation()]).await?;
        Ok(step.outcome(&replies[0])?)
    }

    /// Runs two steps in this order, in one round trip except in a Cluster. Each is atomic, the
    /// pair isn't.
    ///
    /// # Errors
    ///
    /// As [`Store::run`].
    pub async fn run_both<A: Step, B: Step>(
        &self,
        first: &A,
        second: &B,
    ) -> Result<(A::Outcome, B::Outcome), StoreError> {
        self.run_together((first, second)).await
    }

    /// Runs up to fifteen steps in this order, in one round trip unless a Cluster holds them. Each is
    /// atomic, all together aren't. One that is `None` is left out.
    ///
    /// # Errors
    ///
    /// As [`Store::run`].
    pub async fn run_together<P: Parts>(&self, parts: P) -> Result<P::Outcomes, StoreError> {
        let operations = parts.operations();
        let replies = if self.source.is_cluster() {
            let mut replies = Vec::with_capacity(operations.len());
            for operation in &operations {
                replies.extend(self.send(slice::from_ref(operation)).await?);
            }
            replies
        } else {
            self.send(&operations).await?
        };
        Ok(parts.outcomes(&replies)?)
    }

    /// Runs many steps of a kind at once.
    ///
    /// # Errors
    ///
    /// As [`Store::run`].
    pub async fn run_all<S: Step>(&self, steps: &[S]) -> Result<Vec<S::Outcome>, StoreError> {
        if self.source.is_cluster() {
            return try_join_all(steps.iter().map(|step| self.run(step))).await;
        }
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

    /// Whether it is a Cluster, where each step is a round trip.
    pub const fn is_cluster(&self) -> bool {
        self.source.is_cluster()
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    ///
    /// When it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.query(Request::Words(&["PING"])).await.map(drop)
    }

    /// Listens to channels over a connection of its own.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached.
    pub async fn subscribe(&self, channels: &[&str]) -> Result<PubSub, StoreError> {
        let mut subscription = self.source.subscriber().await?;
        let subscribed = timeout(RESPONSE_TIMEOUT, subscription.subscribe(channels)).await;
        let took_too_long = || RedisError::from((ErrorKind::Io, "subscribing took too long"));
        subscribed.unwrap_or_else(|_| Err(took_too_long()))?;
        Ok(subscription)
    }

    /// Sends the operations in one round trip. A script that Redis doesn't know yet is sent in
    /// full.
    async fn send(&self, operations: &[Operation]) -> Result<Vec<Reply>, StoreError> {
        match self
            .query(Request::Steps(operations, Scripts::ByName))
            .await
        {
            Err(StoreError::Failed(error)) if is_unknown_script(&error) => {
                self.query(Request::Steps(operations, Scripts::InFull))
                    .await
            }
            other => other,
        }
    }

    async fn query(&self, request: Request<'_>) -> Result<Vec<Reply>, StoreError> {
        let span = traces::call(request.name());
        let began = Instant::now();
        let replies = self.exchange(request).await;
        if let Some(span) = span {
            report(span, request, &replies);
        }
        match &replies {
            Ok(_) => self.round_trips.record(began.elapsed()),
            Err(StoreError::Failed(error)) if is_unknown_script(error) => {}
            Err(_) => self.failures.increment(1),
        }
        replies
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Vec<Reply>, StoreError> {
        let mut shared = self.shared().await?;
        match shared.connection.query(request).await {
            Err(error) if is_connection_lost(&error) => {
                self.discard(shared.generation);
                let mut fresh = self.shared().await?;
                let retried = fresh.connection.query(request).await;
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
        let slot = self.slots.get_or_default();
        match slot.get() {
            Some(shared) => Ok(shared),
            // Boxed: connecting takes kilobytes, which every request's future would contain and
            // move around.
            None => Box::pin(self.connect(slot)).await,
        }
    }

    async fn connect(&self, slot: &Slot) -> Result<Shared, StoreError> {
        let asked_at = Instant::now();
        let mut failed_at = slot.connecting.lock().await;
        if let Some(shared) = slot.get() {
            return Ok(shared);
        }
        if failed_at.is_some_and(|at| at > asked_at) {
            let error = (
                ErrorKind::Io,
                "another request just failed to connect to Redis",
            );
            return Err(RedisError::from(error).into());
        }
        let connected = self.source.connect().await;
        *failed_at = connected.is_err().then(Instant::now);
        let shared = Shared {
            connection: connected.map_err(StoreError::Unreachable)?,
            generation: self.generations.fetch_add(1, Ordering::Relaxed),
        };
        *locked(&slot.shared) = Some(shared.clone());
        self.connections.increment(1.0);
        Ok(shared)
    }

    fn discard_if_lost(&self, error: &RedisError, generation: u64) {
        if is_connection_lost(error) || error.is_timeout() {
            self.discard(generation);
        }
    }

    /// Drops a connection that failed, and older ones of other threads: they are probably broken as
    /// well, and finding out would cost a request each.
    fn discard(&self, generation: u64) {
        for slot in &self.slots {
            let mut shared = locked(&slot.shared);
            if shared
                .as_ref()
                .is_some_and(|shared| shared.generation <= generation)
            {
                *shared = None;
                self.connections.decrement(1.0);
            }
        }
    }
}

impl Slot {
    fn get(&self) -> Option<Shared> {
        locked(&self.shared).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy)]
enum Scripts {
    ByName,
    InFull,
}

/// What goes to Redis in one round trip.
#[derive(Clone, Copy)]
enum Request<'a> {
    /// A command that belongs to no step.
    Words(&'a [&'a str]),
    /// Those of some steps.
    Steps(&'a [Operation], Scripts),
}

/// Ends the span of a round trip. It says nothing of keys, which hold who it is about.
fn report(span: Box<CallSpan>, request: Request<'_>, replies: &Result<Vec<Reply>, StoreError>) {
    let count = u16::try_from(request.count()).unwrap_or(u16::MAX);
    let span = span
        .with("db.system.name", "redis")
        .with("db.operation.name", request.name())
        .with_number("db.operation.batch.size", count);
    match replies {
        Ok(_) => span.succeeded(),
        // It is sent again in full.
        Err(StoreError::Failed(error)) if is_unknown_script(error) => span.succeeded(),
        Err(error) => {
            let kind = if error.is_refusal() {
                "refused"
            } else {
                "unavailable"
            };
            span.with("error.type", kind).failed();
        }
    }
}

impl Request<'_> {
    /// What a trace calls it.
    const fn name(&self) -> &'static str {
        match self {
            Self::Words(_) => "PING",
            Self::Steps([Operation::Command { name, .. }], _) => name,
            Self::Steps([Operation::Script { .. }], Scripts::ByName) => "EVALSHA",
            Self::Steps([Operation::Script { .. }], Scripts::InFull) => "EVAL",
            Self::Steps(..) => "PIPELINE",
        }
    }

    /// How many commands it is.
    const fn count(&self) -> usize {
        match self {
            Self::Words(_) => 1,
            Self::Steps(operations, _) => operations.len(),
        }
    }

    /// Adds the commands to what is to be sent, and says how many they are.
    fn write(self, out: &mut Vec<u8>) -> usize {
        match self {
            Self::Words(words) => {
                wire::write_words(out, words);
                1
            }
            Self::Steps(operations, scripts) => {
                for operation in operations {
                    wire::write_operation(out, operation, scripts);
                }
                operations.len()
            }
        }
    }

    /// The command of a single step, for a connection of the redis crate's.
    fn single_step(self) -> Option<Cmd> {
        match self {
            Self::Steps([operation], scripts) => Some(command(operation, scripts)),
            _ => None,
        }
    }

    /// All commands for a connection of the redis crate's. A pipeline goes to one node of a
    /// Cluster; a command alone might go to all of them, and fail when one is away.
    fn pipeline(self) -> Pipeline {
        let mut pipeline = Pipeline::new();
        match self {
            Self::Words([name, arguments @ ..]) => {
                let mut command = cmd(name);
                command.arg(arguments);
                pipeline.add_command(command);
            }
            Self::Words([]) => {}
            Self::Steps(operations, scripts) => {
                for operation in operations {
                    pipeline.add_command(command(operation, scripts));
                }
            }
        }
        pipeline
    }
}

fn command(operation: &Operation, scripts: Scripts) -> Cmd {
    match operation {
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
    }
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether sending over another connection may help. A timeout isn't among them: the caller's own
/// time is limited.
fn is_connection_lost(error: &RedisError) -> bool {
    error.is_connection_dropped()
        || (error.is_io_error() && !error.is_timeout())
        || is_replica(error)
}

/// Whether it was a replica that refused: after a failover the old primary has become one. Before
/// 7.0, Redis words errors inside scripts differently.
fn is_replica(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
        || (is_said_by_redis(error) && error.to_string().contains("-READONLY "))
}

/// Whether the message is from Redis itself, known to its client or not.
fn is_said_by_redis(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
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
