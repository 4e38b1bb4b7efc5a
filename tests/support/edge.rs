//! What stands in front of several replicas: a TCP balancer, as nginx is in a deployment.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Which replica gets the next connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The first one that takes it, so that a test knows where its requests go.
    FirstAlive,
    /// One after the other; one that refuses is passed over.
    InTurn,
}

/// A running balancer. Dropping it takes no new connections.
pub struct Edge {
    url: String,
    replicas: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Edge {
    /// Listens; nothing stands behind it yet.
    pub async fn start(order: Order) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let replicas = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&replicas);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut candidates = known.lock().unwrap_or_else(PoisonError::into_inner);
                let tried = candidates.clone();
                if order == Order::InTurn && !candidates.is_empty() {
                    candidates.rotate_left(1);
                }
                drop(candidates);
                tokio::spawn(pass_on(client, tried));
            }
        });
        Self {
            url,
            replicas,
            accepting,
        }
    }

    /// Its address, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What stands behind it from now on: addresses without a path.
    pub fn lead_to<'a>(&self, replicas: impl IntoIterator<Item = &'a str>) {
        let replicas = replicas
            .into_iter()
            .map(|address| address.trim_start_matches("http://").to_owned());
        *self.replicas.lock().unwrap_or_else(PoisonError::into_inner) = replicas.collect();
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A connection that no replica takes is closed, and so is one whose replica dies.
async fn pass_on(mut client: TcpStream, replicas: Vec<String>) {
    for replica in replicas {
        if let Ok(mut server) = TcpStream::connect(replica).await {
            // An error is the end of either side, which the other one sees as well.
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
