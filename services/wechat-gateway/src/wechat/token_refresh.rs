//! Getting another access token, for all replicas: from Redis, or by one of them from WeChat.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    account::AccountName,
    steps::{
        ForceTokenRefresh, ForcedRefresh, LockTokenRefresh, ReadAccessToken, ReleaseTokenRefresh,
        ReplaceLegacyToken, StoreAccessToken, StoredAccessToken,
    },
};
use service_kit::{
    random,
    redis::{Store, StoreError},
};
use tokio::time::{Instant, sleep, timeout};
use wechat_wire::api::AccessTokenGranted;

use super::{
    api::{Api, token_text},
    error::WechatError,
};
use crate::settings::TokenMode;

/// A token this close to its end is replaced in the background. WeChat itself issues another one
/// five minutes before, and lets both work until then.
pub const REPLACE_BEFORE_END: SignedDuration = SignedDuration::from_secs(290);

/// A token this close to its end isn't used any more: the call has to arrive as well.
const UNUSABLE_BEFORE_END: SignedDuration = SignedDuration::from_secs(10);

/// No token lives longer.
/// <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>
const LONGEST_LIFETIME: SignedDuration = SignedDuration::from_hours(2);

/// How long a token is taken to live when WeChat doesn't say. Long enough that `/cgi-bin/token`,
/// which may be called 2000 times in a day, is asked fewer than 300 times.
const UNKNOWN_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// How long a gateway may hold the refresh lock.
const LOCK_LEASE: Duration = Duration::from_secs(12);

/// How long it may ask WeChat: it must be done before its lock ends.
const FETCH_BOUND: Duration = Duration::from_secs(10);

/// How often a replica looks whether the one that holds the lock is done.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// WeChat ignores a forced refresh within 30 seconds of another. One more, since they don't all
/// take the same time to arrive.
const FORCE_SPACING: Duration = Duration::from_secs(31);

/// WeChat ignores more forced refreshes in a day.
/// <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>
const FORCES_PER_DAY: u32 = 20;

/// In legacy mode each refresh counts against a quota of 2000 a day, which the account's other
/// programs may use as well, and ends the token before. Those ahead of their time are rationed, so
/// that a backend that reports each token it gets can't use it up.
/// <https://developers.weixin.qq.com/doc/service/api/base/api_getaccesstoken>
const REPLACEMENT_SPACING: Duration = Duration::from_secs(31);

/// See [`REPLACEMENT_SPACING`].
const REPLACEMENTS_PER_DAY: u32 = 500;

/// What a token has to be.
#[derive(Debug)]
pub enum Need {
    /// Any token that still works.
    Usable,
    /// One that needn't be replaced soon.
    Fresh,
    /// One other than this, which WeChat refused.
    Other(String),
}

impl Need {
    /// Whether this token will do now.
    pub fn is_met_by(&self, token: &StoredAccessToken, now: Timestamp) -> bool {
        let left = token.expires_at.duration_since(now);
        match self {
            Self::Usable => left > UNUSABLE_BEFORE_END,
            Self::Fresh => left > REPLACE_BEFORE_END,
            Self::Other(refused) => left > UNUSABLE_BEFORE_END && token.token != *refused,
        }
    }
}

/// See the module's text.
pub struct TokenRefresh {
    api: Arc<Api>,
    store: Arc<Store>,
    mode: TokenMode,
}

impl TokenRefresh {
    /// Whose tokens they are.
    pub fn account(&self) -> &AccountName {
        self.api.account()
    }

    /// For the account of `api`.
    pub const fn new(api: Arc<Api>, store: Arc<Store>, mode: TokenMode) -> Self {
        Self { api, store, mode }
    }

    /// The replicas' token, if it will do.
    pub async fn shared(&self, need: &Need) -> Option<StoredAccessToken> {
        let step = ReadAccessToken {
            app_id: self.api.app_id().clone(),
        };
        let read = self.store.run(&step).await;
        let account = self.api.account().in_log();
        read.inspect_err(
            |error| tracing::warn!(account, %error, "can't read the shared access token"),
        )
        .ok()
        .flatten()
        .filter(|token| need.is_met_by(token, Timestamp::now()))
    }

    /// A token that will do: another replica's, or WeChat's if none has one. Only one replica at a
    /// time asks WeChat.
    pub async fn run(&self, need: &Need) -> Result<StoredAccessToken, WechatError> {
        let holder = random::name()?;
        let deadline = Instant::now() + LOCK_LEASE;
        let is_held = loop {
            if let Some(token) = self.shared(need).await {
                return Ok(token);
            }
            match self.lock(&holder).await {
                Some(true) => break true,
                Some(false) if Instant::now() < deadline => sleep(LOCK_POLL).await,
                // A lock that is never free mustn't end all logins; nor does a token need Redis.
                Some(false) | None => break false,
            }
        };
        // The previous holder of the lock may have shared a token after this replica looked.
        let shared = if is_held {
            self.shared(need).await
        } else {
            None
        };
        let obtained = match shared {
            Some(token) => Ok(token),
            None => self.fetch(need, &holder).await,
        };
        // Also when Redis didn't say that the lock was got: its answer may have been lost.
        let release = ReleaseTokenRefresh {
            app_id: self.api.app_id().clone(),
            holder,
        };
        if let Err(error) = self.store.run(&release).await {
            tracing::debug!(%error, "the refresh lock will end by itself");
        }
        obtained
    }

    /// Whether the lock was got; `None` when Redis can't say.
    async fn lock(&self, holder: &str) -> Option<bool> {
        let step = LockTokenRefresh {
            app_id: self.api.app_id().clone(),
            holder: holder.to_owned(),
            lease: LOCK_LEASE,
        };
        self.store.run(&step).await.ok()
    }

