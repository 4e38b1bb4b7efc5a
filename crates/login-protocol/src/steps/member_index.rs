//! The index of an account's members, by when they were seen first. What it holds is only where to
//! look: the members' own records are the truth.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    identity::{AppId, MemberId, OpenId},
    redis_keys,
};

static DROP_PLACE: AtomicScript = AtomicScript::new(include_str!("member_drop_place.lua"));

/// Members of the same second are told apart by so many parts of it, or else by their openids.
const PARTS: u64 = 1 << 20;

/// How many of the same place are looked through for the last one that was read.
const SAME_PLACE: usize = 8;

/// A member's place in the index, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPlace {
    score: u64,
    /// Who.
    pub openid: OpenId,
}

impl MemberPlace {
    /// Of somebody who was seen first at this time.
    pub fn of(openid: &OpenId, first_seen_at: Timestamp) -> Self {
        let digest = Sha256::digest(openid.as_str());
        let part = u64::from(u32::from_be_bytes([0, digest[0], digest[1], digest[2]])) % PARTS;
        let second = u64::try_from(first_seen_at.as_second()).unwrap_or_default();
        Self {
            score: second * PARTS + part,
            openid: openid.clone(),
        }
    }

    /// The text form, from which the index is read on.
    pub fn to_text(&self) -> String {
        format!("{}:{}", self.score, self.openid.as_str())
    }

    /// Reads the text form; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (score, openid) = text.split_once(':')?;
        Some(Self {
            score: score.parse().ok()?,
            openid: OpenId::parse(openid).ok()?,
        })
    }
}

/// Puts a member into the index, or where they belong in it.
#[derive(Debug, Clone)]
pub struct IndexMember {
    /// Who.
    pub member: MemberId,
    /// When they were seen first.
    pub first_seen_at: Timestamp,
    /// Who is in it already stays where they are.
    pub only_new: bool,
}

impl Step for IndexMember {
    /// Whether they weren't in it.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let place = MemberPlace::of(&self.member.openid, self.first_seen_at);
        let condition = self.only_new.then(|| "NX".to_owned());
        let place = [
            place.score.to_string(),
            self.member.openid.as_str().to_owned(),
        ];
        Operation::Command {
            name: "ZADD",
            key: redis_keys::members(&self.member.app_id),
            arguments: condition.into_iter().chain(place).collect(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("0")] => Ok(false),
            [Some("1")] => Ok(true),
            _ => Err(UnexpectedReply {
                step: "IndexMember",
            }),
        }
    }
}

/// Takes a member out of the index.
#[derive(Debug, Clone)]
pub struct UnindexMember {
    /// Who.
    pub member: MemberId,
}

impl Step for UnindexMember {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZREM",
            key: redis_keys::members(&self.member.app_id),
            arguments: vec![self.member.openid.as_str().to_owned()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Takes somebody out of the index whose record has ended, unless they came back since and have
/// another place.
#[derive(Debug, Clone)]
pub struct DropPlace {
    /// The account.
    pub app_id: AppId,
    /// The place.
    pub place: MemberPlace,
}

impl Step for DropPlace {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &DROP_PLACE,
            key: redis_keys::members(&self.app_id),
            arguments: vec![
                self.place.openid.as_str().to_owned(),
                self.place.score.to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// How many members are in the index?
#[derive(Debug, Clone)]
pub struct CountMembers {
    /// The account.
    pub app_id: AppId,
}

impl Step for CountMembers {
    type Outcome = u64;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "ZCARD",
            key: redis_keys::members(&self.app_id),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<u64, UnexpectedReply> {
        match reply {
            [Some(count)] => count.parse().ok(),
            _ => None,
        }
        .ok_or(UnexpectedReply {
            step: "CountMembers",
        })
    }
}

/// Who was seen before a place, the newest first.
#[derive(Debug, Clone)]
pub struct ListMembers {
    /// The account.
    pub app_id: AppId,
    /// The place; `None`: all.
    pub before: Option<MemberPlace>,
    /// How many at most.
    pub limit: usize,
}

impl Step for ListMembers {
    type Outcome = Vec<MemberPlace>;

    fn operation(&self) -> Operation {
        let before = self.before.as_ref();
        let from = before.map_or_else(|| "+inf".to_owned(), |place| place.score.to_string());
        let limit = (self.limit + SAME_PLACE).to_string();
        Operation::Command {
            name: "ZREVRANGEBYSCORE",
            key: redis_keys::members(&self.app_id),
            arguments: [&from, "-inf", "WITHSCORES", "LIMIT", "0", &limit]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Vec<MemberPlace>, UnexpectedReply> {
        let unexpected = || UnexpectedReply {
            step: "ListMembers",
        };
        let mut places = Vec::new();
        for pair in words(reply).chunks(2) {
            let [Some(openid), Some(score)] = pair else {
                return Err(unexpected());
            };
            let place = MemberPlace {
                score: score.parse().map_err(|_| unexpected())?,
                openid: OpenId::parse(openid).map_err(|_| unexpected())?,
            };
            // Redis has those of one place in the order of their bytes, here from the end.
            let was_read = self.before.as_ref().is_some_and(|before| {
                place.score == before.score && place.openid.as_str() >= before.openid.as_str()
            });
            if !was_read && places.len() < self.limit {
                places.push(place);
            }
        }
        Ok(places)
    }
}
