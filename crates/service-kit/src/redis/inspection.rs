//! What an operator wants to know about the server itself.

use std::fmt;

use deadpool_redis::redis::{ErrorKind, RedisError};
use jiff::Timestamp;

use super::{Request, Store, StoreError};

/// The oldest version that works. Since 5.0 a script may read the clock before it writes.
pub const OLDEST_REDIS: &str = "5.0";

const OLDEST_MAJOR: u32 = 5;

/// What a Redis calls its version, such as `7.2.4`. Relatives of Redis name the one that they are
/// compatible with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion(String);

impl ServerVersion {
    /// Whether it lacks what the services use. One that can't be read isn't judged.
    pub fn is_too_old(&self) -> bool {
        let major = self.0.split('.').next();
        let major = major.and_then(|major| major.parse::<u32>().ok());
        major.is_some_and(|major| major < OLDEST_MAJOR)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What Redis says of itself. A hosted Redis may keep any of it to itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// The version.
    pub version: Option<ServerVersion>,
    /// Whether every write goes to an append-only file.
    pub append_only: Option<bool>,
    /// What happens when memory is full, such as `noeviction`.
    pub maxmemory_policy: Option<String>,
}

impl ServerFacts {
    /// Reads the reply of `INFO`: a line `name:value` for each fact.
    pub fn parse(info: &str) -> Self {
        let fact = |name| fact(info, name);
        Self {
            version: fact("redis_version").map(ServerVersion),
            append_only: fact("aof_enabled").map(|enabled| enabled == "1"),
            maxmemory_policy: fact("maxmemory_policy"),
        }
    }
}

/// A fact in the reply of `INFO`.
pub(super) fn fact(info: &str, name: &str) -> Option<String> {
    let values = info.lines().filter_map(|line| line.split_once(':'));
    let mut named = values.filter(|(key, _)| *key == name);
    named.next().map(|(_, value)| value.trim().to_owned())
}

impl Store {
    /// What Redis says of itself.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached, or this user may not ask.
    pub async fn server_facts(&self) -> Result<ServerFacts, StoreError> {
        let info = self.words(&["INFO"]).await?;
        Ok(ServerFacts::parse(info.first().map_or("", String::as_str)))
    }

    /// What version Redis has; `None` when it keeps that to itself.
    ///
    /// # Errors
    ///
    /// As [`Store::server_facts`].
    pub async fn server_version(&self) -> Result<Option<ServerVersion>, StoreError> {
        let info = self.words(&["INFO", "server"]).await?;
        Ok(ServerFacts::parse(info.first().map_or("", String::as_str)).version)
    }

    /// What time Redis has.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached, or this user may not ask.
    pub async fn server_time(&self) -> Result<Timestamp, StoreError> {
        let time = self.words(&["TIME"]).await?;
        let parts = match time.as_slice() {
            [seconds, microseconds] => seconds.parse().ok().zip(microseconds.parse::<i32>().ok()),
            _ => None,
        };
        let time = parts.and_then(|(seconds, microseconds)| {
            Timestamp::new(seconds, microseconds.saturating_mul(1000)).ok()
        });
        let unreadable = || RedisError::from((ErrorKind::Parse, "TIME is out of range"));
        Ok(time.ok_or_else(unreadable)?)
    }

    /// What a command is answered. It goes to one node of a Cluster.
    async fn words(&self, command: &[&str]) -> Result<Vec<String>, StoreError> {
        let mut replies = self.query(Request::Words(command)).await?;
        let reply = replies.pop().unwrap_or_default();
        Ok(reply.into_iter().flatten().collect())
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
            version: Some(ServerVersion("7.2.4".to_owned())),
            append_only: Some(false),
            maxmemory_policy: Some("noeviction".to_owned()),
        };
        assert_eq!(ServerFacts::parse(info), expected);
        assert_eq!(ServerFacts::parse(""), ServerFacts::default());
    }

    #[test]
    fn versions_are_judged_as_numbers() {
        for (version, is_too_old) in [
            ("2.8.24", true),
            ("3.2.6", true),
            ("4.0.14", true),
            ("5.0.0", false),
            ("5.0.6", false),
            ("7.4", false),
            ("10.0.1", false),
            ("255.255.255", false),
            ("unstable", false),
            ("", false),
        ] {
            let version = ServerVersion(version.to_owned());
            assert_eq!(version.is_too_old(), is_too_old, "{version}");
        }
        assert!(!ServerVersion(OLDEST_REDIS.to_owned()).is_too_old());
        assert!(ServerVersion(format!("{}.9", OLDEST_MAJOR - 1)).is_too_old());
    }
}
