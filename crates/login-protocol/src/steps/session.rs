//! The site's sessions. Redis knows a session by the SHA-256 of its identifier: who reads Redis can
//! take over nobody's session.

use std::time::Duration;

use super::{Operation, Step, UnexpectedReply};
use crate::{identity::MemberId, redis_keys};

/// Starts a session, or writes the same one again.
#[derive(Debug, Clone)]
pub struct CreateSession {
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
    /// Whose session.
    pub member: MemberId,
    /// How long it lives.
    pub lifetime: Duration,
}

impl Step for CreateSession {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "SET",
            key: redis_keys::session(&self.id_sha256),
            arguments: vec![
                format!(
                    "{} {}",
                    self.member.app_id.as_str(),
                    self.member.openid.as_str()
                ),
                "PX".to_owned(),
                self.lifetime.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Whose session is it?
#[derive(Debug, Clone)]
pub struct ReadSession {
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
}

impl Step for ReadSession {
    /// `None`: no such session, or it ended.
    type Outcome = Option<MemberId>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: redis_keys::session(&self.id_sha256),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        use crate::identity::{AppId, OpenId};

        let unexpected = || UnexpectedReply {
            step: "ReadSession",
        };
        let [Some(record)] = reply else {
            return Ok(None);
        };
        let (app_id, openid) = record.split_once(' ').ok_or_else(unexpected)?;
        Ok(Some(MemberId {
            app_id: AppId::parse(app_id).map_err(|_| unexpected())?,
            openid: OpenId::parse(openid).map_err(|_| unexpected())?,
        }))
    }
}

/// Signs out.
#[derive(Debug, Clone)]
pub struct EndSession {
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
}

impl Step for EndSession {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "DEL",
            key: redis_keys::session(&self.id_sha256),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
