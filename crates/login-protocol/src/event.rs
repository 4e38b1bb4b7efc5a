//! Events: what happened to the people of the accounts, as the owner's own software is told.
//!
//! A service says what happened ([`Happening`]) in the round trip in which it happens. Redis gives
//! it a place ([`Position`]), which is also its identifier and never changes. What the service
//! didn't know is filled in before anybody is told.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::{
    account::AccountName,
    identity::{AppId, MemberId, OpenId},
    member::{Member, StoredMember},
    site::SiteId,
    subject::Subject,
};

/// What an event's identifier has before its place.
const PREFIX: &str = "evt_";

/// What `data` calls the OpenID of the owner who did something.
const OWNER: &str = "owner";

/// How many digits a place has in an identifier, so that identifiers sort as events do.
const DIGITS: usize = 16;

/// A place in the stream: when it was taken, in microseconds by Redis' clock, or one more than the
/// place before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(u64);

/// The text is no event's identifier.
#[derive(Debug, thiserror::Error)]
#[error("not the identifier of an event")]
pub struct InvalidEventId;

impl Position {
    /// Before all others.
    pub const BEGINNING: Self = Self(0);

    /// Where events of this time are.
    pub fn at(time: Timestamp) -> Self {
        Self(u64::try_from(time.as_microsecond()).unwrap_or_default())
    }

    /// The last place before this time.
    pub fn before(time: Timestamp) -> Self {
        Self(Self::at(time).0.saturating_sub(1))
    }

    /// The place with this number.
    pub(crate) fn read(digits: &str) -> Option<Self> {
        digits.parse().ok().map(Self)
    }

    /// The number of microseconds.
    pub(crate) const fn number(self) -> u64 {
        self.0
    }

    /// When it was taken.
    pub fn time(self) -> Timestamp {
        let microseconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
    }

    /// The identifier of the event here: `evt_` and 16 digits.
    pub fn event_id(self) -> String {
        format!("{PREFIX}{:0DIGITS$}", self.0)
    }

    /// The place of the event with this identifier.
    ///
    /// # Errors
    ///
    /// No event has such an identifier.
    pub fn of_event_id(id: &str) -> Result<Self, InvalidEventId> {
        let digits = id.strip_prefix(PREFIX).ok_or(InvalidEventId)?;
        let valid = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = valid.then(|| digits.parse().ok()).flatten();
        number.map(Self).ok_or(InvalidEventId)
    }
}

/// What kinds of events there are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum EventKind {
    /// Somebody follows the account now.
    #[serde(rename = "member.followed")]
    MemberFollowed,
    /// Somebody doesn't follow it any more.
    #[serde(rename = "member.unfollowed")]
    MemberUnfollowed,
    /// A follower's nickname, avatar, location or UnionID is another one.
    #[serde(rename = "member.profile_changed")]
    MemberProfileChanged,
    /// One person turned out to have two subjects.
    #[serde(rename = "member.unionid_conflict")]
    MemberUnionidConflict,
    /// Somebody logged in.
    #[serde(rename = "login.completed")]
    LoginCompleted,
    /// Somebody scanned and said no, or is banned.
    #[serde(rename = "login.denied")]
    LoginDenied,
    /// A session was ended.
    #[serde(rename = "session.ended")]
    SessionEnded,
    /// The owner did something: to somebody, with members, with webhooks, or in the console.
    #[serde(rename = "owner.acted")]
    OwnerActed,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::MemberFollowed,
        Self::MemberUnfollowed,
        Self::MemberProfileChanged,
        Self::MemberUnionidConflict,
        Self::LoginCompleted,
        Self::LoginDenied,
        Self::SessionEnded,
        Self::OwnerActed,
    ];

    /// The text form, such as `member.followed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MemberFollowed => "member.followed",
            Self::MemberUnfollowed => "member.unfollowed",
            Self::MemberProfileChanged => "member.profile_changed",
            Self::MemberUnionidConflict => "member.unionid_conflict",
            Self::LoginCompleted => "login.completed",
            Self::LoginDenied => "login.denied",
            Self::SessionEnded => "session.ended",
            Self::OwnerActed => "owner.acted",
        }
    }

    /// The kind of this text form.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What makes a repeat recognisable: a hash of what happened, to whom, and on which occasion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion(String);

