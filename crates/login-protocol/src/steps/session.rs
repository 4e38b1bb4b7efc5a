//! The site's sessions. Redis knows a session by the SHA-256 of its identifier: who reads Redis can
//! take over nobody's session.

use std::time::Duration;

use jiff::Timestamp;

use super::{AtomicScript, Operation, REDEMPTION_WINDOW, Step, UnexpectedReply, words};
use crate::{
    identity::{AppId, MemberId, OpenId},
    redis_keys,
};

static CREATE: AtomicScript = AtomicScript::new(include_str!("session_create.lua"));
static END: AtomicScript = AtomicScript::new(include_str!("session_end.lua"));
static READ: AtomicScript = AtomicScript::new(include_str!("session_read.lua"));
static END_ALL: AtomicScript = AtomicScript::new(include_str!("sessions_end.lua"));

/// How long the end of a session is remembered: longer than a repeat of its redemption can come, by a
/// minute for one that is on its way.
const END_IS_KEPT: Duration = REDEMPTION_WINDOW.saturating_mul(2);

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub struct SessionLifetime {
    /// From the login on, whatever happens.
    pub absolute: Duration,
    /// From its last use on.
    pub idle: Duration,
}

impl SessionLifetime {
    fn first(self) -> Duration {
        self.absolute.min(self.idle)
    }
}

/// Starts a session, or writes the same one again, unless it was ended within the last two minutes.
#[derive(Debug, Clone)]
pub struct CreateSession {
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
    /// Whose session.
    pub member: MemberId,
    /// When its person confirmed the login, by Redis' clock.
    pub begun_at: Timestamp,
    /// How long it lives.
    pub lifetime: SessionLifetime,
}

impl Step for CreateSession {
    /// Whether there is such a session now.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let MemberId { app_id, openid } = &self.member;
        Operation::Script {
            script: &CREATE,
            key: redis_keys::session(&self.id_sha256),
            arguments: vec![
                format!(
                    "{} {} {}",
                    app_id.as_str(),
                    openid.as_str(),
                    self.begun_at.as_millisecond()
                ),
                self.lifetime.first().as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("created")] => Ok(true),
            [Some("ended")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "CreateSession",
            }),
        }
    }
}

/// Whose session is it? Asking counts as using it.
#[derive(Debug, Clone)]
pub struct ReadSession {
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
    /// How long it lives.
    pub lifetime: SessionLifetime,
}

/// A session that hasn't ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub member: MemberId,
    /// When its person confirmed the login, by Redis' clock.
    pub begun_at: Timestamp,
}

impl Step for ReadSession {
    /// `None`: no such session, or it ended.
    type Outcome = Option<Session>;

    fn operation(&self) -> Operation {
        let SessionLifetime { absolute, idle } = self.lifetime;
        Operation::Script {
            script: &READ,
            key: redis_keys::session(&self.id_sha256),
            arguments: [absolute, idle]
                .map(|life| life.as_millis().to_string())
                .to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = || UnexpectedReply {
            step: "ReadSession",
        };
        let [Some(record)] = reply else {
            return Ok(None);
        };
        let mut parts = record.split(' ');
        let (Some(app_id), Some(openid), Some(begun_at_ms), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unexpected());
        };
        let begun_at = begun_at_ms.parse().ok();
        Ok(Some(Session {
            member: MemberId {
                app_id: AppId::parse(app_id).map_err(|_| unexpected())?,
                openid: OpenId::parse(openid).map_err(|_| unexpected())?,
            },
            begun_at: begun_at
                .and_then(|ms| Timestamp::from_millisecond(ms).ok())
                .ok_or_else(unexpected)?,
        }))
    }
}

/// Signs out. For two minutes nothing brings the session back, repeats of its redemption included. Works
/// on a full Redis too.
#[derive(Debug, Clone)]
pub struct EndSession {
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
}

impl Step for EndSession {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &END,
            key: redis_keys::session(&self.id_sha256),
            arguments: vec![END_IS_KEPT.as_millis().to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("ended")] => Ok(()),
            _ => Err(UnexpectedReply { step: "EndSession" }),
        }
    }
}

/// Signs somebody out everywhere: what began before counts no more.
#[derive(Debug, Clone)]
pub struct EndAllSessions {
    /// Who.
    pub member: MemberId,
    /// How long sessions live; after that nothing has to be remembered.
    pub lifetime: SessionLifetime,
}

impl Step for EndAllSessions {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &END_ALL,
            key: redis_keys::sessions_end(&self.member),
            arguments: vec![self.lifetime.absolute.as_millis().to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("ended")] => Ok(()),
            _ => Err(UnexpectedReply {
                step: "EndAllSessions",
            }),
        }
    }
}

/// When did somebody sign out everywhere?
#[derive(Debug, Clone)]
pub struct ReadSessionsEnd {
    /// Who.
    pub member: MemberId,
}

impl Step for ReadSessionsEnd {
    /// By Redis' clock; `None`: never, or so long ago that it doesn't matter.
    type Outcome = Option<Timestamp>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: redis_keys::sessions_end(&self.member),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = || UnexpectedReply {
            step: "ReadSessionsEnd",
        };
        let [Some(ended_at_ms)] = reply else {
            return Ok(None);
        };
        let ended_at = ended_at_ms.parse().ok();
        let ended_at = ended_at.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        ended_at.map(Some).ok_or_else(unexpected)
    }
}
