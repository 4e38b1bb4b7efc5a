//! The access token: one owner for all replicas.
//!
//! It is kept in memory and shared in Redis, and replaced in the background ahead of its end, so
//! that no request waits for it in normal running. After a failure WeChat is left alone for a
//! while.

use std::{
    future::pending,
    panic::resume_unwind,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use login_protocol::steps::StoredAccessToken;
use service_kit::{clock::Clock, redis::Store, request_id};
use tokio::{
    sync::{Mutex, Notify},
    time::{Instant, sleep},
};

use super::{
    api::Api,
    error::WechatError,
    pauses,
    token_refresh::{Need, REPLACE_BEFORE_END, TokenRefresh},
};
use crate::settings::TokenMode;

/// How often a gateway without a token looks for another replica's in Redis during a pause.
const LOOK_WHILE_PAUSED: Duration = Duration::from_secs(2);

/// How often WeChat is asked to replace a token that has less than [`REPLACE_BEFORE_END`] left.
const NEARLY_OVER: SignedDuration = SignedDuration::from_mins(1);

/// How long after a failure a report may end the pause that follows it.
const REPORT_SPACING: Duration = Duration::from_secs(10);

/// See the module's text.
pub struct AccessTokens {
    refresh: TokenRefresh,
    clock: Clock,
    memory: RwLock<Held>,
    /// Locked while a refresh is on its way.
    refreshing: Mutex<()>,
    /// Wakes the background task: the token has become invalid, or couldn't be replaced.
    trouble: Notify,
}

#[derive(Default)]
struct Held {
    token: Option<StoredAccessToken>,
    /// WeChat refused the token to this gateway.
    refused: bool,
    failure: Option<Failure>,
}

/// The last refresh, if it failed.
#[derive(Clone)]
struct Failure {
    at: Instant,
    /// Until then WeChat isn't asked again.
    pause_ends: Instant,
    error: Arc<WechatError>,
    /// How many failed in a row.
    count: u32,
}

impl Failure {
    fn to_error(&self) -> WechatError {
        WechatError::NoToken {
            cause: Arc::clone(&self.error),
            retry_after: self.pause_ends.saturating_duration_since(Instant::now()),
        }
    }

    fn is_paused(&self) -> bool {
        Instant::now() < self.pause_ends
    }
}

/// Whether an account has its token.
#[derive(Debug, Clone)]
pub enum TokenStanding {
    /// It has.
    Held {
        /// When WeChat stops accepting it. It is replaced before.
        expires_at: Timestamp,
    },
    /// WeChat is being asked for the first time.
    BeingFetched,
    /// WeChat gave none.
    Missing {
        /// Why not.
        why: Arc<WechatError>,
        /// For how long WeChat isn't asked again.
        asked_again_in: Duration,
    },
}

/// Who asks for another token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// A call of this gateway, or its background task.
    Gateway,
    /// Another backend, or an operator who has fixed what WeChat refused.
    Report,
}

impl Held {
    fn usable(&self, need: &Need, now: Timestamp) -> Option<StoredAccessToken> {
        let token = self.token.as_ref();
        let token = token.filter(|token| need.is_met_by(token, now))?;
        (!self.is_refused()).then(|| token.clone())
    }

    /// Whether it is no use to call WeChat with the token. One that WeChat can't be made to replace
    /// is tried again after the pause: WeChat may have been wrong in refusing it.
    fn is_refused(&self) -> bool {
        let tried_again = self.failure.as_ref().is_some_and(|failure| {
            matches!(*failure.error, WechatError::StuckToken { .. }) && !failure.is_paused()
        });
        self.refused && !tried_again
    }
}

impl AccessTokens {
    /// Holds nothing yet; [`AccessTokens::keep_fresh`] starts with a token from Redis or WeChat.
    pub fn new(api: Arc<Api>, store: Arc<Store>, mode: TokenMode, clock: Clock) -> Self {
        Self {
            refresh: TokenRefresh::new(api, store, mode, clock.clone()),
            clock,
            memory: RwLock::default(),
            refreshing: Mutex::new(()),
            trouble: Notify::new(),
        }
    }