/// How much of the hash is kept: 96 bits.
const OCCASION_BYTES: usize = 12;

impl Occasion {
    fn digest<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut digest = Sha256::new();
        for word in words {
            digest.update(word.as_bytes());
            digest.update([0]);
        }
        Self(URL_SAFE_NO_PAD.encode(&digest.finalize()[..OCCASION_BYTES]))
    }

    /// Of these words, which tell it from all others.
    pub fn of(kind: EventKind, member: &MemberId, words: &[&str]) -> Self {
        let who = [
            kind.as_str(),
            member.app_id.as_str(),
            member.openid.as_str(),
        ];
        Self::digest(who.into_iter().chain(words.iter().copied()))
    }

    /// Of a pair of subjects, in whichever order.
    pub fn of_pair(kind: EventKind, pair: [&Subject; 2]) -> Self {
        let mut pair = pair.map(Subject::as_str);
        pair.sort_unstable();
        Self::digest([kind.as_str(), pair[0], pair[1]])
    }

    /// Of something that never repeats: random text tells it from all others.
    pub fn once(kind: EventKind, random: &str) -> Self {
        Self::digest([kind.as_str(), random])
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What happened, as it is kept until its end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// What.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When; `None`: when it got its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The account, unless it concerns none or all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// The account's AppID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// Who, if it happened to somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<OpenId>,
    /// Their UnionID, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unionid: Option<String>,
    /// Their subject, if they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Subject>,
    /// What is stored of them after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
    /// UnionID, subject and member are yet to be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// A login that is told before it was certain: what has to hold of its person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_let_in: Option<LetIn>,
    /// What this kind has beside.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub more: Map<String, Value>,
}

impl fmt::Debug for Happening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Happening({})", self.kind)
    }
}

impl Happening {
    /// Something that just happened to somebody of whom nothing was read.
    pub fn new(kind: EventKind, account: AccountName, member: &MemberId) -> Self {
        Self {
            kind,
            at: None,
            account: Some(account),
            app_id: Some(member.app_id.clone()),
            openid: Some(member.openid.clone()),
            unionid: None,
            sub: None,
            member: None,
            unread: true,
            if_let_in: None,
            more: Map::new(),
        }
    }

    /// Something that the owner did. To whom is added, if it was to somebody.
    pub fn by_owner(account: Option<AccountName>, app_id: Option<AppId>) -> Self {
        Self {
            kind: EventKind::OwnerActed,
            at: None,
            account,
            app_id,
            openid: None,
            unionid: None,
            sub: None,
            member: None,
            unread: false,
            if_let_in: None,
            more: Map::new(),
        }
    }

    /// The same, done to somebody of whom nothing was read.
    #[must_use]
    pub fn to_member(mut self, member: &MemberId) -> Self {
        self.app_id = Some(member.app_id.clone());
        self.openid = Some(member.openid.clone());
        self.unread = true;
        self
    }

    /// The same with what is stored of the person.
    #[must_use]
    pub fn with_member(mut self, sub: Option<Subject>, member: Option<Member>) -> Self {
        self.unread = false;
        self.if_let_in = None;
        self.sub = sub.or(self.sub);
        self.unionid = self
            .unionid
            .or_else(|| member.as_ref().and_then(|member| member.unionid.clone()));
        self.member = member;
        self
    }

    /// The same with a further member of `data`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The same with the owner who did it, if it is known which.
    #[must_use]
    pub fn done_by(self, owner: Option<&OpenId>) -> Self {
        let owner = owner.map(|owner| owner.as_str().to_owned());
        self.with(OWNER, owner)
    }

    /// The owner who did it, if it is known which.
    pub fn owner(&self) -> Option<&str> {
        self.more.get(OWNER)?.as_str()
    }

    /// To whom, if it happened to somebody.
    pub fn member_id(&self) -> Option<MemberId> {
        Some(MemberId {
            app_id: self.app_id.clone()?,
            openid: self.openid.clone()?,
        })
    }
}

/// What has to hold of a person so that their login is one. Whoever completes a login finds out in
/// the round trip that tells of it, and takes back what isn't true.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetIn {
    /// The site, whose sessions the person may have ended.
    pub site: SiteId,
    /// When they confirmed, in milliseconds since 1970, by Redis' clock.
    pub confirmed_at_ms: i64,
    /// They have to follow the account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub following: bool,
    /// An unfollow ends their sessions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ends_on_unfollow: bool,
}

