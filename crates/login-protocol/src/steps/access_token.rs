//! The access token that all gateways share, the lock under which one of them refreshes it, and how
//! often a refresh may be forced.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{identity::AppId, redis_keys};

static STORE: AtomicScript = AtomicScript::new(include_str!("access_token_store.lua"));
static LOCK: AtomicScript = AtomicScript::new(include_str!("lock_take.lua"));
static RELEASE: AtomicScript = AtomicScript::new(include_str!("lock_release.lua"));
static FORCE: AtomicScript = AtomicScript::new(include_str!("token_force.lua"));

/// A token and its end. Its `Debug` form is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAccessToken {
    /// The token.
    pub token: String,
    /// When WeChat stops accepting it.
    pub expires_at: Timestamp,
}

impl fmt::Debug for StoredAccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoredAccessToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Reads the shared token.
#[derive(Debug, Clone)]
pub struct ReadAccessToken {
    /// The account.
    pub app_id: AppId,
}

impl Step for ReadAccessToken {
    /// `None`: nobody fetched one, or it ran out.
    type Outcome = Option<StoredAccessToken>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::access_token(&self.app_id),
            arguments: ["token", "expires_at_ms"].map(str::to_owned).to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = || UnexpectedReply {
            step: "ReadAccessToken",
        };
        match words(reply).as_slice() {
            [None, _] => Ok(None),
            [Some(token), Some(expires_at_ms)] => {
                let expires_at = expires_at_ms
                    .parse()
                    .ok()
                    .and_then(|ms| Timestamp::from_millisecond(ms).ok());
                let expires_at = expires_at.ok_or_else(unexpected)?;
                Ok(Some(StoredAccessToken {
                    token: (*token).to_owned(),
                    expires_at,
                }))
            }
            _ => Err(unexpected()),
        }
    }
}

/// Shares a fresh token.
#[derive(Debug, Clone)]
pub struct StoreAccessToken {
    /// The account.
    pub app_id: AppId,
    /// The token.
    pub token: StoredAccessToken,
}

impl Step for StoreAccessToken {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &STORE,
            key: redis_keys::access_token(&self.app_id),
            arguments: vec![
                self.token.token.clone(),
                self.token.expires_at.as_millisecond().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Tries to become the one that refreshes. The lock expires by itself, so a holder that dies blocks
/// nobody.
#[derive(Debug, Clone)]
pub struct LockTokenRefresh {
    /// The account.
    pub app_id: AppId,
    /// Random text that identifies the caller.
    pub holder: String,
    /// After this time the lock is anybody's again.
    pub lease: Duration,
}

impl Step for LockTokenRefresh {
    /// Whether the caller holds the lock now.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &LOCK,
            key: redis_keys::access_token_lock(&self.app_id),
            arguments: vec![self.holder.clone(), self.lease.as_millis().to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("held")] => Ok(true),
            [Some("taken")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "LockTokenRefresh",
            }),
        }
    }
}

/// Releases the lock, unless somebody else holds it by now.
#[derive(Debug, Clone)]
pub struct ReleaseTokenRefresh {
    /// The account.
    pub app_id: AppId,
    /// The text that the lock was taken with.
    pub holder: String,
}

impl Step for ReleaseTokenRefresh {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &RELEASE,
            key: redis_keys::access_token_lock(&self.app_id),
            arguments: vec![self.holder.clone()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Asks for one of the forced refreshes that WeChat allows, on all replicas together.
#[derive(Debug, Clone)]
pub struct ForceTokenRefresh {
    /// The account.
    pub app_id: AppId,
    /// Random text that identifies the caller.
    pub asker: String,
    /// The least time between two of them.
    pub spacing: Duration,
    /// How many there may be in any 24 hours.
    pub per_day: u32,
}

/// Asks to replace a token of `/cgi-bin/token` ahead of its time: each call of it counts against a
/// daily quota and ends the token before, on all replicas together.
#[derive(Debug, Clone)]
pub struct ReplaceLegacyToken {
    /// The account.
    pub app_id: AppId,
    /// Random text that identifies the caller.
    pub asker: String,
    /// The least time between two of them.
    pub spacing: Duration,
    /// How many there may be in any 24 hours.
    pub per_day: u32,
}

/// Whether a refresh may be forced, or a token be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForcedRefresh {
    /// It may, once.
    Admitted,
    /// The last one is too recent.
    TooSoon {
        /// Until the next one is admitted.
        retry_after: Duration,
    },
    /// The share of 24 hours is used up.
    UsedUp {
        /// Until the oldest one no longer counts.
        retry_after: Duration,
    },
}

impl Step for ForceTokenRefresh {
    type Outcome = ForcedRefresh;

    fn operation(&self) -> Operation {
        let key = redis_keys::forced_refreshes(&self.app_id);
        rationed(key, &self.asker, self.spacing, self.per_day)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<ForcedRefresh, UnexpectedReply> {
        admitted(reply).ok_or(UnexpectedReply {
            step: "ForceTokenRefresh",
        })
    }
}

impl Step for ReplaceLegacyToken {
    type Outcome = ForcedRefresh;

    fn operation(&self) -> Operation {
        let key = redis_keys::replaced_legacy_tokens(&self.app_id);
        rationed(key, &self.asker, self.spacing, self.per_day)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<ForcedRefresh, UnexpectedReply> {
        admitted(reply).ok_or(UnexpectedReply {
            step: "ReplaceLegacyToken",
        })
    }
}

fn rationed(key: String, asker: &str, spacing: Duration, per_day: u32) -> Operation {
    Operation::Script {
        script: &FORCE,
        key,
        arguments: vec![
            asker.to_owned(),
            spacing.as_millis().to_string(),
            per_day.to_string(),
        ],
    }
}

fn admitted(reply: &[Option<String>]) -> Option<ForcedRefresh> {
    let milliseconds = |text: &str| text.parse().ok().map(Duration::from_millis);
    match words(reply).as_slice() {
        [Some("admitted")] => Some(ForcedRefresh::Admitted),
        [Some("too_soon"), Some(left)] => Some(ForcedRefresh::TooSoon {
            retry_after: milliseconds(left)?,
        }),
        [Some("used_up"), Some(left)] => Some(ForcedRefresh::UsedUp {
            retry_after: milliseconds(left)?,
        }),
        _ => None,
    }
}
