//! What somebody's logins at clients left, at all sites: for the day when the owner ends it.

use std::time::Duration;

use super::super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use super::grant::GrantId;
use crate::{identity::MemberId, redis_keys, site::SiteId};

static NOTE: AtomicScript = AtomicScript::new(include_str!("client_use_note.lua"));

/// What a login at a client left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientUse {
    /// A session, by the SHA-256 of its identifier in base64url.
    Session(SiteId, String),
    /// What outlives the session, with its refresh tokens.
    Grant(SiteId, GrantId),
}

impl ClientUse {
    /// Where.
    pub const fn site(&self) -> &SiteId {
        match self {
            Self::Session(site, _) | Self::Grant(site, _) => site,
        }
    }

    fn to_entry(&self) -> String {
        match self {
            Self::Session(site, sha256) => format!("session {} {sha256}", site.as_str()),
            Self::Grant(site, grant) => format!("grant {} {}", site.as_str(), grant.as_str()),
        }
    }

    fn of_entry(entry: &str) -> Option<Self> {
        let mut words = entry.splitn(3, ' ');
        let (kind, site, name) = (words.next()?, SiteId::read(words.next()?), words.next()?);
        match kind {
            "session" => Some(Self::Session(site, name.to_owned())),
            "grant" => Some(Self::Grant(site, GrantId::parse(name)?)),
            _ => None,
        }
    }
}

/// Notes what a person's login at a client left, and how long each can live.
#[derive(Debug, Clone)]
pub struct NoteClientUses {
    /// Whose.
    pub member: MemberId,
    /// What: at least one.
    pub uses: Vec<(ClientUse, Duration)>,
}

impl Step for NoteClientUses {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let entries = self
            .uses
            .iter()
            .flat_map(|(used, life)| [used.to_entry(), life.as_millis().to_string()]);
        Operation::Script {
            script: &NOTE,
            key: redis_keys::client_uses(&self.member),
            arguments: entries.collect(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("noted")] => Ok(()),
            _ => Err(UnexpectedReply {
                step: "NoteClientUses",
            }),
        }
    }
}

/// What did a person's logins at clients leave? Some of it may have ended.
#[derive(Debug, Clone)]
pub struct ReadClientUses {
    /// Whose.
    pub member: MemberId,
}

impl Step for ReadClientUses {
    type Outcome = Vec<ClientUse>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZRANGE",
            key: redis_keys::client_uses(&self.member),
            arguments: ["0", "-1"].map(str::to_owned).to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        // What a later version notes there is that version's to deal with.
        let entries = reply.iter().flatten();
        Ok(entries
            .filter_map(|entry| ClientUse::of_entry(entry))
            .collect())
    }
}

/// Forgets what a person's logins at clients left.
#[derive(Debug, Clone)]
pub struct ForgetClientUses {
    /// Whose.
    pub member: MemberId,
}

impl Step for ForgetClientUses {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "DEL",
            key: redis_keys::client_uses(&self.member),
            arguments: Vec::new(),
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
    fn an_entry_is_read_as_it_was_written() {
        let site = || SiteId::read("0123456789abcdef");
        let grant = GrantId::parse("AAAAAAAAAAAAAAAAAAAAAA").unwrap();
        for used in [
            ClientUse::Session(site(), "A".repeat(43)),
            ClientUse::Grant(site(), grant),
        ] {
            assert_eq!(ClientUse::of_entry(&used.to_entry()), Some(used));
        }
        for entry in ["", "session", "grant 0123456789abcdef x", "other a b"] {
            assert_eq!(ClientUse::of_entry(entry), None, "{entry}");
        }
    }
}
