//! What an operator wants to know about the server itself.

use deadpool_redis::redis::{ErrorKind, Pipeline, RedisError, Value, cmd, from_redis_value};
use jiff::Timestamp;

use super::{Store, StoreError};

/// Belongs to nobody and lives for a second.
const PROBE_KEY: &str = "wechat-login:probe";

/// Writes as the services do: by a script, with an end.
const PROBE: &str = "return redis.call('SET', KEYS[1], '1', 'PX', 1000)";

/// What Redis says of itself. A hosted Redis may keep any of it to itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// The version, such as `7.2.4`. Relatives of Redis name the one that they are compatible with.
    pub version: Option<String>,
    /// Whether every write goes to an append-only file.
    pub append_only: Option<bool>,
    /// What happens when memory is full, such as `noeviction`.
    pub maxmemory_policy: Option<String>,
}

impl ServerFacts {
    /// Reads the reply of `INFO`: a line `name:value` for each fact.
    fn parse(info: &str) -> Self {
        let fact = |name: &str| {
            let values = info.lines().filter_map(|line| line.split_once(':'));
            let mut named = values.filter(|(key, _)| *key == name);
            named.next().map(|(_, value)| value.trim().to_owned())
        };
        Self {
            version: fact("redis_version"),
            append_only: fact("aof_enabled").map(|enabled| enabled == "1"),
            maxmemory_policy: fact("maxmemory_policy"),
        }
    }
}

impl Store {
    /// What Redis says of itself.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached, or this user may not ask.
    pub async fn server_facts(&self) -> Result<ServerFacts, StoreError> {
        let info: String = self.single("INFO").await?;
        Ok(ServerFacts::parse(&info))
    }

    /// What time Redis has.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached, or this user may not ask.
    pub async fn server_time(&self) -> Result<Timestamp, StoreError> {
        let (seconds, microseconds): (i64, i32) = self.single("TIME").await?;
        let time = Timestamp::new(seconds, microseconds.saturating_mul(1000));
        Ok(time.map_err(|_| RedisError::from((ErrorKind::Parse, "TIME is out of range")))?)
    }

    /// Writes a key that ends by itself, in the way in which the services write.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached, is full or read-only, or this user may not run scripts.
    pub async fn write_probe(&self) -> Result<(), StoreError> {
        let mut probe = Pipeline::new();
        probe.add_command(cmd("EVAL").arg(PROBE).arg(1).arg(PROBE_KEY).clone());
        self.query(&probe.into()).await.map(drop)
    }

    async fn single<T: deadpool_redis::redis::FromRedisValue>(
        &self,
        command: &str,
    ) -> Result<T, StoreError> {
        // As a pipeline, which goes to one node of a Cluster. The command alone would go to all of them.
        let mut pipeline = Pipeline::new();
        pipeline.cmd(command);
        let reply = self.query(&pipeline.into()).await?.into_iter().next();
        Ok(from_redis_value(reply.unwrap_or(Value::Nil)).map_err(RedisError::from)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_found_among_the_rest() {
        let info = "# Server\r\nredis_version:7.2.4\r\n\r\n# Memory\r\nmaxmemory:0\r\n\
                    maxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:0\r\n";
        let expected = ServerFacts {
            version: Some("7.2.4".to_owned()),
            append_only: Some(false),
            maxmemory_policy: Some("noeviction".to_owned()),
        };
        assert_eq!(ServerFacts::parse(info), expected);
        assert_eq!(ServerFacts::parse(""), ServerFacts::default());
    }
}
