//! When Redis published the news of each attempt, as one more subscriber sees it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use deadpool_redis::redis::Client;
use futures_util::StreamExt as _;
use login_protocol::{
    scene::Scene,
    status_change::{CHANNEL, StatusChange},
};
use tokio::task::JoinHandle;

/// The publications since it began; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Publications {
    seen: Arc<Mutex<HashMap<Scene, Instant>>>,
    following: JoinHandle<()>,
}

impl Publications {
    /// Subscribes.
    pub(crate) async fn follow(redis_url: &str) -> Result<Self, String> {
        let wrong = |error: deadpool_redis::redis::RedisError| format!("can't subscribe: {error}");
        let client = Client::open(redis_url).map_err(wrong)?;
        let mut subscription = client.get_async_pubsub().await.map_err(wrong)?;
        subscription.subscribe(CHANNEL).await.map_err(wrong)?;
        let seen = Arc::new(Mutex::new(HashMap::new()));
        let noted = Arc::clone(&seen);
        let following = tokio::spawn(async move {
            let mut messages = subscription.into_on_message();
            while let Some(message) = messages.next().await {
                let now = Instant::now();
                let text = str::from_utf8(message.get_payload_bytes());
                if let Some(change) = text.ok().and_then(|text| StatusChange::parse(text).ok()) {
                    // The first news of an attempt is its scan.
                    let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    noted.entry(change.scene).or_insert(now);
                }
            }
        });
        Ok(Self { seen, following })
    }

    /// When the scan of this attempt was published.
    pub(crate) fn at(&self, scene: &Scene) -> Option<Instant> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(scene).copied()
    }
}

impl Drop for Publications {
    fn drop(&mut self) {
        self.following.abort();
    }
}
