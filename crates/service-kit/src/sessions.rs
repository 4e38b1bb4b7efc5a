//! The sessions of a person, as they and the owner see and end them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use login_protocol::{
    account::AccountName,
    identity::MemberId,
    session_end::SessionEnd,
    site::SiteId,
    steps::{
        AppendEvent, DropFromIndex, EndAllSessions, EndSession, EndingSession, IndexedSession,
        LookAtSession, ReadSessionIndex, ReadSessionsEnd, ReadUnfollow, SessionLifetime,
        SessionPlace,
        oidc::{ClientUse, LogoutTask, ReadClientUses},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    client_uses,
    redis::{Store, StoreError},
};

/// For how long the owner's ending of all sessions is remembered: no browser keeps a session's
/// cookie for longer than 400 days (RFC 6265bis, section 5.5), whatever lifetime the sites give it.
const LONGEST_SESSION: Duration = Duration::from_hours(400 * 24);

/// A session that hasn't ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonsSession {
    /// Its place in the index.
    pub key: IndexedSession,
    /// The account that its person logged in to.
    pub account: AccountName,
    /// When its person confirmed the login.
    pub begun_at: Timestamp,
    /// When it was last used, if its version kept that.
    pub last_seen_at: Option<Timestamp>,
    /// Where it was begun, if its version kept that.
    pub place: Option<SessionPlace>,
    /// The client whose login began it.
    pub client: Option<String>,
    /// Whether clients of its site's OpenID Connect provider used it.
    pub was_at_clients: bool,
}

/// A session as the APIs of both services list it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct ListedSession<'a> {
    /// What tells it from the person's others, and opens nothing.
    pub id: &'a str,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What people call the site.
    #[schema(required)]
    pub site: Option<&'a str>,
    /// The client whose login began it, by its name in the site's settings.
    #[schema(required)]
    pub client: Option<&'a str>,
    /// When its person confirmed the login.
    pub begun_at: Timestamp,
    /// When it was last used.
    #[schema(required)]
    pub last_seen_at: Option<Timestamp>,
    /// The browser and its system.
    #[schema(required)]
    pub browser: Option<&'a str>,
    /// The browser's network.
    #[schema(required)]
    pub address: Option<&'a str>,
}

/// A person's sessions, as the APIs of both services answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sessions)]
pub struct SessionList<'a> {
    /// The newest first.
    pub sessions: Vec<ListedSession<'a>>,
}

impl PersonsSession {
    /// It in a list. `current` is the session that asks, by the SHA-256 of its identifier.
    pub fn listed(&self, current: Option<&str>) -> ListedSession<'_> {
        let place = self.place.as_ref();
        ListedSession {
            id: &self.key.id_sha256,
            current: current == Some(&self.key.id_sha256),
            site: place.map(|place| place.site_name.as_str()),
            client: self.client.as_deref(),
            begun_at: self.begun_at,
            last_seen_at: self.last_seen_at,
            browser: place.map(|place| place.browser.description.as_str()),
            address: place.map(|place| place.browser.address.as_str()),
        }
    }
}

/// A session that is in its person's index.
struct Indexed {
    session: PersonsSession,
    /// It has ended with all of its person's, or with an unfollow: its record alone is left.
    is_over: bool,
}

/// A person's sessions that haven't ended, the newest first.
///
/// # Errors
///
/// Redis failed.
pub async fn of(store: &Store, member: &MemberId) -> Result<Vec<PersonsSession>, StoreError> {
    let indexed = indexed(store, member).await?;
    let living = indexed.into_iter().filter(|indexed| !indexed.is_over);
    let mut living: Vec<_> = living.map(|indexed| indexed.session).collect();
    living.sort_by_key(|session| std::cmp::Reverse(session.begun_at));
    Ok(living)
}

