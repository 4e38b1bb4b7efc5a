//! The members' steps. Events can arrive twice, late and out of order; the time at which WeChat
//! says they happened decides.

use std::time::Duration;

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    identity::MemberId,
    member::{Member, Profile, avatar_address},
    redis_keys,
};

static FOLLOW: AtomicScript = AtomicScript::new(include_str!("member_follow.lua"));
static PROFILE: AtomicScript = AtomicScript::new(include_str!("member_profile.lua"));
static VISIT: AtomicScript = AtomicScript::new(include_str!("member_visit.lua"));
static UNFOLLOW: AtomicScript = AtomicScript::new(include_str!("member_unfollow.lua"));

/// An event of somebody who follows the account.
#[derive(Debug, Clone)]
pub struct RecordFollow {
    /// Who.
    pub member: MemberId,
    /// The event's `CreateTime`.
    pub at: Timestamp,
    /// What WeChat has just returned about them; missing values stay as they were.
    pub profile: Option<Profile>,
}

impl Step for RecordFollow {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let mut arguments = vec![self.at.as_second().to_string()];
        if let Some(profile) = &self.profile {
            arguments.extend(fields(profile));
            arguments.extend(["profile_at".to_owned(), self.at.as_second().to_string()]);
        }
        Operation::Script {
            script: &FOLLOW,
            key: redis_keys::member(&self.member),
            arguments,
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("recorded" | "outdated")] => Ok(()),
            _ => Err(UnexpectedReply {
                step: "RecordFollow",
            }),
        }
    }
}

/// The known parts of a profile, as field/value pairs.
fn fields(profile: &Profile) -> impl Iterator<Item = String> {
    let Profile {
        unionid,
        nickname,
        avatar_url,
        location,
    } = profile.clone();
    let fields = [
        ("unionid", unionid),
        ("nickname", nickname),
        ("avatar_url", avatar_url.map(avatar_address)),
        ("location", location),
    ];
    let known = fields
        .into_iter()
        .filter_map(|(name, value)| Some([name.to_owned(), value?]));
    known.flatten()
}

/// A profile that its person has just shown, as field/value pairs.
fn shown(profile: Option<&Profile>, at: Timestamp) -> impl Iterator<Item = String> {
    let at = at.as_second().to_string();
    let times =
        profile.map(|_| ["shown_at", at.as_str(), "profile_at", at.as_str()].map(str::to_owned));
    let told = profile.into_iter().flat_map(fields);
    times.into_iter().flatten().chain(told)
}

/// A follower showed their profile by web authorisation.
#[derive(Debug, Clone)]
pub struct RecordProfile {
    /// Who.
    pub member: MemberId,
    /// When.
    pub at: Timestamp,
    /// What WeChat returned about them apart from the profile; a missing value stays as it was.
    pub unionid: Option<String>,
    /// What WeChat returned; `None` when it returned nothing and the profile stays as it was.
    pub profile: Option<Profile>,
}

impl Step for RecordProfile {
    /// Whether it was kept: nothing is kept of somebody who doesn't follow the account.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let mut arguments = vec![
            self.at.as_second().to_string(),
            self.unionid.clone().unwrap_or_default(),
        ];
        arguments.extend(shown(self.profile.as_ref(), self.at));
        Operation::Script {
            script: &PROFILE,
            key: redis_keys::member(&self.member),
            arguments,
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("recorded")] => Ok(true),
            [Some("not_a_follower")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "RecordProfile",
            }),
        }
    }
}

/// How long somebody is kept who logged in inside WeChat and doesn't follow the account.
pub const STRANGERS_ARE_KEPT: Duration = Duration::from_hours(30 * 24);

/// Somebody logged in inside WeChat, follower or not, and agreed that nickname and avatar are used.
#[derive(Debug, Clone)]
pub struct RecordVisit {
    /// Who.
    pub member: MemberId,
    /// When WeChat was asked about them.
    pub at: Timestamp,
    /// Whether they follow the account; `None` when WeChat didn't say, and it stays as it was.
    pub follows: Option<bool>,
    /// What WeChat returned about them apart from the profile; a missing value stays as it was.
    pub unionid: Option<String>,
    /// What WeChat has just returned about them; missing values stay as they were.
    pub profile: Option<Profile>,
}