/// Something in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where.
    pub position: Position,
    /// What happened; `None`: its person was erased.
    pub happening: Option<Happening>,
    /// Its text in Redis.
    pub(crate) text: String,
}

/// An event as the owner's software is told.
#[derive(Clone, Serialize, ToSchema)]
pub struct Event {
    /// Its identifier.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When.
    pub timestamp: Timestamp,
    /// To whom, and how.
    pub data: EventData,
}

/// To whom something happened, and how. What is unknown is null.
#[derive(Clone, Serialize, ToSchema)]
pub struct EventData {
    #[schema(required)]
    account: Option<AccountName>,
    #[schema(required)]
    app_id: Option<AppId>,
    #[schema(required)]
    openid: Option<OpenId>,
    #[schema(required)]
    unionid: Option<String>,
    #[schema(required)]
    sub: Option<Subject>,
    #[schema(required)]
    member: Option<StoredMember>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Event({} {})", self.id, self.kind)
    }
}

impl Event {
    /// What happened here.
    pub fn new(position: Position, happening: Happening) -> Self {
        let Happening {
            kind,
            at,
            account,
            app_id,
            openid,
            unionid,
            sub,
            member,
            unread: _,
            if_let_in: _,
            more,
        } = happening;
        let member = member.map(|member| StoredMember {
            sub: sub.clone(),
            member,
        });
        Self {
            id: position.event_id(),
            kind,
            timestamp: at.unwrap_or_else(|| position.time()),
            data: EventData {
                account,
                app_id,
                openid,
                unionid,
                sub,
                member,
                more,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> MemberId {
        MemberId {
            app_id: AppId::parse("wx0123456789abcdef").unwrap(),
            openid: OpenId::parse("o6_bmjrPTlm6_2sgVt7hMZOPfL2M").unwrap(),
        }
    }

    #[test]
    fn an_identifier_is_a_place() {
        let position = Position::at("2026-11-27T12:00:00Z".parse().unwrap());
        let id = position.event_id();
        assert_eq!(id, "evt_1795780800000000");
        assert_eq!(Position::of_event_id(&id).unwrap(), position);
        assert_eq!(position.time().to_string(), "2026-11-27T12:00:00Z");
        for other in [
            "",
            "evt_",
            "evt_1",
            "evt_+795780800000000",
            "1795780800000000",
        ] {
            assert!(Position::of_event_id(other).is_err(), "{other}");
        }
    }

    #[test]
    fn kinds_have_the_names_that_they_are_told_by() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::named(kind.as_str()), Some(kind));
            let told = serde_json::to_value(kind).unwrap();
            assert_eq!(told, kind.as_str());
        }
        assert_eq!(EventKind::named("member.Followed"), None);
    }

    #[test]
    fn occasions_differ_by_each_of_their_words() {
        let of = |kind, words: &[&str]| Occasion::of(kind, &person(), words);
        let one = of(EventKind::MemberFollowed, &["1", "23"]);
        assert_eq!(one, of(EventKind::MemberFollowed, &["1", "23"]));
        assert_ne!(one, of(EventKind::MemberFollowed, &["12", "3"]));
        assert_ne!(one, of(EventKind::MemberUnfollowed, &["1", "23"]));
    }

    #[test]
    fn what_is_unknown_is_null() {
        let happening = Happening::new(EventKind::LoginDenied, AccountName::default(), &person())
            .with_member(None, None)
            .with("site", "小林花店");
        let event = Event::new(Position(1_795_780_800_000_000), happening);
        let expected = serde_json::json!({
            "id": "evt_1795780800000000",
            "type": "login.denied",
            "timestamp": "2026-11-27T12:00:00Z",
            "data": {
                "account": "default",
                "app_id": "wx0123456789abcdef",
                "openid": "o6_bmjrPTlm6_2sgVt7hMZOPfL2M",
                "unionid": null,
                "sub": null,
                "member": null,
                "site": "小林花店",
            },
        });
        assert_eq!(serde_json::to_value(&event).unwrap(), expected);
        assert!(!format!("{event:?}").contains("o6_bm"));
    }
}
