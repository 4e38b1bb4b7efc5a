//! A grant: what one authorization came to. Redis knows its code and tokens by their SHA-256.

use std::time::Duration;

use jiff::Timestamp;

use super::super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{redis_keys, site::SiteId};

static OPEN: AtomicScript = AtomicScript::new(include_str!("grant_open.lua"));
static EXCHANGE: AtomicScript = AtomicScript::new(include_str!("grant_exchange.lua"));
static BY_ACCESS_TOKEN: AtomicScript = AtomicScript::new(include_str!("grant_by_access_token.lua"));
static BY_REFRESH_TOKEN: AtomicScript =
    AtomicScript::new(include_str!("grant_by_refresh_token.lua"));
static ROTATE: AtomicScript = AtomicScript::new(include_str!("grant_rotate.lua"));

/// How long a used refresh token gets its answer again: who lost the answer asks at once.
const ANSWER_IS_REPEATED: Duration = Duration::from_secs(10);

/// How many used refresh tokens a grant remembers. Whether an older one was a token at all, whoever
/// made it can tell ([`FoundByRefreshToken::Other`]).
const USED_ARE_REMEMBERED: usize = 100;

/// How many access tokens a grant has at once. The one that would end first makes room.
const MOST_ACCESS_TOKENS: usize = 100;

/// A grant's name: 22 characters of base64url, at random.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrantId(String);

impl GrantId {
    /// Accepts what can be one.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == 22
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        valid.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn key(site: &SiteId, grant: &GrantId) -> String {
    redis_keys::oidc_grant(site, grant.as_str())
}

/// Opens a grant, with the code that its client is about to get.
#[derive(Debug, Clone)]
pub struct OpenGrant {
    /// Whose grant.
    pub site: SiteId,
    /// Its name.
    pub grant: GrantId,
    /// What was granted, to whom, by whom: JSON.
    pub data: String,
    /// The code's SHA-256 in base64url.
    pub code_sha256: String,
    /// How long the code lives.
    pub code_lifetime: Duration,
}

impl Step for OpenGrant {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &OPEN,
            key: key(&self.site, &self.grant),
            arguments: vec![
                self.data.clone(),
                self.code_sha256.clone(),
                self.code_lifetime.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("opened")] => Ok(()),
            _ => Err(UnexpectedReply { step: "OpenGrant" }),
        }
    }
}

/// Reads the grant of a code.
#[derive(Debug, Clone)]
pub struct ReadByCode {
    /// Whose grant.
    pub site: SiteId,
    /// Its name.
    pub grant: GrantId,
    /// The code's SHA-256 in base64url.
    pub code_sha256: String,
}

/// The grant of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundByCode {
    /// What was granted, as JSON.
    pub data: String,
    /// Whether the code was exchanged before.
    pub is_spent: bool,
}

impl Step for ReadByCode {
    /// `None`: no such code, or its time is up.
    type Outcome = Option<FoundByCode>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: key(&self.site, &self.grant),
            arguments: ["data", "code", "spent_by"].map(str::to_owned).to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        match reply {
            [Some(data), Some(code), spent_by] if *code == self.code_sha256 => {
                Ok(Some(FoundByCode {
                    data: data.clone(),
                    is_spent: spent_by.is_some(),
                }))
            }
            [_, _, _] => Ok(None),
            _ => Err(UnexpectedReply { step: "ReadByCode" }),
        }
    }
}

/// Exchanges a code.
#[derive(Debug, Clone)]
pub struct ExchangeCode {
    /// Whose grant.
    pub site: SiteId,
    /// Its name.
    pub grant: GrantId,
    /// The code's SHA-256 in base64url.
    pub code_sha256: String,
    /// The access token's SHA-256 in base64url.
    pub access_sha256: String,
    /// How long the access token lives.
    pub access_lifetime: Duration,
    /// The refresh token's SHA-256, if there is to be one.
    pub refresh_sha256: Option<String>,
    /// How long the grant lives unless it is used.
    pub lifetime: Duration,
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeExchange {
    /// The tokens are good.
    Exchanged,
    /// It was exchanged before. What came of that has ended.
    Reused,
    /// There is no such code, or its time is up.
    Unknown,
}

impl Step for ExchangeCode {
    type Outcome = CodeExchange;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &EXCHANGE,
            key: key(&self.site, &self.grant),
            arguments: vec![
                self.code_sha256.clone(),
                self.access_sha256.clone(),
                self.access_lifetime.as_millis().to_string(),
                self.refresh_sha256.clone().unwrap_or_default(),
                self.lifetime.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<CodeExchange, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("exchanged")] => Ok(CodeExchange::Exchanged),
            [Some("reused")] => Ok(CodeExchange::Reused),
            [Some("unknown")] => Ok(CodeExchange::Unknown),
            _ => Err(UnexpectedReply {
                step: "ExchangeCode",
            }),
        }
    }
}

/// Reads the grant of an access token.
#[derive(Debug, Clone)]
pub struct ReadByAccessToken {
    /// Whose grant.
    pub site: SiteId,
    /// Its name.
    pub grant: GrantId,
    /// The token's SHA-256 in base64url.
    pub access_sha256: String,
}

/// The grant of an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundByAccessToken {
    /// What was granted, as JSON.
    pub data: String,
    /// When the token's time is up, by Redis' clock.
    pub expires_at: Timestamp,
}

