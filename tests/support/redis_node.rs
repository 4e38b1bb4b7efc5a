//! One Redis of several, on a TCP port of loopback.

use std::{
    ops::{Deref, DerefMut},
    path::Path,
};

use harness::{
    ports,
    process::Recipe,
    redis_server::{Durability, Listener, RedisServer},
};

/// A running node with an append-only file. It can be killed and started again with its data.
pub struct RedisNode {
    port: u16,
    server: RedisServer,
}

impl RedisNode {
    /// Starts one with these further arguments.
    pub async fn start(name: &str, arguments: &[&str], log: &Path) -> Self {
        let port = ports::free();
        let recipe = Recipe {
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            ..Recipe::new(name, "redis-server", log)
        };
        let server = RedisServer::of(recipe, Listener::Port(port), Durability::EveryWrite).await;
        Self {
            port,
            server: server.unwrap_or_else(|failure| panic!("{failure}")),
        }
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Deref for RedisNode {
    type Target = RedisServer;

    fn deref(&self) -> &RedisServer {
        &self.server
    }
}

impl DerefMut for RedisNode {
    fn deref_mut(&mut self) -> &mut RedisServer {
        &mut self.server
    }
}
