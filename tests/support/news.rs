//! The changes of attempts, as the sites hear of them.

use futures_util::StreamExt as _;
use login_protocol::status_change::{CHANNEL, StatusChange};
use service_kit::redis::Store;
use tokio::time::timeout;

use crate::{deadline::PATIENCE, redis_server::RedisServer};

/// Published by the test itself: all that was published before it has arrived when it arrives.
const MARKER: &str = "so far";

/// A subscription to every change.
pub struct News(deadpool_redis::redis::aio::PubSub);

impl News {
    /// Listens from now on.
    pub async fn listen(store: &Store) -> Self {
        Self(store.subscribe(&[CHANNEL]).await.expect("Redis is running"))
    }

    /// Everything published since the last call, in order. A message that is no status change
    /// panics.
    pub async fn so_far(&mut self, redis: &RedisServer) -> Vec<StatusChange> {
        let _: i64 = redis.command(&["PUBLISH", CHANNEL, MARKER]).await;
        let mut messages = self.0.on_message();
        let mut changes = Vec::new();
        loop {
            let message = timeout(PATIENCE, messages.next())
                .await
                .expect("the marker arrives")
                .expect("the subscription stays");
            let text: String = message.get_payload().expect("messages are text");
            if text == MARKER {
                return changes;
            }
            changes.push(StatusChange::parse(&text).expect("a message is a status change"));
        }
    }
}