impl Step for ReadByAccessToken {
    /// `None`: no such token, or its time is up.
    type Outcome = Option<FoundByAccessToken>;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &BY_ACCESS_TOKEN,
            key: key(&self.site, &self.grant),
            arguments: vec![self.access_sha256.clone()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        match reply {
            [] | [None] => Ok(None),
            [Some(data), Some(expires_at_ms)] => {
                let expires_at = expires_at_ms.parse().ok();
                let expires_at = expires_at.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                let expires_at = expires_at.ok_or(UnexpectedReply {
                    step: "ReadByAccessToken",
                })?;
                Ok(Some(FoundByAccessToken {
                    data: data.clone(),
                    expires_at,
                }))
            }
            _ => Err(UnexpectedReply {
                step: "ReadByAccessToken",
            }),
        }
    }
}

/// Reads the grant of a refresh token.
#[derive(Debug, Clone)]
pub struct ReadByRefreshToken {
    /// Whose grant.
    pub site: SiteId,
    /// Its name.
    pub grant: GrantId,
    /// The token's SHA-256 in base64url.
    pub refresh_sha256: String,
}

/// The grant of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundByRefreshToken {
    /// It is the last one of its chain.
    Current {
        /// What was granted, as JSON.
        data: String,
        /// How long it lives unless it is used.
        left: Duration,
    },
    /// It was used a moment ago, and gets the same answer.
    Repeated {
        /// What was granted, as JSON.
        data: String,
        /// The answer, sealed.
        answer: String,
    },
    /// It was used before: somebody has it who shouldn't.
    Reused {
        /// What was granted, as JSON.
        data: String,
    },
    /// The grant lives, and knows nothing of this token.
    Other {
        /// What was granted, as JSON.
        data: String,
    },
    /// There is no such grant, or its time is up.
    Unknown,
}

impl Step for ReadByRefreshToken {
    type Outcome = FoundByRefreshToken;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &BY_REFRESH_TOKEN,
            key: key(&self.site, &self.grant),
            arguments: vec![
                self.refresh_sha256.clone(),
                ANSWER_IS_REPEATED.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        const UNEXPECTED: UnexpectedReply = UnexpectedReply {
            step: "ReadByRefreshToken",
        };
        let text = |text: &&str| (*text).to_owned();
        match words(reply).as_slice() {
            [] | [None] => Ok(FoundByRefreshToken::Unknown),
            [Some("current"), Some(data), Some(left_ms)] => Ok(FoundByRefreshToken::Current {
                data: text(data),
                left: Duration::from_millis(left_ms.parse().map_err(|_| UNEXPECTED)?),
            }),
            [Some("repeated"), Some(data), Some(answer)] => Ok(FoundByRefreshToken::Repeated {
                data: text(data),
                answer: text(answer),
            }),
            [Some("reused"), Some(data)] => Ok(FoundByRefreshToken::Reused { data: text(data) }),
            [Some("other"), Some(data)] => Ok(FoundByRefreshToken::Other { data: text(data) }),
            _ => Err(UNEXPECTED),
        }
    }
}

/// Replaces a refresh token by its successor.
#[derive(Debug, Clone)]
pub struct RotateRefreshToken {
    /// Whose grant.
    pub site: SiteId,
    /// Its name.
    pub grant: GrantId,
    /// The token's SHA-256 in base64url.
    pub refresh_sha256: String,
    /// Its successor's.
    pub next_sha256: String,
    /// The new access token's.
    pub access_sha256: String,
    /// How long the access token lives.
    pub access_lifetime: Duration,
    /// How long the grant lives unless it is used.
    pub lifetime: Duration,
    /// The answer, sealed, for who asks again in a moment.
    pub answer: String,
}

/// What became of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshRotation {
    /// The new tokens are good.
    Rotated,
    /// It was used a moment ago; this sealed answer is the one to give.
    Repeated(String),
    /// It was used before. The grant has ended.
    Reused,
    /// There is no such token.
    Unknown,
}

impl Step for RotateRefreshToken {
    type Outcome = RefreshRotation;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &ROTATE,
            key: key(&self.site, &self.grant),
            arguments: vec![
                self.refresh_sha256.clone(),
                self.next_sha256.clone(),
                self.access_sha256.clone(),
                self.access_lifetime.as_millis().to_string(),
                self.lifetime.as_millis().to_string(),
                self.answer.clone(),
                ANSWER_IS_REPEATED.as_millis().to_string(),
                USED_ARE_REMEMBERED.to_string(),
                MOST_ACCESS_TOKENS.to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("rotated")] => Ok(RefreshRotation::Rotated),
            [Some("repeated"), Some(answer)] => Ok(RefreshRotation::Repeated((*answer).to_owned())),
            [Some("reused")] => Ok(RefreshRotation::Reused),
            [Some("unknown")] => Ok(RefreshRotation::Unknown),
            _ => Err(UnexpectedReply {
                step: "RotateRefreshToken",
            }),
        }
    }
}

/// Ends an access token, and nothing else.
#[derive(Debug, Clone)]
pub struct RevokeAccessToken {
    /// Whose grant.
    pub site: SiteId,
    /// Its name.
    pub grant: GrantId,
    /// The token's SHA-256 in base64url.
    pub access_sha256: String,
}

impl Step for RevokeAccessToken {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HDEL",
            key: key(&self.site, &self.grant),
            arguments: vec![format!("a:{}", self.access_sha256)],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Ends a grant: its code and all of its tokens.
#[derive(Debug, Clone)]
pub struct EndGrant {
    /// Whose grant.
    pub site: SiteId,
    /// Its name.
    pub grant: GrantId,
}

impl Step for EndGrant {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "DEL",
            key: key(&self.site, &self.grant),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
