//! The access token: one owner for all replicas.
//!
//! It is kept in memory and shared in Redis. One replica at a time asks WeChat for another, under a
//! lock that ends by itself. `stable_token` hands out the same token until five minutes before its
//! end, so even two askers at once would do no harm.

use std::{
    future::pending,
    panic::resume_unwind,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use login_protocol::steps::{
    LockTokenRefresh, ReadAccessToken, ReleaseTokenRefresh, StoreAccessToken, StoredAccessToken,
};
use service_kit::redis::Store;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use super::{
    api::{Api, token_text},
    error::WechatError,
};

/// A token this close to its end is replaced in the background. WeChat itself issues another one
/// five minutes before, and lets both work until then.
const REPLACE_BEFORE_END: SignedDuration = SignedDuration::from_secs(290);

/// A token this close to its end isn't used any more: the call has to arrive as well.
const UNUSABLE_BEFORE_END: SignedDuration = SignedDuration::from_secs(10);

/// How long a refresher may hold the lock: longer than its calls to WeChat can take.
const LOCK_LEASE: Duration = Duration::from_secs(12);

/// How often a replica looks whether the one that holds the lock is done.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// How long to wait after a failed refresh.
const RETRY_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// WeChat ignores a forced refresh within 30 seconds of another.
const FORCE_SPACING: Duration = Duration::from_secs(31);

/// See the module's text.
pub struct AccessTokens {
    api: Arc<Api>,
    store: Arc<Store>,
    memory: RwLock<Held>,
    /// Holds the time of the last forced refresh, and is locked while one is on its way.
    refreshing: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Held {
    token: Option<StoredAccessToken>,
    last_failure: Option<(Instant, Arc<WechatError>)>,
}

/// What to make of the token at hand.
enum Need {
    /// Any token that still works.
    Usable,
    /// One that needn't be replaced soon.
    Fresh,
    /// One other than this, which WeChat refused.
    Other(String),
}

impl Need {
    fn is_met_by(&self, token: &StoredAccessToken) -> bool {
        let left = token.expires_at.duration_since(Timestamp::now());
        match self {
            Self::Usable => left > UNUSABLE_BEFORE_END,
            Self::Fresh => left > REPLACE_BEFORE_END,
            Self::Other(refused) => left > UNUSABLE_BEFORE_END && token.token != *refused,
        }
    }
}

impl AccessTokens {
    /// Holds nothing yet; [`AccessTokens::keep_fresh`] begins with a token from Redis or WeChat.
    pub fn new(api: Arc<Api>, store: Arc<Store>) -> Self {
        Self {
            api,
            store,
            memory: RwLock::default(),
            refreshing: Mutex::new(None),
        }
    }

    /// A token that works, from memory in normal running.
    pub async fn current(self: &Arc<Self>) -> Result<StoredAccessToken, WechatError> {
        self.obtain(Need::Usable).await
    }

    /// Another token than this one, which WeChat refused.
    pub async fn replace(
        self: &Arc<Self>,
        refused: &str,
    ) -> Result<StoredAccessToken, WechatError> {
        self.obtain(Need::Other(refused.to_owned())).await
    }

    /// Runs a call with the current token; if WeChat refuses the token, once more with another one.
    pub async fn with_token<T>(
        self: &Arc<Self>,
        call: impl AsyncFn(&str) -> Result<T, WechatError>,
    ) -> Result<T, WechatError> {
        let token = self.current().await?.token;
        match call(&token).await {
            Err(error) if error.wants_another_token() => {
                tracing::warn!(%error, "the access token was refused; getting another one");
                let other = self.replace(&token).await?.token;
                call(&other).await
            }
            other => other,
        }
    }

    /// Whether a token is at hand; if not, why.
    pub fn held(&self) -> Result<(), String> {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        if memory
            .token
            .as_ref()
            .is_some_and(|token| Need::Usable.is_met_by(token))
        {
            return Ok(());
        }
        let failure = memory.last_failure.as_ref();
        let reason = failure.map_or_else(
            || "it is being fetched".to_owned(),
            |(_, error)| error.to_string(),
        );
        Err(format!("No access token is held: {reason}."))
    }

    /// Replaces the token ahead of its end, for as long as the gateway runs.
    pub async fn keep_fresh(self: &Arc<Self>) {
        loop {
            let wait = match self.obtain(Need::Fresh).await {
                Ok(token) => {
                    let left =
                        token.expires_at.duration_since(Timestamp::now()) - REPLACE_BEFORE_END;
                    Duration::try_from(left)
                        .unwrap_or_default()
                        .max(Duration::from_secs(1))
                }
                Err(_) => RETRY_AFTER_FAILURE,
            };
            sleep(wait).await;
        }
    }

    async fn obtain(self: &Arc<Self>, need: Need) -> Result<StoredAccessToken, WechatError> {
        if let Some(token) = self.in_memory(&need) {
            return Ok(token);
        }
        // An asker may give up early, as a push does. The refresh still runs to its end: a lock that
        // nobody releases would keep all gateways waiting.
        let tokens = Arc::clone(self);
        match tokio::spawn(async move { tokens.refresh(&need).await }).await {
            Ok(obtained) => obtained,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime is ending, and this task with it.
                Err(_) => pending().await,
            },
        }
    }

    async fn refresh(&self, need: &Need) -> Result<StoredAccessToken, WechatError> {
        let asked_at = Instant::now();
        let mut last_forced = self.refreshing.lock().await;
        if let Some(token) = self.in_memory(need) {
            return Ok(token);
        }
        // All who waited for a refresh that failed share its failure: asking WeChat again for each of
        // them would make a queue that outlives its askers.
        if let Some((_, error)) = self
            .failure()
            .filter(|(failed_at, _)| *failed_at > asked_at)
        {
            return Err(WechatError::Shared(error));
        }
        let obtained = self.share_or_fetch(need, &mut last_forced).await;
        let obtained = obtained.map_err(Arc::new);
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        match &obtained {
            Ok(token) => {
                *memory = Held {
                    token: Some(token.clone()),
                    last_failure: None,
                }
            }
            Err(error) => {
                tracing::error!(%error, "no access token can be had");
                memory.last_failure = Some((Instant::now(), Arc::clone(error)));
            }
        }
        obtained.map_err(WechatError::Shared)
    }

    fn failure(&self) -> Option<(Instant, Arc<WechatError>)> {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        memory.last_failure.clone()
    }

    fn in_memory(&self, need: &Need) -> Option<StoredAccessToken> {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        memory.token.clone().filter(|token| need.is_met_by(token))
    }

    async fn share_or_fetch(
        &self,
        need: &Need,
        last_forced: &mut Option<Instant>,
    ) -> Result<StoredAccessToken, WechatError> {
        let holder = random_text();
        let deadline = Instant::now() + LOCK_LEASE;
        loop {
            if let Some(token) = self.in_redis().await.filter(|token| need.is_met_by(token)) {
                return Ok(token);
            }
            // Without Redis the lock can't be had, but a token can.
            if self.lock(&holder).await.unwrap_or(true) || Instant::now() >= deadline {
                break;
            }
            sleep(LOCK_POLL).await;
        }
        let fetched = self.fetch(need, last_forced).await;
        if let Ok(token) = &fetched {
            let step = StoreAccessToken {
                app_id: self.api.app_id().clone(),
                token: token.clone(),
            };
            if let Err(error) = self.store.run(&step).await {
                tracing::warn!(%error, "the access token can't be shared with the other replicas");
            }
        }
        let release = ReleaseTokenRefresh {
            app_id: self.api.app_id().clone(),
            holder,
        };
        if let Err(error) = self.store.run(&release).await {
            tracing::debug!(%error, "the refresh lock will end by itself");
        }
        fetched
    }

    async fn fetch(
        &self,
        need: &Need,
        last_forced: &mut Option<Instant>,
    ) -> Result<StoredAccessToken, WechatError> {
        let asked_at = Timestamp::now();
        let mut granted = self.api.stable_token(false).await?;
        if matches!(need, Need::Other(refused) if token_text(&granted) == refused.as_str())
            && last_forced.is_none_or(|at| at.elapsed() >= FORCE_SPACING)
        {
            *last_forced = Some(Instant::now());
            granted = self.api.stable_token(true).await?;
        }
        let lifetime = SignedDuration::from_secs(granted.expires_in.try_into().unwrap_or(7200));
        tracing::info!(
            expires_in_seconds = granted.expires_in,
            "got an access token"
        );
        Ok(StoredAccessToken {
            token: token_text(&granted).to_owned(),
            expires_at: asked_at + lifetime,
        })
    }

    async fn in_redis(&self) -> Option<StoredAccessToken> {
        let read = self
            .store
            .run(&ReadAccessToken {
                app_id: self.api.app_id().clone(),
            })
            .await;
        read.inspect_err(|error| tracing::warn!(%error, "the shared access token can't be read"))
            .ok()
            .flatten()
    }

    async fn lock(&self, holder: &str) -> Option<bool> {
        let step = LockTokenRefresh {
            app_id: self.api.app_id().clone(),
            holder: holder.to_owned(),
            lease: LOCK_LEASE,
        };
        self.store.run(&step).await.ok()
    }
}

fn random_text() -> String {
    let mut bytes = [0; 16];
    // Without random bytes every holder has one name, and the lease alone protects the lock.
    let _ = getrandom::fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}