impl Step for RecordVisit {
    /// Whether it tells that they have unfollowed, of which no event had told.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let follows = match self.follows {
            Some(true) => "1",
            Some(false) => "0",
            None => "",
        };
        let mut arguments = vec![
            self.at.as_second().to_string(),
            follows.to_owned(),
            STRANGERS_ARE_KEPT.as_secs().to_string(),
            self.unionid.clone().unwrap_or_default(),
        ];
        arguments.extend(shown(self.profile.as_ref(), self.at));
        Operation::Script {
            script: &VISIT,
            key: redis_keys::member(&self.member),
            arguments,
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("unfollowed")] => Ok(true),
            [Some("recorded")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "RecordVisit",
            }),
        }
    }
}

/// Somebody unfollowed: WeChat's terms ask that the profile goes.
#[derive(Debug, Clone)]
pub struct RecordUnfollow {
    /// Who.
    pub member: MemberId,
    /// The event's `CreateTime`.
    pub at: Timestamp,
}

impl Step for RecordUnfollow {
    /// Whether it counts: nothing that happened later is known.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &UNFOLLOW,
            key: redis_keys::member(&self.member),
            arguments: vec![self.at.as_second().to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("recorded")] => Ok(true),
            [Some("outdated")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "RecordUnfollow",
            }),
        }
    }
}

/// When did somebody unfollow, for sessions that end with it?
#[derive(Debug, Clone)]
pub struct ReadUnfollow {
    /// Who.
    pub member: MemberId,
}

impl Step for ReadUnfollow {
    /// When the last unfollow became known, by Redis' clock; `None`: never, or to a version that
    /// didn't keep it.
    type Outcome = Option<Timestamp>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HGET",
            key: redis_keys::member(&self.member),
            arguments: vec!["unfollowed_at_ms".to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let [Some(at_ms)] = reply else {
            return Ok(None);
        };
        let at = at_ms.parse().ok();
        let at = at.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        at.map(Some).ok_or(UnexpectedReply {
            step: "ReadUnfollow",
        })
    }
}

/// Reads a member.
#[derive(Debug, Clone)]
pub struct ReadMember {
    /// Who.
    pub member: MemberId,
}

impl Step for ReadMember {
    /// `None`: never seen. Whether they are banned isn't among it ([`ReadBans`](super::ReadBans)).
    type Outcome = Option<Member>;

    fn operation(&self) -> Operation {
        let fields = [
            "first_seen_at",
            "last_seen_at",
            "subscribed",
            "unionid",
            "nickname",
            "avatar_url",
            "location",
            "profile_at",
            "shown_at",
            "follow_changed_at",
            "unfollow_learned_at",
        ];
        Operation::Command {
            name: "HMGET",
            key: redis_keys::member(&self.member),
            arguments: fields.map(str::to_owned).to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = || UnexpectedReply { step: "ReadMember" };
        let seconds = |text: &Option<String>| {
            let second = text.as_deref().and_then(|text| text.parse().ok());
            second
                .and_then(|second| Timestamp::from_second(second).ok())
                .ok_or_else(unexpected)
        };
        let known_seconds =
            |text: &Option<String>| text.is_some().then(|| seconds(text)).transpose();
        match reply {
            [None, ..] => Ok(None),
            [
                first_seen_at,
                last_seen_at,
                subscribed,
                unionid,
                nickname,
                avatar_url,
                location,
                profile_at,
                shown_at,
                follow_changed_at,
                unfollow_learned_at,
            ] => Ok(Some(Member {
                openid: self.member.openid.clone(),
                unionid: unionid.clone(),
                nickname: nickname.clone(),
                // Also what an older version kept.
                avatar_url: avatar_url.clone().map(avatar_address),
                location: location.clone(),
                subscribed: subscribed.as_deref() == Some("1"),
                first_seen_at: seconds(first_seen_at)?,
                last_seen_at: seconds(last_seen_at)?,
                profile_at: known_seconds(profile_at)?,
                shown_at: known_seconds(shown_at)?,
                banned: false,
                follow_changed_at: known_seconds(follow_changed_at)?,
                unfollow_learned_at: known_seconds(unfollow_learned_at)?,
            })),
            _ => Err(unexpected()),
        }
    }
}
