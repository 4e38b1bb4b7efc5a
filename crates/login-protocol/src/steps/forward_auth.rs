//! Signing a browser in on another host that asks by forward authentication: a code that goes
//! through the browser's address, and the cookie that it becomes there. Both lead to the login's
//! session, and end with it.

use std::time::Duration;

use super::{AtomicScript, Operation, SessionLifetime, Step, UnexpectedReply, words};
use crate::{redis_keys, site::SiteId};

static REDEEM: AtomicScript = AtomicScript::new(include_str!("return_code_redeem.lua"));

/// How long a code is good.
pub const RETURN_CODE_LIFETIME: Duration = Duration::from_mins(1);

/// Keeps a code. Repeating it changes nothing.
#[derive(Debug, Clone)]
pub struct IssueReturnCode {
    /// The site that the session belongs to.
    pub site: SiteId,
    /// The code's SHA-256, in base64url.
    pub code_sha256: String,
    /// The SHA-256 of the session's identifier, in base64url.
    pub session_sha256: String,
    /// The SHA-256 of the mark that the other host has set in the browser, in base64url.
    pub browser_sha256: String,
    /// The other host's origin, as browsers write it.
    pub origin: String,
}

impl Step for IssueReturnCode {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let record = format!(
            "{} {} {}",
            self.session_sha256, self.browser_sha256, self.origin
        );
        Operation::Command {
            name: "SET",
            key: redis_keys::return_code(&self.site, &self.code_sha256),
            arguments: vec![
                record,
                "PX".to_owned(),
                RETURN_CODE_LIFETIME.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Takes a code back, once.
#[derive(Debug, Clone)]
pub struct RedeemReturnCode {
    /// The site that the session belongs to.
    pub site: SiteId,
    /// The code's SHA-256, in base64url.
    pub code_sha256: String,
    /// The origin that it came back to.
    pub origin: String,
    /// The SHA-256 of the mark of the browser that brings it, in base64url.
    pub browser_sha256: String,
    /// The SHA-256 of the cookie that it is to become, in base64url.
    pub cookie_sha256: String,
}

/// The outcome of taking a code back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnCodeRedemption {
    /// It leads to this session, by the SHA-256 of its identifier.
    Redeemed(String),
    /// It was for another origin or another browser, and stays good there.
    Elsewhere,
    /// It became another cookie before.
    Used,
    /// It is over, or never was.
    Unknown,
}

impl Step for RedeemReturnCode {
    type Outcome = ReturnCodeRedemption;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &REDEEM,
            key: redis_keys::return_code(&self.site, &self.code_sha256),
            arguments: vec![
                self.origin.clone(),
                self.browser_sha256.clone(),
                self.cookie_sha256.clone(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("redeemed"), Some(session)] => {
                Ok(ReturnCodeRedemption::Redeemed((*session).to_owned()))
            }
            [Some("elsewhere")] => Ok(ReturnCodeRedemption::Elsewhere),
            [Some("used")] => Ok(ReturnCodeRedemption::Used),
            [Some("unknown")] => Ok(ReturnCodeRedemption::Unknown),
            _ => Err(UnexpectedReply {
                step: "RedeemReturnCode",
            }),
        }
    }
}

/// What a cookie of another host leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardAuthGrant {
    /// The SHA-256 of the session's identifier, in base64url.
    pub session_sha256: String,
    /// The only origin where it is good.
    pub origin: String,
}

/// Keeps a cookie of another host for as long as its session can live.
#[derive(Debug, Clone)]
pub struct GrantForwardAuth {
    /// The site that the session belongs to.
    pub site: SiteId,
    /// The cookie's SHA-256, in base64url.
    pub cookie_sha256: String,
    /// What it leads to.
    pub grant: ForwardAuthGrant,
    /// How long sessions live.
    pub lifetime: SessionLifetime,
}

impl Step for GrantForwardAuth {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let ForwardAuthGrant {
            session_sha256,
            origin,
        } = &self.grant;
        Operation::Command {
            name: "SET",
            key: redis_keys::forward_auth(&self.site, &self.cookie_sha256),
            arguments: vec![
                format!("{session_sha256} {origin}"),
                "PX".to_owned(),
                self.lifetime.absolute.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// What does a cookie of another host lead to?
#[derive(Debug, Clone)]
pub struct ReadForwardAuth {
    /// The site that the session belongs to.
    pub site: SiteId,
    /// The cookie's SHA-256, in base64url.
    pub cookie_sha256: String,
}

impl Step for ReadForwardAuth {
    /// `None`: nothing, or nothing any more.
    type Outcome = Option<ForwardAuthGrant>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: redis_keys::forward_auth(&self.site, &self.cookie_sha256),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let [Some(record)] = reply else {
            return Ok(None);
        };
        let (session, origin) = record.split_once(' ').ok_or(UnexpectedReply {
            step: "ReadForwardAuth",
        })?;
        Ok(Some(ForwardAuthGrant {
            session_sha256: session.to_owned(),
            origin: origin.to_owned(),
        }))
    }
}
