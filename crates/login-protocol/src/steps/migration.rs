//! Moving members to another account: what is carried over, and how far it has got.

use std::time::Duration;

use super::{
    AtomicScript, MemberPlace, Operation, STRANGERS_ARE_KEPT, Step, UnexpectedReply, words,
};
use crate::{
    identity::{AppId, MemberId},
    member::Member,
    redis_keys,
};

static MOVE: AtomicScript = AtomicScript::new(include_str!("member_move.lua"));

/// For how long it is kept how far a move has got: WeChat tells new openids for fifteen days.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Carries over what is stored of somebody at a former account. Who is known at the new one stays
/// as they are.
#[derive(Debug, Clone)]
pub struct MoveMember {
    /// Who, at the new account.
    pub member: MemberId,
    /// What is stored of them at the former one.
    pub known: Member,
}

impl Step for MoveMember {
    /// Whether it was carried over.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let Member {
            openid: _,
            unionid,
            nickname,
            avatar_url,
            location,
            subscribed,
            first_seen_at,
            last_seen_at,
            profile_at,
            shown_at,
            banned: _,
            follow_changed_at,
            unfollow_learned_at: _,
        } = self.known.clone();
        let second = |at: jiff::Timestamp| at.as_second().to_string();
        let fields = [
            ("subscribed", Some(u8::from(subscribed).to_string())),
            ("first_seen_at", Some(second(first_seen_at))),
            ("last_seen_at", Some(second(last_seen_at))),
            ("unionid", unionid),
            ("nickname", nickname),
            ("avatar_url", avatar_url),
            ("location", location),
            ("profile_at", profile_at.map(second)),
            ("shown_at", shown_at.map(second)),
            ("follow_changed_at", follow_changed_at.map(second)),
        ];
        let known = fields
            .into_iter()
            .filter_map(|(name, value)| Some([name.to_owned(), value?]));
        // Who never followed was kept for a while, for having logged in inside WeChat.
        let is_stranger = !subscribed && follow_changed_at.is_none();
        let life = is_stranger.then(|| STRANGERS_ARE_KEPT.as_secs().to_string());
        Operation::Script {
            script: &MOVE,
            key: redis_keys::member(&self.member),
            arguments: std::iter::once(life.unwrap_or_default())
                .chain(known.flatten())
                .collect(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("moved")] => Ok(true),
            [Some("known")] => Ok(false),
            _ => Err(UnexpectedReply { step: "MoveMember" }),
        }
    }
}

/// How far has a move got?
#[derive(Debug, Clone)]
pub struct ReadMigration {
    /// The former account.
    pub from: AppId,
    /// The new one.
    pub to: AppId,
}

impl Step for ReadMigration {
    /// The last who was moved.
    type Outcome = Option<MemberPlace>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: redis_keys::migration(&self.from, &self.to),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let [Some(place)] = reply else {
            return Ok(None);
        };
        let place = MemberPlace::parse(place);
        place.map(Some).ok_or(UnexpectedReply {
            step: "ReadMigration",
        })
    }
}

/// Keeps how far a move has got.
#[derive(Debug, Clone)]
pub struct KeepMigration {
    /// The former account.
    pub from: AppId,
    /// The new one.
    pub to: AppId,
    /// The last who was moved.
    pub place: MemberPlace,
}

impl Step for KeepMigration {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "SET",
            key: redis_keys::migration(&self.from, &self.to),
            arguments: vec![
                self.place.to_text(),
                "PX".to_owned(),
                KEPT.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// All were moved.
#[derive(Debug, Clone)]
pub struct ForgetMigration {
    /// The former account.
    pub from: AppId,
    /// The new one.
    pub to: AppId,
}

impl Step for ForgetMigration {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "DEL",
            key: redis_keys::migration(&self.from, &self.to),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
