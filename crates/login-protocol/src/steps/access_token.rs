//! The access token that all gateways share, and the lock under which one of them refreshes it.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{identity::AppId, redis_keys};

static STORE: AtomicScript = AtomicScript::new(include_str!("access_token_store.lua"));
static RELEASE: AtomicScript = AtomicScript::new(include_str!("lock_release.lua"));

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

/// Asks to be the one that refreshes. The lock ends by itself, so a holder that dies blocks nobody.
#[derive(Debug, Clone)]
pub struct LockTokenRefresh {
    /// The account.
    pub app_id: AppId,
    /// Random text that names the asker.
    pub holder: String,
    /// After this time the lock is anybody's again.
    pub lease: Duration,
}

impl Step for LockTokenRefresh {
    /// Whether the asker holds the lock now.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "SET",
            key: redis_keys::access_token_lock(&self.app_id),
            arguments: vec![
                self.holder.clone(),
                "NX".to_owned(),
                "PX".to_owned(),
                self.lease.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        Ok(matches!(reply, [Some(_)]))
    }
}

/// Gives the lock back, unless it has passed on to somebody else meanwhile.
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
