//! A Redis of one's own.

use std::path::Path;

use deadpool_redis::redis;
use secrecy::SecretString;
use service_kit::redis::Store;

use crate::{
    folder::TemporaryFolder,
    ports,
    process::{Process, Recipe},
};

/// Where it listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// On a Unix socket, so that no port can be taken.
    Socket,
    /// On a TCP port of loopback.
    Port(u16),
}

/// What of it is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Whatever was acknowledged.
    EveryWrite,
    /// Nothing: the disk would be measured.
    Nothing,
}

/// A running Redis. It can be killed and started again with its data.
#[derive(Debug)]
pub struct RedisServer {
    url: String,
    /// The process, for signals.
    pub process: Process,
    // Deleted after the process has ended.
    folder: TemporaryFolder,
}

impl RedisServer {
    /// Starts an empty one on a socket.
    pub async fn start(log: &Path) -> Self {
        let recipe = Recipe::new("redis", "redis-server", log);
        let started = Self::of(recipe, Listener::Socket, Durability::EveryWrite).await;
        started.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Starts an empty one. The recipe's arguments come after the usual ones.
    ///
    /// # Errors
    ///
    /// It can't be started, or isn't ready in time, in words.
    pub async fn of(
        mut recipe: Recipe,
        listener: Listener,
        durability: Durability,
    ) -> Result<Self, String> {
        let folder = TemporaryFolder::create(&format!("login-{}", recipe.name))
            .map_err(|error| format!("no folder for Redis: {error}"))?;
        let text = |path: &Path| path.display().to_string();
        let socket = text(&folder.path().join("socket"));
        let (url, listen) = match listener {
            Listener::Socket => (
                format!("redis+unix://{socket}"),
                ["--port", "0", "--unixsocket", &socket].map(str::to_owned),
            ),
            Listener::Port(port) => (
                format!("redis://{}", ports::local(port)),
                ["--bind", "127.0.0.1", "--port", &port.to_string()].map(str::to_owned),
            ),
        };
        let append_only = match durability {
            Durability::EveryWrite => "yes",
            Durability::Nothing => "no",
        };
        let folder_text = text(folder.path());
        let usual = [
            "--dir",
            &folder_text,
            "--save",
            "",
            "--appendonly",
            append_only,
            "--appendfsync",
            "always",
        ];
        let usual = listen.into_iter().chain(usual.map(str::to_owned));
        recipe.arguments = usual.chain(recipe.arguments).collect();
        recipe.ready = "eady to accept connections";
        Ok(Self {
            url,
            process: Process::start(recipe).await?,
            folder,
        })
    }

    /// Its address, for the services' settings.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Where its files lie; they go with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A store like the services' own.
    pub fn store(&self) -> Store {
        Store::new(&SecretString::from(self.url())).expect("the address is good")
    }

    /// A connection for what the services' steps don't do: looking into keys, statistics, faults.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        self.connect().await.expect("Redis is running")
    }

    async fn connect(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        let client = redis::Client::open(self.url())?;
        client.get_multiplexed_async_connection().await
    }

    /// Sends one command and returns its answer.
    pub async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let answer = self.ask(words).await;
        answer.expect("Redis is running and takes the command")
    }

    /// Sends one command and returns its answer; an error while it is away.
    ///
    /// # Errors
    ///
    /// It is away, or refuses the command.
    pub async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut connection = self.connect().await?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what it had written.
    pub async fn restart(&mut self) {
        let restarted = self.process.restart().await;
        restarted.unwrap_or_else(|failure| panic!("{failure}"));
    }
}
