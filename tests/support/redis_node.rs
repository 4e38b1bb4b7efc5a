//! One Redis of several, on a TCP port of loopback.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use deadpool_redis::redis;

use crate::process::{self, Process};

/// A running node with an append-only file. It can be killed and started again with its data.
pub struct RedisNode {
    name: String,
    folder: PathBuf,
    log: PathBuf,
    port: u16,
    arguments: Vec<String>,
    /// The process, for signals.
    pub process: Process,
}

/// A port that nobody uses. Somebody could take it before it is used; the node then says so.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it listens").port()
}

impl RedisNode {
    /// Starts one with these further arguments.
    pub async fn start(name: &str, arguments: &[&str], log: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!(
            "login-redis-{name}-{}-{number}",
            std::process::id()
        ));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let port = free_port();
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let process = run(name, port, &folder, &arguments, log).await;
        Self {
            name: name.to_owned(),
            folder,
            log: log.to_owned(),
            port,
            arguments,
            process,
        }
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where a file of its own may lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sends one command and returns its answer; an error while it is away.
    ///
    /// # Errors
    ///
    /// It is away, or refuses the command.
    pub async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd(words[0])
            .arg(&words[1..])
            .query_async(&mut connection)
            .await
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what it had written.
    pub async fn restart(&mut self) {
        self.process.kill();
        self.process = run(
            &self.name,
            self.port,
            &self.folder,
            &self.arguments,
            &self.log,
        )
        .await;
    }
}

async fn run(name: &str, port: u16, folder: &Path, arguments: &[String], log: &Path) -> Process {
    let port = port.to_string();
    let folder = folder.to_str().expect("temporary folders have plain names");
    let usual = [
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--dir",
        folder,
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ];
    let arguments = usual
        .into_iter()
        .chain(arguments.iter().map(String::as_str));
    let mut process = process::start(name, "redis-server", arguments, &[], log);
    process.line_with("eady to accept connections").await;
    process
}

impl Drop for RedisNode {
    fn drop(&mut self) {
        self.process.kill();
        // What stays behind is a temporary folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
