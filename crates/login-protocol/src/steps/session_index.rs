//! Which sessions a person has, wherever they were begun: an index beside the sessions themselves,
//! which alone decide whether there is one.

use jiff::Timestamp;

use super::{
    AtomicScript, CreateSession, Operation, Session, SessionLifetime, Step, UnexpectedReply, words,
};
use crate::{identity::MemberId, redis_keys, site::SiteId};

static INDEX: AtomicScript = AtomicScript::new(include_str!("session_index.lua"));

/// How many sessions of a person are listed. More are sessions like any other, and end with all.
const MOST: u32 = 1000;

/// A session in its person's index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IndexedSession {
    /// Where it is good; `None`: a version began it that knew no sites.
    pub site: Option<SiteId>,
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
}

impl IndexedSession {
    fn to_entry(&self) -> String {
        let site = self.site.as_ref().map_or("", SiteId::as_str);
        format!("{site}:{}", self.id_sha256)
    }

    fn of_entry(entry: &str) -> Option<Self> {
        let (site, id_sha256) = entry.split_once(':')?;
        Some(Self {
            site: (!site.is_empty()).then(|| SiteId::read(site)),
            id_sha256: id_sha256.to_owned(),
        })
    }
}

/// Adds a session to its person's index. The index ends with its last session.
#[derive(Debug, Clone)]
pub struct IndexSession {
    /// Whose.
    pub member: MemberId,
    /// Which.
    pub session: IndexedSession,
    /// When it ends at the latest, in milliseconds since 1970 by Redis' clock.
    pub ends_at_ms: i64,
}

impl IndexSession {
    /// For a session that lives for so long.
    pub fn new(
        site: SiteId,
        id_sha256: String,
        session: &Session,
        lifetime: SessionLifetime,
    ) -> Self {
        Self {
            member: session.member.clone(),
            session: IndexedSession {
                site: Some(site),
                id_sha256,
            },
            ends_at_ms: end(session.begun_at, lifetime),
        }
    }

    /// For a session that is created.
    pub fn of(create: &CreateSession) -> Self {
        let CreateSession {
            site,
            id_sha256,
            session,
            lifetime,
        } = create;
        Self::new(site.clone(), id_sha256.clone(), session, *lifetime)
    }

    /// For a session that a version began which knew no sites.
    pub fn of_older(
        member: &MemberId,
        begun_at: Timestamp,
        id_sha256: String,
        lifetime: SessionLifetime,
    ) -> Self {
        Self {
            member: member.clone(),
            session: IndexedSession {
                site: None,
                id_sha256,
            },
            ends_at_ms: end(begun_at, lifetime),
        }
    }
}

fn end(begun_at: Timestamp, lifetime: SessionLifetime) -> i64 {
    let life = i64::try_from(lifetime.absolute.as_millis()).unwrap_or(i64::MAX);
    begun_at.as_millisecond().saturating_add(life)
}

impl Step for IndexSession {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &INDEX,
            key: redis_keys::sessions(&self.member),
            arguments: vec![
                self.session.to_entry(),
                self.ends_at_ms.to_string(),
                MOST.to_string(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("kept")] => Ok(()),
            _ => Err(UnexpectedReply {
                step: "IndexSession",
            }),
        }
    }
}

/// Which sessions may a person have? Some may have ended since.
#[derive(Debug, Clone)]
pub struct ReadSessionIndex {
    /// Whose.
    pub member: MemberId,
}

impl Step for ReadSessionIndex {
    type Outcome = Vec<IndexedSession>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZRANGE",
            key: redis_keys::sessions(&self.member),
            arguments: ["0", "-1"].map(str::to_owned).to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let entries = reply.iter().flatten();
        let read = entries.map(|entry| IndexedSession::of_entry(entry));
        read.collect::<Option<_>>().ok_or(UnexpectedReply {
            step: "ReadSessionIndex",
        })
    }
}

/// Drops sessions from a person's index that are no more.
#[derive(Debug, Clone)]
pub struct DropFromIndex {
    /// Whose.
    pub member: MemberId,
    /// Which: at least one.
    pub sessions: Vec<IndexedSession>,
}

impl Step for DropFromIndex {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZREM",
            key: redis_keys::sessions(&self.member),
            arguments: self.sessions.iter().map(IndexedSession::to_entry).collect(),
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_the_site_if_there_is_one() {
        for site in [Some(SiteId::read("0123456789abcdef")), None] {
            let session = IndexedSession {
                site,
                id_sha256: "A".repeat(43),
            };
            let entry = session.to_entry();
            assert_eq!(IndexedSession::of_entry(&entry), Some(session));
        }
        assert_eq!(IndexedSession::of_entry("nothing"), None);
    }
}