    /// A token that works, from memory in normal running.
    ///
    /// # Errors
    ///
    /// When there is none and WeChat issues none, or issued none a while ago.
    pub async fn current(self: &Arc<Self>) -> Result<StoredAccessToken, WechatError> {
        self.obtain(Need::Usable, Asker::Gateway).await
    }

    /// A replacement for this token, which somebody reports as refused.
    ///
    /// # Errors
    ///
    /// As [`AccessTokens::current`]. A report calls WeChat even during the pause after a failure
    /// that the operator may have fixed meanwhile, but at most every ten seconds.
    pub async fn replace(
        self: &Arc<Self>,
        refused: &str,
    ) -> Result<StoredAccessToken, WechatError> {
        self.obtain(Need::Other(refused.to_owned()), Asker::Report)
            .await
    }

    /// Runs a call with the current token; if WeChat refuses the token, once more with another one.
    pub async fn with_token<T>(
        self: &Arc<Self>,
        call: impl AsyncFn(&str) -> Result<T, WechatError>,
    ) -> Result<T, WechatError> {
        let call = &call;
        self.with_own_token(|token| async move { call(&token).await })
            .await
    }

    /// As [`AccessTokens::with_token`], for tasks that outlive a request: the compiler can't prove
    /// that a call which borrows its token is `Send`.
    pub async fn with_own_token<T, Called>(
        self: &Arc<Self>,
        call: impl Fn(String) -> Called,
    ) -> Result<T, WechatError>
    where
        Called: Future<Output = Result<T, WechatError>>,
    {
        let token = self.current().await?.token;
        match call(token.clone()).await {
            Err(error) if error.wants_another_token() => {
                tracing::warn!(account = self.refresh.account().in_log(), %error, "the access token was refused; getting another one");
                self.mark_refused(&token);
                let other = self.obtain(Need::Other(token), Asker::Gateway).await?.token;
                call(other).await
            }
            other => other,
        }
    }

    /// Whether a token is at hand; if not, why.
    pub fn held(&self) -> Result<(), String> {
        let memory = self.read();
        if memory.usable(&Need::Usable, self.clock.now()).is_some() {
            return Ok(());
        }
        let failure = memory.failure.as_ref();
        let reason = failure.map_or_else(
            || "it is being fetched".to_owned(),
            |failure| failure.error.to_string(),
        );
        Err(format!("No access token is held: {reason}."))
    }

    /// How it stands with the token, for the owner.
    pub fn standing(&self) -> TokenStanding {
        let memory = self.read();
        if let Some(token) = memory.usable(&Need::Usable, self.clock.now()) {
            return TokenStanding::Held {
                expires_at: token.expires_at,
            };
        }
        memory
            .failure
            .as_ref()
            .map_or(TokenStanding::BeingFetched, |failure| {
                TokenStanding::Missing {
                    why: Arc::clone(&failure.error),
                    asked_again_in: failure.pause_ends.saturating_duration_since(Instant::now()),
                }
            })
    }

    /// Replaces the token ahead of its end, for as long as the gateway runs.
    pub async fn keep_fresh(self: &Arc<Self>) {
        loop {
            let wait = match self.obtain(Need::Fresh, Asker::Gateway).await {
                Ok(token) => until_replaced(&token, self.clock.now()),
                Err(WechatError::NoToken { retry_after, .. }) => retry_after.min(LOOK_WHILE_PAUSED),
                Err(_) => LOOK_WHILE_PAUSED,
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.trouble.notified() => {}
            }
        }
    }

