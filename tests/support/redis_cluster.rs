//! A Redis Cluster of three nodes.

use std::path::Path;

use harness::{deadline::eventually, ports};

use crate::redis_node::RedisNode;

/// The slots of each node.
const SLOTS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];

/// The running three.
pub struct RedisCluster {
    /// The nodes, each with a third of the slots.
    pub nodes: Vec<RedisNode>,
}

impl RedisCluster {
    /// Starts them and waits until they are one.
    pub async fn start(log: &Path) -> Self {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for number in 0..SLOTS.len() {
            let bus = ports::free().to_string();
            let name = format!("cluster-{number}");
            let arguments = [
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "1000",
            ];
            nodes.push(RedisNode::start(&name, &arguments, log).await);
            buses.push(bus);
        }
        for (node, (from, to)) in nodes.iter().zip(SLOTS) {
            let () = node
                .ask(&["CLUSTER", "ADDSLOTSRANGE", from, to])
                .await
                .expect("the slots are free");
        }
        for (node, bus) in nodes.iter().zip(&buses).skip(1) {
            let port = node.port().to_string();
            let () = nodes[0]
                .ask(&["CLUSTER", "MEET", "127.0.0.1", &port, bus])
                .await
                .expect("they may meet");
        }
        let cluster = Self { nodes };
        cluster.is_whole().await;
        cluster
    }

    /// Waits until every node says that all slots are served.
    pub async fn is_whole(&self) {
        eventually("the Cluster is whole", async || {
            for node in &self.nodes {
                let facts: String = node.ask(&["CLUSTER", "INFO"]).await.ok()?;
                let whole = facts.contains("cluster_state:ok")
                    && facts.contains("cluster_known_nodes:3")
                    && facts.contains("cluster_slots_ok:16384");
                whole.then_some(())?;
            }
            Some(())
        })
        .await;
    }

    /// The address for the services' settings.
    pub fn url(&self) -> String {
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect();
        format!("redis+cluster://{}", nodes.join(","))
    }
}
