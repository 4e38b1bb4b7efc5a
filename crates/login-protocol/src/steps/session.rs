//! The site's sessions. Redis knows a session by the SHA-256 of its identifier: who reads Redis can
//! take over nobody's session.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Asker, AtomicScript, Operation, REDEMPTION_WINDOW, Step, UnexpectedReply, words};
use crate::{
    account::AccountName,
    attempt::Approval,
    identity::{AppId, MemberId, OpenId},
    method::Method,
    redis_keys, session_change,
    site::{Realm, SiteId},
};

static CREATE: AtomicScript = AtomicScript::new(include_str!("session_create.lua"));
static END: AtomicScript = AtomicScript::new(include_str!("session_end.lua"));
static READ: AtomicScript = AtomicScript::new(include_str!("session_read.lua"));
static END_ALL: AtomicScript = AtomicScript::new(include_str!("sessions_end.lua"));

/// How long the end of a session is remembered: longer than a repeat of its redemption can come, by
/// a minute for one that is on its way.
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

    fn arguments(self) -> [String; 2] {
        [self.absolute, self.idle].map(|life| life.as_millis().to_string())
    }
}

/// A session that hasn't ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub member: MemberId,
    /// The account that they logged in to.
    pub account: AccountName,
    /// How.
    pub method: Method,
    /// When they confirmed the login, by Redis' clock.
    pub begun_at: Timestamp,
    /// When it was last used before it was read, to the second or so.
    pub last_seen_at: Timestamp,
    /// Where it was begun. A version before this one kept nothing of it.
    pub place: Option<SessionPlace>,
    /// What had to happen on the phone, if the site or its client said.
    pub approval: Option<Approval>,
    /// The client whose login began it, by its name in the site's settings.
    pub client: Option<String>,
}

/// Where a session was begun, for its person and for the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPlace {
    /// The browser, as far as it is kept.
    pub browser: Asker,
    /// What people call the site ([`called`](crate::site::called)).
    pub site_name: String,
    /// Whether an unfollow ends it.
    pub ends_on_unfollow: bool,
}

/// The version of [`Record`]. Whatever is no addition is another version.
const VERSION: u32 = 1;

/// What the record of a session has before its beginning; the script that reads it looks for that.
const BEFORE_BEGINNING: &str = r#""begun_at_ms":"#;

/// A session in Redis, as JSON.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    app_id: AppId,
    openid: OpenId,
    account: AccountName,
    method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    browser: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    site_name: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ends_on_unfollow: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<Approval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    begun_at_ms: i64,
    /// Written by the script that reads a session, behind all others.
    #[serde(default, skip_serializing)]
    last_seen_at_ms: Option<i64>,
}

/// What every version of the record has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Session {
    pub(super) fn to_record(&self) -> String {
        let place = self.place.as_ref();
        let browser = place.map(|place| place.browser.clone());
        let record = Record {
            version: VERSION,
            app_id: self.member.app_id.clone(),
            openid: self.member.openid.clone(),
            account: self.account.clone(),
            method: self.method,
            browser: browser.as_ref().map(|browser| browser.description.clone()),
            address: browser.map(|browser| browser.address),
            site_name: place.map(|place| place.site_name.clone()),
            ends_on_unfollow: place.is_some_and(|place| place.ends_on_unfollow),
            begun_at_ms: self.begun_at.as_millisecond(),
            last_seen_at_ms: None,
            approval: self.approval,
            client: self.client.clone(),
        };
        // Texts and numbers can always be written.
        serde_json::to_string(&record).unwrap_or_default()
    }

    /// `None`: another version's.
    pub(super) fn of_record(record: &str) -> Result<Option<Self>, UnexpectedReply> {
        const UNEXPECTED: UnexpectedReply = UnexpectedReply {
            step: "ReadSession",
        };
        let Version { version } = serde_json::from_str(record).map_err(|_| UNEXPECTED)?;
        if version != VERSION {
            return Ok(None);
        }
        let record: Record = serde_json::from_str(record).map_err(|_| UNEXPECTED)?;
        let time = |ms| Timestamp::from_millisecond(ms).map_err(|_| UNEXPECTED);
        let place = match (record.browser, record.address, record.site_name) {
            (Some(description), Some(address), Some(site_name)) => Some(SessionPlace {
                browser: Asker {
                    description,
                    address,
                },
                site_name,
                ends_on_unfollow: record.ends_on_unfollow,
            }),
            _ => None,
        };
        Ok(Some(Self {
            member: MemberId {
                app_id: record.app_id,
                openid: record.openid,
            },
            account: record.account,
            method: record.method,
            begun_at: time(record.begun_at_ms)?,
            last_seen_at: time(record.last_seen_at_ms.unwrap_or(record.begun_at_ms))?,
            place,
            approval: record.approval,
            client: record.client,
        }))
    }
}

/// Starts a session, or writes the same one again, unless it was ended within the last two minutes.
#[derive(Debug, Clone)]
pub struct CreateSession {
    /// Where it is good.
    pub site: SiteId,
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
    /// Whose session.
    pub session: Session,
    /// How long it lives.
    pub lifetime: SessionLifetime,
}