/// A person's sessions whose records are there. What the index holds beyond them is dropped from it.
async fn indexed(store: &Store, member: &MemberId) -> Result<Vec<Indexed>, StoreError> {
    let index = ReadSessionIndex {
        member: member.clone(),
    };
    let unfollow = ReadUnfollow {
        member: member.clone(),
    };
    let read_uses = ReadClientUses {
        member: member.clone(),
    };
    let (keys, ended_everywhere, unfollowed_at, uses) = store
        .run_together((&index, &end_of(member, None), &unfollow, &read_uses))
        .await?;
    let looks: Vec<_> = keys
        .iter()
        .map(|key| LookAtSession {
            site: key.site.clone(),
            id_sha256: key.id_sha256.clone(),
        })
        .collect();
    let seen = store.run_all(&looks).await?;
    let ended_at = ends_at_sites(store, member, &keys).await?;
    let mut indexed = Vec::new();
    let mut gone = Vec::new();
    for (key, seen) in keys.into_iter().zip(seen) {
        let Some(session) = seen.filter(|session| session.member == *member) else {
            gone.push(key);
            continue;
        };
        let ended_here = key.site.as_ref().and_then(|site| ended_at.get(site));
        let ended = ended_everywhere.max(ended_here.copied());
        let ends_on_unfollow = session
            .place
            .as_ref()
            .is_some_and(|place| place.ends_on_unfollow);
        let unfollowed = unfollowed_at.filter(|_| ends_on_unfollow);
        indexed.push(Indexed {
            is_over: ended.max(unfollowed) >= Some(session.begun_at),
            session: PersonsSession {
                was_at_clients: was_at_clients(&uses, &key),
                key,
                account: session.account,
                begun_at: session.begun_at,
                last_seen_at: session.last_seen_at,
                place: session.place,
                client: session.client,
            },
        });
    }
    drop_from_index(store, member, gone).await?;
    Ok(indexed)
}

async fn drop_from_index(
    store: &Store,
    member: &MemberId,
    sessions: Vec<IndexedSession>,
) -> Result<(), StoreError> {
    if sessions.is_empty() {
        return Ok(());
    }
    let member = member.clone();
    store.run(&DropFromIndex { member, sessions }).await
}

/// A person's sessions that are about to end together. The owner's software is told before they do,
/// afterwards nobody might come to it; and what has begun until then is told afterwards.
pub struct Ending<'a> {
    store: &'a Store,
    member: &'a MemberId,
    reason: SessionEnd,
    sessions: Vec<PersonsSession>,
    /// All that the index had.
    known: HashSet<IndexedSession>,
    /// Those of them that were over before.
    over: HashSet<IndexedSession>,
}

