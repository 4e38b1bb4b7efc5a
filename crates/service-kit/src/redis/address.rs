//! The forms of a Redis URL: one server, the primary that Sentinels name, or a Cluster.

use deadpool_redis::redis::{IntoConnectionInfo as _, RedisConnectionInfo};

/// Where Redis is.
#[derive(Clone)]
pub(super) enum RedisAddress {
    /// One server: `redis://`, `rediss://`, `redis+unix://`.
    Server(String),
    /// `redis+sentinel://[user:password@]host:26379,host:26379/service[/database]`.
    Sentinel {
        /// The Sentinels, as `redis://` URLs without credentials.
        sentinels: Vec<String>,
        /// What the Sentinels call the primary, such as `mymaster`.
        service: String,
        /// User, password and database of the primary.
        primary: RedisConnectionInfo,
        /// Whether the primary is reached by TLS, as its Sentinels are.
        tls: bool,
    },
    /// `redis+cluster://[user:password@]host:7000,host:7001`.
    Cluster {
        /// Some of its nodes, as `redis://` URLs.
        nodes: Vec<String>,
    },
}

/// The port of a Sentinel that names none.
const SENTINEL_PORT: u16 = 26379;

impl RedisAddress {
    /// Parses a URL. The error message doesn't repeat it, since it may contain a password.
    pub(super) fn parse(address: &str) -> Result<Self, String> {
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (format!("{credentials}@"), hosts),
            None => (String::new(), authority),
        };
        let node = if scheme.starts_with("rediss") {
            "rediss"
        } else {
            "redis"
        };
        match scheme {
            "redis" | "rediss" | "redis+unix" | "unix" => {
                readable(address)?;
                Ok(Self::Server(address.to_owned()))
            }
            "redis+sentinel" | "rediss+sentinel" => {
                let (service, database) = path.split_once('/').unwrap_or((path, "0"));
                if service.is_empty() {
                    return Err("names no service after the Sentinels, such as /mymaster".to_owned());
                }
                // The host says nothing; user, password and database are read as for one server.
                let primary = format!("{node}://{credentials}primary/{database}");
                let primary = readable(&primary)?;
                let sentinels = each(hosts, |host| {
                    let port = if host.ends_with(']') || !host.contains(':') {
                        format!(":{SENTINEL_PORT}")
                    } else {
                        String::new()
                    };
                    format!("{node}://{host}{port}")
                });
                Ok(Self::Sentinel {
                    sentinels: sentinels?,
                    service: service.to_owned(),
                    primary,
                    tls: node == "rediss",
                })
            }
            "redis+cluster" | "rediss+cluster" if path.is_empty() => {
                let nodes = each(hosts, |host| format!("{node}://{credentials}{host}"))?;
                Ok(Self::Cluster { nodes })
            }
            "redis+cluster" | "rediss+cluster" => {
                Err("must end after the nodes: a Cluster has one database".to_owned())
            }
            _ => Err(
                "must begin with redis://, rediss:// (TLS), redis+unix://, redis+sentinel:// or redis+cluster://"
                    .to_owned(),
            ),
        }
    }
}

fn each(hosts: &str, address: impl Fn(&str) -> String) -> Result<Vec<String>, String> {
    let addresses = hosts.split(',').map(|host| {
        let address = address(host.trim());
        readable(&address).map(|_| address)
    });
    addresses.collect()
}

fn readable(address: &str) -> Result<RedisConnectionInfo, String> {
    match address.into_connection_info() {
        Ok(info) => Ok(info.redis_settings().clone()),
        Err(error) => Err(format!("is not a Redis URL: {}", error.category())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinels_lead_to_a_primary() {
        let address = "redis+sentinel://user:secret@10.0.0.1,10.0.0.2:26380,[::1]/mymaster/3";
        let Ok(RedisAddress::Sentinel {
            sentinels,
            service,
            primary,
            tls,
        }) = RedisAddress::parse(address)
        else {
            panic!("it is an address")
        };
        let expected = [
            "redis://10.0.0.1:26379",
            "redis://10.0.0.2:26380",
            "redis://[::1]:26379",
        ];
        assert_eq!(sentinels, expected);
        assert_eq!((service.as_str(), tls), ("mymaster", false));
        assert_eq!((primary.username(), primary.db()), (Some("user"), 3));
    }

    #[test]
    fn a_cluster_has_nodes_and_no_databases() {
        let parsed = RedisAddress::parse("rediss+cluster://:secret@one:7000,two:7000");
        let Ok(RedisAddress::Cluster { nodes }) = parsed else {
            panic!("it is an address")
        };
        assert_eq!(
            nodes,
            ["rediss://:secret@one:7000", "rediss://:secret@two:7000"]
        );
        assert!(RedisAddress::parse("redis+cluster://one:7000/1").is_err());
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for address in [
            "http://:hunter2@host",
            "redis+sentinel://:hunter2@host:26379",
            "redis+sentinel://:hunter2@host:port/mymaster",
            "redis+sentinel://:hunter2@host/mymaster/database",
            "redis+cluster://:hunter2@one:7000,two:port",
            "redis+cluster://:hunter2@one:7000,",
        ] {
            let Err(complaint) = RedisAddress::parse(address) else {
                panic!("{address} is no address")
            };
            assert!(!complaint.contains("hunter2"), "{complaint}");
        }
    }
}
