//! A primary, its replica and three Sentinels.

use std::{fs, path::Path};

use harness::{deadline::eventually, ports};

use crate::{
    process::{self, Process},
    redis_node::RedisNode,
};

/// What the Sentinels call the primary.
const SERVICE: &str = "mymaster";

/// The running five.
pub struct RedisSentinel {
    /// The first primary.
    pub primary: RedisNode,
    /// Its replica, which follows it in office.
    pub replica: RedisNode,
    sentinels: Vec<(u16, Process)>,
}

impl RedisSentinel {
    /// Starts them and waits until they know each other.
    pub async fn start(log: &Path) -> Self {
        let primary = RedisNode::start("primary", &[], log).await;
        let of = ["--replicaof", "127.0.0.1", &primary.port().to_string()];
        let replica = RedisNode::start("replica", &of, log).await;
        let mut sentinels = Vec::new();
        for number in 0..3 {
            sentinels.push(sentinel(number, &primary, log).await);
        }
        let started = Self {
            primary,
            replica,
            sentinels,
        };
        eventually(
            "the Sentinels know each other and the replica",
            async || {
                for (port, _) in &started.sentinels {
                    let facts = ask(*port, &["SENTINEL", "MASTER", SERVICE]).await?;
                    let fact = |name: &str| {
                        let at = facts.iter().position(|word| word == name)?;
                        facts.get(at + 1).cloned()
                    };
                    let known = (fact("num-other-sentinels")?, fact("num-slaves")?);
                    (known == ("2".to_owned(), "1".to_owned())).then_some(())?;
                }
                Some(())
            },
        )
        .await;
        started.replicated().await;
        started
    }

    /// The address for the services' settings.
    pub fn url(&self) -> String {
        let sentinels: Vec<String> = self
            .sentinels
            .iter()
            .map(|(port, _)| format!("127.0.0.1:{port}"))
            .collect();
        format!("redis+sentinel://{}/{SERVICE}", sentinels.join(","))
    }

    /// Waits until the replica holds all that the primary has acknowledged. Redis replicates after
    /// it has answered, so that a primary that dies at that very moment takes the write along.
    pub async fn replicated(&self) {
        eventually("the replica has caught up", async || {
            let facts: String = self.primary.ask(&["INFO", "replication"]).await.ok()?;
            let fact = |name: &str| {
                let line = facts.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim().to_owned())
            };
            let sent = fact("master_repl_offset:")?;
            let replica = fact("slave0:")?;
            replica
                .contains(&format!("state=online,offset={sent},"))
                .then_some(())
        })
        .await;
    }
}

async fn sentinel(number: usize, primary: &RedisNode, log: &Path) -> (u16, Process) {
    let port = ports::free();
    let folder = primary.folder().join(format!("sentinel-{number}"));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let path = folder.join("sentinel.conf");
    let configuration = format!(
        "bind 127.0.0.1\nport {port}\ndir {folder}\nsentinel monitor {SERVICE} 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds {SERVICE} 500\nsentinel failover-timeout {SERVICE} 2000\n",
        folder = folder.display(),
        primary = primary.port(),
    );
    fs::write(&path, configuration).expect("the configuration can be written");
    let arguments = [path.as_os_str(), "--sentinel".as_ref()];
    let name = format!("sentinel-{number}");
    let mut process = process::start(&name, "redis-server", arguments, &[], log);
    process.line_with("+monitor master").await;
    (port, process)
}

async fn ask(port: u16, words: &[&str]) -> Option<Vec<String>> {
    use deadpool_redis::redis;
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).ok()?;
    let mut connection = client.get_multiplexed_async_connection().await.ok()?;
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connection).await.ok()
}