impl<'a> Ending<'a> {
    /// Looks for the sessions of a person which will end.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn look(
        store: &'a Store,
        member: &'a MemberId,
        reason: SessionEnd,
        ends: impl Fn(&PersonsSession) -> bool,
    ) -> Result<Self, StoreError> {
        let (mut sessions, mut known, mut over) = (Vec::new(), HashSet::new(), HashSet::new());
        for Indexed { session, is_over } in indexed(store, member).await? {
            known.insert(session.key.clone());
            if is_over {
                over.insert(session.key);
            } else if ends(&session) {
                sessions.push(session);
            }
        }
        Ok(Self {
            store,
            member,
            reason,
            sessions,
            known,
            over,
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Whether an index has a session that wasn't there before.
    pub fn is_surpassed_by(&self, keys: &[IndexedSession]) -> bool {
        keys.iter().any(|key| !self.known.contains(key))
    }

    /// Tells the owner's software.
    ///
    /// # Errors
    ///
    /// Redis failed; some may be told.
    pub async fn tell(&self) -> Result<(), StoreError> {
        tell(self.store, self.member, &self.sessions, self.reason).await
    }

    /// Removes the records of those that have ended by now, so that nothing tells of them again, and
    /// tells of those that had begun since it was looked. Returns what has ended.
    ///
    /// # Errors
    ///
    /// Redis failed; some may be left. They are over all the same.
    pub async fn conclude(self) -> Result<Vec<PersonsSession>, StoreError> {
        let indexed = indexed(self.store, self.member).await?;
        let over = indexed.into_iter().filter(|indexed| indexed.is_over);
        let (before, ended): (Vec<_>, Vec<_>) = over
            .map(|indexed| indexed.session)
            .partition(|session| self.over.contains(&session.key));
        // Those of before are among them, and are told once.
        tell(self.store, self.member, &ended, self.reason).await?;
        remove(self.store, self.member, &before).await?;
        remove(self.store, self.member, &ended).await?;
        count(&ended, self.reason);
        Ok(ended)
    }
}

fn was_at_clients(uses: &[ClientUse], key: &IndexedSession) -> bool {
    uses.iter().any(|used| match used {
        ClientUse::Session(site, sha256) => {
            key.site.as_ref() == Some(site) && *sha256 == key.id_sha256
        }
        ClientUse::Grant(..) => false,
    })
}

fn end_of(member: &MemberId, site: Option<SiteId>) -> ReadSessionsEnd {
    ReadSessionsEnd {
        member: member.clone(),
        site,
    }
}

async fn ends_at_sites(
    store: &Store,
    member: &MemberId,
    keys: &[IndexedSession],
) -> Result<HashMap<SiteId, Timestamp>, StoreError> {
    let mut sites: Vec<SiteId> = keys.iter().filter_map(|key| key.site.clone()).collect();
    sites.sort_unstable();
    sites.dedup();
    let reads: Vec<_> = sites
        .iter()
        .map(|site| end_of(member, Some(site.clone())))
        .collect();
    let ends = store.run_all(&reads).await?;
    let known = sites.into_iter().zip(ends);
    Ok(known
        .filter_map(|(site, ended_at)| Some((site, ended_at?)))
        .collect())
}

/// Ends all sessions of a person at all sites, and whatever login they have confirmed by now.
/// Returns those that were known. Repeating it ends what began since.
///
/// # Errors
///
/// Redis failed; some may have ended.
pub async fn end_all(
    store: &Store,
    member: &MemberId,
    reason: SessionEnd,
) -> Result<Vec<PersonsSession>, StoreError> {
    let ending = Ending::look(store, member, reason, |_| true).await?;
    ending.tell().await?;
    // This alone decides: whatever began before is over.
    let all = EndAllSessions {
        member: member.clone(),
        site: None,
        lifetime: SessionLifetime {
            absolute: LONGEST_SESSION,
            idle: LONGEST_SESSION,
        },
    };
    let read_uses = ReadClientUses {
        member: member.clone(),
    };
    let ((), uses) = store.run_both(&all, &read_uses).await?;
    client_uses::sessions_ended(store, &uses).await?;
    ending.conclude().await
}

/// Ends one session of a person. What clients have of it is the site's to end, which is told.
///
/// # Errors
///
/// Redis failed.
pub async fn end_one(
    store: &Store,
    member: &MemberId,
    session: &PersonsSession,
    reason: SessionEnd,
) -> Result<(), StoreError> {
    if let Some(site) = session.key.site.clone().filter(|_| session.was_at_clients) {
        let session_sha256 = session.key.id_sha256.clone();
        // Before it ends: afterwards nobody could end it again, if this failed.
        client_uses::tell(store, site, vec![LogoutTask::Ended { session_sha256 }]).await?;
    }
    let ended = std::slice::from_ref(session);
    // Before they do: afterwards nobody could tell it, if this failed.
    tell(store, member, ended, reason).await?;
    remove(store, member, ended).await?;
    count(ended, reason);
    Ok(())
}

async fn tell(
    store: &Store,
    member: &MemberId,
    sessions: &[PersonsSession],
    reason: SessionEnd,
) -> Result<(), StoreError> {
    let appends: Vec<AppendEvent> = sessions
        .iter()
        .filter_map(|session| {
            let ending = EndingSession {
                member,
                account: &session.account,
                id_sha256: &session.key.id_sha256,
                site_name: session.place.as_ref().map(|place| &*place.site_name),
                client: session.client.as_deref(),
            };
            AppendEvent::of_session_end(&ending, reason)
        })
        .collect();
    tell_all(store, &appends).await
}

/// Tells what ends. A full Redis keeps nobody signed in: there it goes on without.
///
/// # Errors
///
/// Redis failed; some may be told.
pub async fn tell_all(store: &Store, appends: &[AppendEvent]) -> Result<(), StoreError> {
    match store.run_all(appends).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_refusal() => {
            error.log();
            Ok(())
        }
        Err(error) => Err(error),
    }
}

async fn remove(
    store: &Store,
    member: &MemberId,
    sessions: &[PersonsSession],
) -> Result<(), StoreError> {
    let ends: Vec<_> = sessions
        .iter()
        .map(|session| EndSession {
            member: Some(member.clone()),
            site: session.key.site.clone(),
            id_sha256: session.key.id_sha256.clone(),
        })
        .collect();
    store.run_all(&ends).await?;
    let keys = sessions.iter().map(|session| session.key.clone()).collect();
    drop_from_index(store, member, keys).await
}

fn count(ended: &[PersonsSession], reason: SessionEnd) {
    if ended.is_empty() {
        return;
    }
    let count = u64::try_from(ended.len()).unwrap_or(u64::MAX);
    metrics::counter!("sessions_ended_total", "reason" => reason.as_str()).increment(count);
}
