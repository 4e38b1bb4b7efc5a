//! A Redis of a test's own, on a Unix socket, so that no port can be taken.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use deadpool_redis::redis;
use secrecy::SecretString;
use service_kit::redis::Store;

use crate::process::{self, Process};

/// A running Redis with an append-only file. It can be killed and started again with its data.
pub struct RedisServer {
    folder: PathBuf,
    log: PathBuf,
    /// The process, for signals.
    pub process: Process,
}

impl RedisServer {
    /// Starts an empty one.
    pub async fn start(log: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // A socket's path may have 107 bytes at most, so it can't be in the log folder.
        let folder =
            std::env::temp_dir().join(format!("login-redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let process = run(&folder, log).await;
        Self {
            folder,
            log: log.to_owned(),
            process,
        }
    }

    /// Its address, for the services' settings.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.join("socket").display())
    }

    /// A store like the services' own.
    pub fn store(&self) -> Store {
        Store::new(&SecretString::from(self.url())).expect("the address is good")
    }

    /// A connection for what the services' steps don't do: looking into keys, statistics, faults.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("the address is good");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("Redis is running")
    }

    /// Sends one command and returns its answer.
    pub async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        let mut connection = self.connection().await;
        let answer = command.query_async(&mut connection).await;
        answer.expect("Redis takes the command")
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what it had written.
    pub async fn restart(&mut self) {
        self.process.kill();
        self.process = run(&self.folder, &self.log).await;
    }
}

async fn run(folder: &Path, log: &Path) -> Process {
    let text = |path: PathBuf| {
        path.to_str()
            .expect("temporary folders have plain names")
            .to_owned()
    };
    let arguments = [
        "--port",
        "0",
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--unixsocket",
        &text(folder.join("socket")),
        "--dir",
        &text(folder.to_owned()),
    ];
    let mut process = process::start("redis", "redis-server", arguments, &[], log);
    process.line_with("eady to accept connections").await;
    process
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.process.kill();
        // What stays behind is a temporary folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
