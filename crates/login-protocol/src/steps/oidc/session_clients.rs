//! Which clients a session was used at, and what came of it that ends with it.

use std::time::Duration;

use super::super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use super::grant::GrantId;
use crate::{identity::MemberId, redis_keys, site::SiteId};

static ADD: AtomicScript = AtomicScript::new(include_str!("session_grant_add.lua"));
static END: AtomicScript = AtomicScript::new(include_str!("session_grants_end.lua"));
static SETTLE: AtomicScript = AtomicScript::new(include_str!("session_grants_settle.lua"));
static NOTE: AtomicScript = AtomicScript::new(include_str!("member_session_note.lua"));

/// How long the end of a session is remembered: longer than an authorization can be under way.
const END_IS_KEPT: Duration = Duration::from_mins(10);

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
    /// Whether the session isn't over.
    type Outcome = bool;

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
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("added")] => Ok(true),
            [Some("ended")] => Ok(false),
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
        let fields: Vec<&str> = reply.iter().flatten().map(String::as_str).collect();
        for pair in fields.chunks_exact(2) {
            let (field, value) = (pair[0], pair[1]);
            if let Some(client) = field.strip_prefix("c:") {
                ended.clients.push((client.to_owned(), value.to_owned()));
            } else if let Some(grant) = field.strip_prefix("g:") {
                ended.grants.extend(GrantId::parse(grant));
            }
        }
        Ok(ended)
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

/// Notes that a person's session was used at clients, for the day when all of them end.
#[derive(Debug, Clone)]
pub struct NoteMemberSession {
    /// Where the session is good.
    pub site: SiteId,
    /// Whose.
    pub member: MemberId,
    /// The SHA-256 of the session's identifier, in base64url.
    pub session_sha256: String,
    /// How long a session can live.
    pub lifetime: Duration,
}

impl Step for NoteMemberSession {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &NOTE,
            key: redis_keys::oidc_sessions_of(&self.site, &self.member),
            arguments: vec![
                self.session_sha256.clone(),
                self.lifetime.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// A person's sessions that were used at clients. Some may have ended.
#[derive(Debug, Clone)]
pub struct ReadMemberSessions {
    /// Where the sessions are good.
    pub site: SiteId,
    /// Whose.
    pub member: MemberId,
}

impl Step for ReadMemberSessions {
    /// The SHA-256s of their identifiers.
    type Outcome = Vec<String>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZRANGE",
            key: redis_keys::oidc_sessions_of(&self.site, &self.member),
            arguments: vec!["0".to_owned(), "-1".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        Ok(reply.iter().flatten().cloned().collect())
    }
}
