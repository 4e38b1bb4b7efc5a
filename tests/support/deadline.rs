//! Waiting for something to become true, with an end.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Longer than anything here takes on a slow machine; only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