    async fn obtain(
        self: &Arc<Self>,
        need: Need,
        asker: Asker,
    ) -> Result<StoredAccessToken, WechatError> {
        let asked_at = Instant::now();
        let (need, paused) = {
            let memory = self.read();
            if let Some(token) = memory.usable(&need, self.clock.now()) {
                return Ok(token);
            }
            // A token that this gateway knows to be refused helps nobody, whatever was requested.
            let refused = memory.token.as_ref().filter(|_| memory.is_refused());
            let need = refused.map_or(need, |token| Need::Other(token.token.clone()));
            (need, memory.failure.clone().filter(Failure::is_paused))
        };
        if let Some(failure) = paused.filter(|failure| !may_end_the_pause(failure, asker)) {
            // Another replica may have been luckier.
            return match self.refresh.shared(&need).await {
                Some(token) => Ok(self.keep(token)),
                None => Err(failure.to_error()),
            };
        }
        // A caller may give up early, as a push does. The refresh still runs to its end: a lock
        // that nobody releases would keep all gateways waiting.
        let tokens = Arc::clone(self);
        let replacing = async move { tokens.replace_in_memory(&need, asked_at).await };
        match tokio::spawn(request_id::carried(replacing)).await {
            Ok(obtained) => obtained,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime is ending, and this task with it.
                Err(_) => pending().await,
            },
        }
    }

    async fn replace_in_memory(
        &self,
        need: &Need,
        asked_at: Instant,
    ) -> Result<StoredAccessToken, WechatError> {
        let _only_one = self.refreshing.lock().await;
        {
            let memory = self.read();
            if let Some(token) = memory.usable(need, self.clock.now()) {
                return Ok(token);
            }
            // All who waited for a refresh that failed share its failure: asking WeChat again for
            // each of them would make a queue that outlives its askers.
            if let Some(failure) = memory
                .failure
                .as_ref()
                .filter(|failure| failure.at > asked_at)
            {
                return Err(failure.to_error());
            }
        }
        match self.refresh.run(need).await {
            Ok(token) => Ok(self.keep(token)),
            Err(error) => Err(self.remember(error).to_error()),
        }
    }

    fn keep(&self, token: StoredAccessToken) -> StoredAccessToken {
        *self.write() = Held {
            token: Some(token.clone()),
            ..Held::default()
        };
        token
    }

    fn remember(&self, error: WechatError) -> Failure {
        let mut memory = self.write();
        let count = memory
            .failure
            .as_ref()
            .map_or(1, |last| last.count.saturating_add(1));
        let pause = pauses::after(&error, count);
        tracing::error!(account = self.refresh.account().in_log(), %error, retry_in_seconds = pause.as_secs(), "can't get an access token");
        let now = Instant::now();
        let failure = Failure {
            at: now,
            pause_ends: now + pause,
            error: Arc::new(error),
            count,
        };
        memory.failure = Some(failure.clone());
        self.trouble.notify_one();
        failure
    }

    fn mark_refused(&self, refused: &str) {
        let mut memory = self.write();
        if memory
            .token
            .as_ref()
            .is_some_and(|token| token.token == refused)
        {
            memory.refused = true;
            self.trouble.notify_one();
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may_end_the_pause(failure: &Failure, asker: Asker) -> bool {
    asker == Asker::Report
        && failure.error.operator_can_mend()
        && failure.at.elapsed() >= REPORT_SPACING
}

/// When to replace a token. If WeChat grants less than usual, or leaves the old token in force, it
/// isn't asked all the time.
fn until_replaced(token: &StoredAccessToken, now: Timestamp) -> Duration {
    let left = token.expires_at.duration_since(now);
    let wait = if left > REPLACE_BEFORE_END {
        left - REPLACE_BEFORE_END
    } else {
        (left / 2).min(NEARLY_OVER)
    };
    Duration::try_from(wait)
        .unwrap_or_default()
        .max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_account::account;

    #[test]
    fn a_token_is_replaced_ahead_of_its_end_and_a_short_one_not_all_the_time() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        for (left, wait) in [
            (7200, 6910),
            (600, 310),
            (292, 2),
            (280, 60),
            (100, 50),
            (4, 2),
            (0, 1),
            (-5, 1),
        ] {
            let token = StoredAccessToken {
                token: String::new(),
                expires_at: now + SignedDuration::from_secs(left),
            };
            let until = until_replaced(&token, now);
            assert_eq!(until, Duration::from_secs(wait), "{left}");
        }
    }
    #[tokio::test]
    async fn a_token_is_held_until_ten_seconds_before_its_end() {
        let noon: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let (clock, hands) = Clock::standing(noon);
        let tokens = account(clock).tokens;
        assert!(tokens.held().is_err());
        tokens.keep(StoredAccessToken {
            token: "t".to_owned(),
            expires_at: noon + SignedDuration::from_hours(2),
        });
        for (seconds, is_held) in [(0, true), (7189, true), (7190, false), (7200, false)] {
            hands.put(noon + SignedDuration::from_secs(seconds));
            assert_eq!(tokens.held().is_ok(), is_held, "{seconds}");
        }
    }
}
