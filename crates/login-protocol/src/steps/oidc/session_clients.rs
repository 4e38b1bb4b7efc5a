//! Which clients a session was used at, and what came of it that ends with it.

use std::time::Duration;

use super::super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use super::grant::GrantId;
use crate::{redis_keys, site::SiteId};

static ADD: AtomicScript = AtomicScript::new(include_str!("session_grant_add.lua"));
static END: AtomicScript = AtomicScript::new(include_str!("session_grants_end.lua"));
static SETTLE: AtomicScript = AtomicScript::new(include_str!("session_grants_settle.lua"));

/// How long the end of a session is remembered: longer than an authorization can be under way.
const END_IS_KEPT: Duration = Duration::from_mins(10);

/// How many clients and grants hang on a session at most. What ends with a session lives an hour.
const MOST: usize = 500;

/// Whether something hangs on a session now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionGrantAdded {
    /// It does.
    Added,
    /// The session is over.
    Ended,
    /// As much hangs on it as can. It may be asked again in an hour.
    Full,
}

/// Notes that a session was used at a client, unless the session is over.
#[derive(Debug, Clone)]
pub struct AddSessionGrant {
    /// Where the session is good.
    pub site: SiteId,
    /// The SHA-256 of the session's identifier, in base64url.
    pub session_sha256: String,
    /// The client's name in the settings.
    pub client: String,
    /// The subject that the client sees.
    pub sub: String,
    /// What came of it, if it ends with the session, and how long it can live.
    pub grant: Option<(GrantId, Duration)>,
    /// How long a session can live.
    pub lifetime: Duration,
}

impl Step for AddSessionGrant {
    type Outcome = SessionGrantAdded;

    fn operation(&self) -> Operation {
        let (grant, life) = match &self.grant {
            Some((grant, life)) => (grant.as_str(), life.as_millis()),
            None => ("", 0),
        };
        Operation::Script {
            script: &ADD,
            key: redis_keys::oidc_session(&self.site, &self.session_sha256),
            arguments: vec![
                self.client.clone(),
                self.lifetime.as_millis().to_string(),
                grant.to_owned(),
                life.to_string(),
                self.sub.clone(),
                MOST.to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<SessionGrantAdded, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("added")] => Ok(SessionGrantAdded::Added),
            [Some("ended")] => Ok(SessionGrantAdded::Ended),
            [Some("full")] => Ok(SessionGrantAdded::Full),
            _ => Err(UnexpectedReply {
                step: "AddSessionGrant",
            }),
        }
    }
}

/// What hangs on a session that has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndedSession {
    /// The clients that it was used at, by their names in the settings, and the subject that each
    /// sees.
    pub clients: Vec<(String, String)>,
    /// What ends with it.
    pub grants: Vec<GrantId>,
    /// When its end was noted first, in milliseconds since 1970 by Redis' clock: the same whenever
    /// it is asked again.
    pub ended_at_ms: u64,
}

/// A session has ended: says what hangs on it, and lets nothing be added. Asking again says the
/// same until [`SettleSessionEnd`].
#[derive(Debug, Clone)]
pub struct EndSessionGrants {
    /// Where the session was good.
    pub site: SiteId,
    /// The SHA-256 of the session's identifier, in base64url.
    pub session_sha256: String,
}

impl Step for EndSessionGrants {
    type Outcome = EndedSession;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &END,
            key: redis_keys::oidc_session(&self.site, &self.session_sha256),
            arguments: vec![END_IS_KEPT.as_millis().to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<EndedSession, UnexpectedReply> {
        let mut ended = EndedSession::default();
        for (field, value) in fields(reply) {
            if let Some(client) = field.strip_prefix("c:") {
                ended.clients.push((client.to_owned(), value.to_owned()));
            } else if let Some(grant) = field.strip_prefix("g:") {
                ended.grants.extend(GrantId::parse(grant));
            } else if field == "ended" {
                ended.ended_at_ms = value.parse().unwrap_or_default();
            }
        }
        Ok(ended)
    }
}

/// A hash's fields and values.
fn fields(reply: &[Option<String>]) -> impl Iterator<Item = (&str, &str)> {
    reply.chunks_exact(2).filter_map(|pair| match pair {
        [Some(field), Some(value)] => Some((field.as_str(), value.as_str())),
        _ => None,
    })
}

/// The clients that a session was used at, which goes on.
#[derive(Debug, Clone)]
pub struct ReadSessionClients {
    /// Where the session is good.
    pub site: SiteId,
    /// The SHA-256 of the session's identifier, in base64url.
    pub session_sha256: String,
}

impl Step for ReadSessionClients {
    /// Their names in the settings, and the subject that each sees.
    type Outcome = Vec<(String, String)>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HGETALL",
            key: redis_keys::oidc_session(&self.site, &self.session_sha256),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let clients = fields(reply).filter_map(|(field, sub)| {
            let client = field.strip_prefix("c:")?;
            Some((client.to_owned(), sub.to_owned()))
        });
        Ok(clients.collect())
    }
}

/// Clients have nothing of a session any more, which goes on.
#[derive(Debug, Clone)]
pub struct DropSessionClients {
    /// Where the session is good.
    pub site: SiteId,
    /// The SHA-256 of the session's identifier, in base64url.
    pub session_sha256: String,
    /// Their names in the settings: at least one.
    pub clients: Vec<String>,
}

impl Step for DropSessionClients {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HDEL",
            key: redis_keys::oidc_session(&self.site, &self.session_sha256),
            arguments: self
                .clients
                .iter()
                .map(|client| format!("c:{client}"))
                .collect(),
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// What hung on a session that has ended was dealt with: nothing is left of it but its end.
#[derive(Debug, Clone)]
pub struct SettleSessionEnd {
    /// Where the session was good.
    pub site: SiteId,
    /// The SHA-256 of the session's identifier, in base64url.
    pub session_sha256: String,
}

impl Step for SettleSessionEnd {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &SETTLE,
            key: redis_keys::oidc_session(&self.site, &self.session_sha256),
            arguments: vec![END_IS_KEPT.as_millis().to_string()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
