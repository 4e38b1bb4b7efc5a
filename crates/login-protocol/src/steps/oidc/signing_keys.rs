//! The ring of signing keys, which all replicas share. What it holds is sealed by the site: this
//! crate only sees that it changed.

use super::super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{redis_keys, site::SiteId};

static REPLACE: AtomicScript = AtomicScript::new(include_str!("signing_keys_replace.lua"));

/// The ring as Redis holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeysRecord {
    /// How often it was replaced.
    pub revision: u64,
    /// The ring, sealed.
    pub sealed: String,
}

/// Reads the ring.
#[derive(Debug, Clone)]
pub struct ReadSigningKeys {
    /// Whose ring.
    pub site: SiteId,
}

impl Step for ReadSigningKeys {
    /// `None`: there is none yet.
    type Outcome = Option<SigningKeysRecord>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::oidc_signing_keys(&self.site),
            arguments: vec!["revision".to_owned(), "sealed".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        match words(reply).as_slice() {
            [None, None] => Ok(None),
            [Some(revision), Some(sealed)] => record(revision, sealed, "ReadSigningKeys").map(Some),
            _ => Err(UnexpectedReply {
                step: "ReadSigningKeys",
            }),
        }
    }
}

/// Replaces the ring, unless another replica did since it was read.
#[derive(Debug, Clone)]
pub struct ReplaceSigningKeys {
    /// Whose ring.
    pub site: SiteId,
    /// The revision that was read; 0 where there was none.
    pub read: u64,
    /// The new ring, sealed.
    pub sealed: String,
}

impl Step for ReplaceSigningKeys {
    /// The ring that there is now: this one, or another replica's.
    type Outcome = SigningKeysRecord;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &REPLACE,
            key: redis_keys::oidc_signing_keys(&self.site),
            arguments: vec![
                self.read.to_string(),
                (self.read + 1).to_string(),
                self.sealed.clone(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some(revision), Some(sealed)] => record(revision, sealed, "ReplaceSigningKeys"),
            _ => Err(UnexpectedReply {
                step: "ReplaceSigningKeys",
            }),
        }
    }
}

fn record(
    revision: &str,
    sealed: &str,
    step: &'static str,
) -> Result<SigningKeysRecord, UnexpectedReply> {
    let revision = revision.parse().map_err(|_| UnexpectedReply { step })?;
    Ok(SigningKeysRecord {
        revision,
        sealed: sealed.to_owned(),
    })
}
