//! Repeating a call while a person waits for it.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::error::WechatError;

/// What lies before each repeat, at least: the first of WeChat's 1, 2 and 4 seconds.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// How long somebody waits.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// No repeat begins later than this, so that one that takes its whole time ends in time.
    last_beginning: Duration,
    /// All of it, calls and pauses.
    whole: Duration,
}

/// For a call that is all there is to do: a second less than the site waits for the gateway.
pub const FOR_ALL: Patience = Patience {
    last_beginning: Duration::from_secs(5),
    whole: Duration::from_secs(8),
};

/// For a call that others follow, which take up to three seconds themselves.
pub const FOR_THE_FIRST: Patience = Patience {
    last_beginning: Duration::from_millis(4500),
    whole: Duration::from_millis(5500),
};

/// For a call that follows such a one before its outcome is known.
pub const FOR_THE_SECOND: Patience = Patience {
    last_beginning: Duration::from_millis(1500),
    whole: Duration::from_secs(3),
};

/// Makes the attempt, and makes it again if WeChat's trouble is of the kind that passes.
///
/// # Errors
///
/// That of the last attempt; [`WechatError::OutOfTime`] if it was still under way.
pub async fn patiently<T, Attempted>(
    patience: Patience,
    attempt: impl Fn() -> Attempted,
) -> Result<T, WechatError>
where
    Attempted: Future<Output = Result<T, WechatError>>,
{
    let attempts = async {
        let began = Instant::now();
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let pause = error
                .passes_after()
                .and_then(|least| Some(pauses.next()?.max(least)));
            let Some(pause) =
                pause.filter(|pause| began.elapsed() + *pause <= patience.last_beginning)
            else {
                return Err(error);
            };
            tracing::warn!(%error, retry_in_seconds = pause.as_secs_f32(), "a call to WeChat failed; retrying");
            sleep(pause).await;
        }
    };
    timeout(patience.whole, attempts)
        .await
        .unwrap_or(Err(WechatError::OutOfTime))
}
