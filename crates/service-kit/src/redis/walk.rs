//! Walking through all keys, a few at a time, without holding Redis up (`SCAN`,
//! <https://redis.io/docs/latest/commands/scan/>).

use deadpool_redis::redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, Value,
    aio::{ConnectionLike as _, MultiplexedConnection},
    cluster_async::ClusterConnection,
    cluster_routing::{RoutingInfo, SingleNodeRoutingInfo},
    cmd,
};

use super::{Store, StoreError, inspection::fact};

/// About how many keys are looked at in one step: Redis takes a tenth of a millisecond.
const COUNT: usize = 500;

/// A connection of its own that walks through the keys.
pub struct Walk(Connection);

pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// A node that holds keys: the server, or a primary of a Cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyNode {
    /// Its name, another one after each start; `None` where Redis keeps it to itself. A place in one
    /// node means nothing in another.
    pub run: Option<String>,
    address: Option<(String, u16)>,
}

/// Some keys, and where to go on.
#[derive(Debug)]
pub struct KeyPage {
    /// The keys. One may come twice.
    pub keys: Vec<String>,
    /// The next place; `None`: these were the last ones.
    pub next: Option<String>,
}

impl Store {
    /// Begins to walk through the keys.
    ///
    /// # Errors
    ///
    /// When Redis can't be reached.
    pub async fn walk(&self) -> Result<Walk, StoreError> {
        let connection = self.source.walker().await;
        connection.map(Walk).map_err(StoreError::Unreachable)
    }
}

impl Walk {
    /// The nodes that hold keys.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn nodes(&mut self) -> Result<Vec<KeyNode>, StoreError> {
        let addresses = match &mut self.0 {
            Connection::Server(_) => vec![None],
            Connection::Cluster(connection) => {
                let mut command = cmd("CLUSTER");
                command.arg("NODES");
                let random = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
                let told = connection.route_command(command, random).await?;
                let told: String = read(told)?;
                told.lines().filter_map(primary).map(Some).collect()
            }
        };
        let mut nodes = Vec::new();
        for address in addresses {
            let mut node = KeyNode { run: None, address };
            let mut command = cmd("INFO");
            command.arg("server");
            // A hosted Redis may not tell.
            if let Ok(told) = self.ask(&node, command).await {
                let told: String = read(told)?;
                node.run = fact(&told, "run_id");
            }
            nodes.push(node);
        }
        Ok(nodes)
    }

    /// The keys of this pattern from a place on; `None`: from the beginning.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn page(
        &mut self,
        node: &KeyNode,
        place: Option<&str>,
        pattern: &str,
    ) -> Result<KeyPage, StoreError> {
        let mut command = cmd("SCAN");
        command.arg(place.unwrap_or("0"));
        command.arg("MATCH").arg(pattern).arg("COUNT").arg(COUNT);
        let (next, keys): (String, Vec<String>) = read(self.ask(node, command).await?)?;
        Ok(KeyPage {
            keys,
            next: (next != "0").then_some(next),
        })
    }

    async fn ask(&mut self, node: &KeyNode, command: Cmd) -> RedisResult<Value> {
        match (&mut self.0, &node.address) {
            (Connection::Server(connection), _) => connection.req_packed_command(&command).await,
            (Connection::Cluster(connection), Some((host, port))) => {
                let (host, port) = (host.clone(), *port);
                let to = SingleNodeRoutingInfo::ByAddress { host, port };
                connection
                    .route_command(command, RoutingInfo::SingleNode(to))
                    .await
            }
            (Connection::Cluster(_), None) => Err(RedisError::from((
                ErrorKind::InvalidClientConfig,
                "a node of a Cluster has an address",
            ))),
        }
    }
}

fn read<T: FromRedisValue>(value: Value) -> RedisResult<T> {
    deadpool_redis::redis::from_redis_value(value).map_err(RedisError::from)
}

/// The address of a node that holds slots, in a line of `CLUSTER NODES`: identifier,
/// `address:port@bus,hostname`, flags and more, and in the ninth place the slots.
fn primary(line: &str) -> Option<(String, u16)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, address, flags, _, _, _, _, _, _, ..] = words.as_slice() else {
        return None;
    };
    if !flags.split(',').any(|flag| flag == "master") {
        return None;
    }
    let (host, port) = address.split_once('@')?.0.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_with_slots_are_found_among_a_clusters_nodes() {
        for (line, expected) in [
            (
                "07c3 127.0.0.1:30004@31004,host4 slave e7d1 0 1426238317239 4 connected",
                None,
            ),
            (
                "67ed 127.0.0.1:30002@31002,host2 master - 0 1426238316232 2 connected 5461-10922",
                Some(("127.0.0.1", 30002)),
            ),
            (
                "e7d1 ::1:30001@31001 myself,master - 0 0 1 connected 0-5460 [77-<-e7d1]",
                Some(("::1", 30001)),
            ),
            ("6ec2 127.0.0.1:30003@31003 master - 0 1 3 connected", None),
            ("", None),
        ] {
            let found = primary(line);
            let found = found.as_ref().map(|(host, port)| (host.as_str(), *port));
            assert_eq!(found, expected, "{line}");
        }
    }
}