    /// Asks WeChat, and shares what it grants.
    async fn fetch(&self, need: &Need, asker: &str) -> Result<StoredAccessToken, WechatError> {
        let asked_at = Timestamp::now();
        let granted = timeout(FETCH_BOUND, self.granted(need, asker)).await;
        let granted = granted.unwrap_or(Err(WechatError::OutOfTime))?;
        let lifetime = lifetime(&granted);
        tracing::info!(
            account = self.api.account().in_log(),
            expires_in_seconds = lifetime.as_secs(),
            "got an access token"
        );
        let token = StoredAccessToken {
            token: token_text(&granted).to_owned(),
            expires_at: asked_at + lifetime,
        };
        let step = StoreAccessToken {
            app_id: self.api.app_id().clone(),
            token: token.clone(),
        };
        if let Err(error) = self.store.run(&step).await {
            tracing::warn!(account = self.api.account().in_log(), %error, "can't store the access token for the other replicas");
        }
        Ok(token)
    }

    async fn granted(&self, need: &Need, asker: &str) -> Result<AccessTokenGranted, WechatError> {
        if self.mode == TokenMode::Legacy {
            if matches!(need, Need::Other(_)) {
                self.may_replace(asker).await?;
            }
            return self.api.legacy_token().await;
        }
        let current = self.api.stable_token(false).await?;
        let Need::Other(refused) = need else {
            return Ok(current);
        };
        if token_text(&current) != refused {
            return Ok(current);
        }
        self.may_force(asker).await?;
        tracing::warn!(
            account = self.api.account().in_log(),
            "WeChat keeps returning the access token that it refused; forcing a refresh"
        );
        let forced = self.api.stable_token(true).await?;
        if token_text(&forced) == refused {
            return Err(WechatError::StuckToken {
                why: "WeChat still hands it out: a forced refresh brought it again, as it does when others force refreshes as well",
                retry_after: FORCE_SPACING,
            });
        }
        Ok(forced)
    }

    async fn may_force(&self, asker: &str) -> Result<(), WechatError> {
        let step = ForceTokenRefresh {
            app_id: self.api.app_id().clone(),
            asker: asker.to_owned(),
            spacing: FORCE_SPACING,
            per_day: FORCES_PER_DAY,
        };
        let too_soon =
            "WeChat still hands it out, and allows a forced refresh every 30 seconds only";
        let used_up = "WeChat still hands it out, and the 20 forced refreshes that it allows in a day are used up";
        admitted(self.store.run(&step).await, too_soon, used_up)
    }

    async fn may_replace(&self, asker: &str) -> Result<(), WechatError> {
        let step = ReplaceLegacyToken {
            app_id: self.api.app_id().clone(),
            asker: asker.to_owned(),
            spacing: REPLACEMENT_SPACING,
            per_day: REPLACEMENTS_PER_DAY,
        };
        let too_soon =
            "another one is made every 31 seconds only, since WeChat allows 2000 in a day";
        let used_up = "the gateway's 500 replacements in a day are used up, of the 2000 tokens that WeChat allows";
        admitted(self.store.run(&step).await, too_soon, used_up)
    }
}

fn admitted(
    asked: Result<ForcedRefresh, StoreError>,
    too_soon: &'static str,
    used_up: &'static str,
) -> Result<(), WechatError> {
    let (why, retry_after) = match asked {
        Ok(ForcedRefresh::Admitted) => return Ok(()),
        Ok(ForcedRefresh::TooSoon { retry_after }) => (too_soon, retry_after),
        Ok(ForcedRefresh::UsedUp { retry_after }) => (used_up, retry_after),
        Err(error) => {
            tracing::warn!(%error, "can't check whether the access token may be replaced");
            let why = "Redis can't say whether it may be replaced";
            (why, LOCK_LEASE)
        }
    };
    Err(WechatError::StuckToken { why, retry_after })
}

/// How long a granted token is used.
fn lifetime(granted: &AccessTokenGranted) -> SignedDuration {
    let Some(seconds) = granted.expires_in else {
        tracing::warn!(
            "WeChat's response lacks the access token's lifetime; it will be replaced in {} s",
            (UNKNOWN_LIFETIME - REPLACE_BEFORE_END).as_secs()
        );
        return UNKNOWN_LIFETIME;
    };
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    SignedDuration::from_secs(seconds).min(LONGEST_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_will_do_for_depends_on_what_it_has_left() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        for (left, usable, fresh) in [
            (7200, true, true),
            (291, true, true),
            (290, true, false),
            (11, true, false),
            (10, false, false),
            (-1, false, false),
        ] {
            let token = StoredAccessToken {
                token: "t".to_owned(),
                expires_at: now + SignedDuration::from_secs(left),
            };
            assert_eq!(Need::Usable.is_met_by(&token, now), usable, "{left}");
            assert_eq!(Need::Fresh.is_met_by(&token, now), fresh, "{left}");
            let another = Need::Other("u".to_owned());
            assert_eq!(another.is_met_by(&token, now), usable, "{left}");
            let same = Need::Other("t".to_owned());
            assert!(!same.is_met_by(&token, now), "{left}");
        }
    }

    #[test]
    fn a_token_is_used_for_as_long_as_it_says_within_reason() {
        for (expires_in, seconds) in [
            (Some(7200), 7200),
            (Some(345), 345),
            (Some(1), 1),
            (Some(7201), 7200),
            (Some(u64::MAX), 7200),
            (None, 600),
        ] {
            let granted = AccessTokenGranted {
                access_token: "t".into(),
                expires_in,
            };
            assert_eq!(lifetime(&granted).as_secs(), seconds, "{expires_in:?}");
        }
    }
}