impl Step for CreateSession {
    /// Whether there is such a session now.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &CREATE,
            key: redis_keys::session(&self.site, &self.id_sha256),
            arguments: vec![
                self.session.to_record(),
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
    /// Where it has to be good.
    pub realm: Realm,
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
    /// How long it lives.
    pub lifetime: SessionLifetime,
}

impl Step for ReadSession {
    /// `None`: no such session, it ended, or a newer version wrote it.
    type Outcome = Option<Session>;

    fn operation(&self) -> Operation {
        let [absolute, idle] = self.lifetime.arguments();
        Operation::Script {
            script: &READ,
            key: redis_keys::session(&self.realm.site, &self.id_sha256),
            arguments: vec![absolute, idle, BEFORE_BEGINNING.to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let [Some(record)] = reply else {
            return Ok(None);
        };
        let session = Session::of_record(record)?;
        Ok(session.filter(|session| session.account == self.realm.account))
    }
}

/// The same of a session that a version began which knew no sites. It is good at any.
#[derive(Debug, Clone)]
pub struct ReadOlderSession {
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
    /// How long it lives.
    pub lifetime: SessionLifetime,
}

/// What that version wrote before the beginning: the AppID and the openid.
const OLDER_BEFORE_BEGINNING: &str = "^%S+ %S+ ";

impl Step for ReadOlderSession {
    /// Whose, and when it began. `None`: no such session, or it ended.
    type Outcome = Option<(MemberId, Timestamp)>;

    fn operation(&self) -> Operation {
        let [absolute, idle] = self.lifetime.arguments();
        Operation::Script {
            script: &READ,
            key: redis_keys::older_session(&self.id_sha256),
            arguments: vec![absolute, idle, OLDER_BEFORE_BEGINNING.to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let [Some(record)] = reply else {
            return Ok(None);
        };
        let session = of_older_record(record).ok_or(UnexpectedReply {
            step: "ReadOlderSession",
        })?;
        Ok(Some(session))
    }
}

/// Words between spaces: AppID, openid, and when their person confirmed.
fn of_older_record(record: &str) -> Option<(MemberId, Timestamp)> {
    let mut words = record.split(' ');
    let member = MemberId {
        app_id: AppId::parse(words.next()?).ok()?,
        openid: OpenId::parse(words.next()?).ok()?,
    };
    let begun_at = Timestamp::from_millisecond(words.next()?.parse().ok()?).ok()?;
    words.next().is_none().then_some((member, begun_at))
}

/// A session as it lies in Redis, which isn't used by being looked at.
#[derive(Debug, Clone)]
pub struct LookAtSession {
    /// Where it is good; `None`: a version began it that knew no sites.
    pub site: Option<SiteId>,
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
}

/// What there is to see of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSession {
    /// Whose.
    pub member: MemberId,
    /// The account that they logged in to.
    pub account: AccountName,
    /// When they confirmed the login, by Redis' clock.
    pub begun_at: Timestamp,
    /// When it was last used; unknown of a session whose version knew no sites.
    pub last_seen_at: Option<Timestamp>,
    /// Where it was begun, if its version kept that.
    pub place: Option<SessionPlace>,
    /// The client whose login began it.
    pub client: Option<String>,
}

impl Step for LookAtSession {
    /// `None`: no such session, it ended, or a newer version wrote it.
    type Outcome = Option<SeenSession>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: match &self.site {
                Some(site) => redis_keys::session(site, &self.id_sha256),
                None => redis_keys::older_session(&self.id_sha256),
            },
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let record = match reply {
            [Some(record)] if !record.starts_with("ended") => record,
            _ => return Ok(None),
        };
        if self.site.is_some() {
            let session = Session::of_record(record)?;
            return Ok(session.map(|session| SeenSession {
                member: session.member,
                account: session.account,
                begun_at: session.begun_at,
                last_seen_at: Some(session.last_seen_at),
                place: session.place,
                client: session.client,
            }));
        }
        let (member, begun_at) = of_older_record(record).ok_or(UnexpectedReply {
            step: "LookAtSession",
        })?;
        Ok(Some(SeenSession {
            member,
            // That version knew one account.
            account: AccountName::default(),
            begun_at,
            last_seen_at: None,
            place: None,
            client: None,
        }))
    }
}

/// Signs out. For two minutes nothing restores the session, not even a repeated redemption. Works
/// on a full Redis too.
#[derive(Debug, Clone)]
pub struct EndSession {
    /// Whose it is, if that is known: who waits for such news of them is told.
    pub member: Option<MemberId>,
    /// Where it is good; `None`: a version began it that knew no sites.
    pub site: Option<SiteId>,
    /// The SHA-256 of the session's identifier, in base64url.
    pub id_sha256: String,
}

impl Step for EndSession {
    type Outcome = ();

    fn operation(&self) -> Operation {
        // What stays under the older name is read by the older version, as a session of 1970 that
        // is over.
        let (key, stays) = match &self.site {
            Some(site) => (redis_keys::session(site, &self.id_sha256), "ended"),
            None => (redis_keys::older_session(&self.id_sha256), "ended 0"),
        };
        Operation::Script {
            script: &END,
            key,
            arguments: [stays.to_owned(), END_IS_KEPT.as_millis().to_string()]
                .into_iter()
                .chain(self.member.as_ref().map(session_change::message))
                .collect(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("ended")] => Ok(()),
            _ => Err(UnexpectedReply { step: "EndSession" }),
        }
    }
}

/// Signs somebody out everywhere: sessions that began before are void.
#[derive(Debug, Clone)]
pub struct EndAllSessions {
    /// Who.
    pub member: MemberId,
    /// At which site; `None`: at all of them, and in versions that knew no sites.
    pub site: Option<SiteId>,
    /// How long sessions live; after that nothing has to be remembered.
    pub lifetime: SessionLifetime,
}

fn end_of_all(member: &MemberId, site: Option<&SiteId>) -> String {
    match site {
        Some(site) => redis_keys::sessions_end_at(site, member),
        None => redis_keys::sessions_end(member),
    }
}

impl Step for EndAllSessions {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &END_ALL,
            key: end_of_all(&self.member, self.site.as_ref()),
            arguments: vec![
                self.lifetime.absolute.as_millis().to_string(),
                session_change::message(&self.member),
            ],
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
    /// At which site; `None`: at all of them.
    pub site: Option<SiteId>,
}

impl Step for ReadSessionsEnd {
    /// By Redis' clock; `None`: never, or so long ago that it doesn't matter.
    type Outcome = Option<Timestamp>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: end_of_all(&self.member, self.site.as_ref()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            member: MemberId {
                app_id: AppId::parse("wx1111111111111111").unwrap(),
                openid: OpenId::parse("oSim000000000000000000000001").unwrap(),
            },
            account: AccountName::default(),
            method: Method::Scan,
            begun_at: Timestamp::from_millisecond(1_795_812_000_123).unwrap(),
            last_seen_at: Timestamp::from_millisecond(1_795_812_000_123).unwrap(),
            place: None,
            approval: None,
            client: None,
        }
    }

    #[test]
    fn a_record_keeps_where_the_session_was_begun_and_when_it_was_last_used() {
        let session = Session {
            place: Some(SessionPlace {
                browser: Asker {
                    description: "Chrome · Windows".to_owned(),
                    address: "203.0.113.x".to_owned(),
                },
                site_name: r#"a "name","begun_at_ms":1"#.to_owned(),
                ends_on_unfollow: true,
            }),
            ..session()
        };
        let record = session.to_record();
        assert_eq!(Session::of_record(&record).unwrap(), Some(session.clone()));
        // A name can't be taken for what the script looks for.
        let begun = record.find(BEFORE_BEGINNING).unwrap();
        assert!(record[begun..].starts_with(r#""begun_at_ms":1795812000123"#));
        let used = record.replace('}', r#","last_seen_at_ms":1795812001000}"#);
        let read = Session::of_record(&used).unwrap().unwrap();
        assert_eq!(read.last_seen_at.as_millisecond(), 1_795_812_001_000);
        assert_eq!(read.begun_at, session.begun_at);
    }

    #[test]
    fn a_record_is_json_that_the_script_finds_the_beginning_in() {
        let record = session().to_record();
        let expected = r#"{"version":1,"app_id":"wx1111111111111111","openid":"oSim000000000000000000000001","account":"default","method":"scan","begun_at_ms":1795812000123}"#;
        assert_eq!(record, expected);
        assert!(record.contains(&format!("{BEFORE_BEGINNING}1795812000123")));
        assert_eq!(Session::of_record(&record).unwrap(), Some(session()));
    }

    #[test]
    fn additions_are_read_over_and_another_version_is_nobodys() {
        let tapped = Session {
            approval: Some(Approval::Tap),
            client: Some("wiki".to_owned()),
            ..session()
        };
        let record = tapped.to_record();
        assert_eq!(Session::of_record(&record).unwrap(), Some(tapped));
        let record = session().to_record();
        let with_more = record.replace(r#""version":1,"#, r#""version":1,"colour":"red","#);
        assert_eq!(Session::of_record(&with_more).unwrap(), Some(session()));
        let newer = record.replace(r#""version":1,"#, r#""version":2,"#);
        assert_eq!(Session::of_record(&newer).unwrap(), None);
        for broken in ["", "{}", "wx1 o1 1", r#"{"version":1}"#] {
            assert!(Session::of_record(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn an_older_record_is_words_between_spaces() {
        let older = "wx1111111111111111 oSim000000000000000000000001 1795812000123";
        let Session {
            member, begun_at, ..
        } = session();
        assert_eq!(of_older_record(older), Some((member, begun_at)));
        for broken in ["", "wx1 o1", "wx1 o1 x", "wx1 o1 1 more"] {
            assert_eq!(of_older_record(broken), None, "{broken}");
        }
    }
}
