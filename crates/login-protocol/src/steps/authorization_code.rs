//! The codes of web authorisation. WeChat accepts each once, and browsers submit some of them twice
//! (prefetching, the back button, WeChat's own double redirect: binarywang/WxJava#388).

use std::time::Duration;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::redis_keys;

static CLAIM: AtomicScript = AtomicScript::new(include_str!("authorization_code_claim.lua"));
static RELEASE: AtomicScript = AtomicScript::new(include_str!("lock_release.lua"));

/// As long as WeChat accepts a code.
const LIFETIME: Duration = Duration::from_mins(5);

/// Asks to be the one that exchanges a code.
#[derive(Debug, Clone)]
pub struct ClaimCode {
    /// The code's SHA-256 in base64url.
    pub code_sha256: String,
    /// A name that no other caller has.
    pub holder: String,
}

/// Whose a code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The asker's.
    Claimed,
    /// Somebody else is exchanging it.
    InProgress,
    /// It was exchanged with this outcome: JSON, or a word written by the version before.
    Resolved(String),
}

impl Step for ClaimCode {
    type Outcome = Claim;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &CLAIM,
            key: redis_keys::authorization_code(&self.code_sha256),
            arguments: vec![LIFETIME.as_millis().to_string(), self.holder.clone()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Claim, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("claimed")] => Ok(Claim::Claimed),
            [Some("in_progress")] => Ok(Claim::InProgress),
            [Some("resolved"), Some(outcome)] => Ok(Claim::Resolved((*outcome).to_owned())),
            _ => Err(UnexpectedReply { step: "ClaimCode" }),
        }
    }
}

/// Releases a code whose exchange had no outcome, unless somebody else has claimed it by now.
#[derive(Debug, Clone)]
pub struct ReleaseCode {
    /// The code's SHA-256 in base64url.
    pub code_sha256: String,
    /// The name that it was claimed under.
    pub holder: String,
}

impl Step for ReleaseCode {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &RELEASE,
            key: redis_keys::authorization_code(&self.code_sha256),
            arguments: vec![format!("?{}", self.holder)],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Records the outcome of a code.
#[derive(Debug, Clone)]
pub struct ResolveCode {
    /// The code's SHA-256 in base64url.
    pub code_sha256: String,
    /// The outcome for everybody who submits it, as JSON. A question mark starts a claim and is
    /// never JSON.
    pub outcome: String,
}

impl Step for ResolveCode {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "SET",
            key: redis_keys::authorization_code(&self.code_sha256),
            arguments: vec![
                self.outcome.clone(),
                "PX".to_owned(),
                LIFETIME.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
