//! Who is signed in, and signing out: here, or everywhere.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    attempt::Approval,
    identity::MemberId,
    member::Member,
    method::Method,
    scene::BrowserSecret,
    session_end::SessionEnd,
    site::Realm,
    steps::{
        EndAllSessions, EndSession, ForgetRedemption, GivenSubject, IndexSession, LookAtSession,
        ReadMember, ReadOlderSession, ReadSession, ReadSessionsEnd, ReadSubject, Session,
        SessionLifetime, TakeTicket,
        oidc::{LogoutTask, ReadClientUses, ReadSessionClients},
    },
    subject::Subject,
};
use service_kit::{
    client_uses,
    redis::{Store, StoreError},
    sessions::{self, Ending, PersonsSession},
    subjects::{self, SubjectError},
};

use super::{
    ending::{is_over, session_ended},
    identifier::SessionId,
    rules::{SessionRules, TicketIssuing},
};
use crate::{tickets::Ticket, user::User};

/// How long after the beginning of a session its person may have been seen first: the clocks of
/// WeChat, of the gateway and of Redis differ, and who reads it gives a subject that is missing.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_mins(15);

/// The sessions of this site.
pub struct Sessions {
    pub(super) realm: Realm,
    pub(super) lifetime: SessionLifetime,
    rules: SessionRules,
    pub(super) store: Arc<Store>,
}

/// Somebody who is signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who, towards the account.
    pub member: MemberId,
    /// Who, as browsers are told.
    pub user: User,
    /// When they confirmed the login, by Redis' clock.
    pub since: Timestamp,
    /// The ticket that waited for this browser.
    pub ticket: Option<Ticket>,
}

/// Whose session it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The person at their account.
    pub member: MemberId,
    /// Their subject.
    pub subject: Subject,
    /// What is known of them.
    pub known: Option<Member>,
    /// When they confirmed the login, by Redis' clock.
    pub begun_at: Timestamp,
    /// How they logged in.
    pub method: Method,
    /// What had to happen on the phone, if the site or its client said.
    pub approval: Option<Approval>,
}

impl Identity {
    /// Whether they follow the account, as far as is known.
    pub fn is_following(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.subscribed)
    }

    pub(super) fn into_signed_in(self, ticket: Option<Ticket>) -> SignedIn {
        SignedIn {
            user: User::new(&self.member, self.subject, self.known),
            member: self.member,
            since: self.begun_at,
            ticket,
        }
    }
}

/// A session that hasn't ended by itself.
pub(super) struct Found {
    member: MemberId,
    begun_at: Timestamp,
    method: Method,
    approval: Option<Approval>,
    /// What a version left out that kept no index.
    index: Option<IndexSession>,
}

/// What is known of somebody whose session is good.
struct Standing {
    known: Option<Member>,
    subject: Option<GivenSubject>,
    /// Whether there was a ticket, and it was taken now.
    taken: bool,
}

/// Whether the person of a session was erased after it began: its end, if it isn't in the index of
/// their sessions, was erased with them. Whoever logs in is known and has a subject; who logs in
/// after an erasure is known only since then. (A subject that came with a UnionID may be older.)
fn was_erased(begun_at: Timestamp, known: Option<&Member>, subject: Option<&GivenSubject>) -> bool {
    let is_later = |time: Timestamp| time.duration_since(begun_at) > CLOCKS_DIFFER_BY;
    match (known, subject) {
        (None, None) => true,
        (Some(known), Some(given)) => {
            is_later(known.first_seen_at) && (given.union.is_some() || is_later(given.given_at))
        }
        _ => false,
    }
}

impl Sessions {
    /// Those of a site, which live for so long.
    pub const fn new(
        realm: Realm,
        lifetime: SessionLifetime,
        rules: SessionRules,
        store: Arc<Store>,
    ) -> Self {
        Self {
            realm,
            lifetime,
            rules,
            store,
        }
    }

    /// How long a session's cookie is of use.
    pub const fn cookie_lifetime(&self) -> Duration {
        self.lifetime.absolute
    }

    /// Who is signed in with this session.
    ///
    /// # Errors
    ///
    /// Redis is unavailable, or somebody who logged in before there were subjects can be given
    /// none.
    pub async fn signed_in(&self, session: &SessionId) -> Result<Option<SignedIn>, SubjectError> {
        let looked = self.look(session, None).await?;
        Ok(looked.map(|(identity, _)| identity.into_signed_in(None)))
    }

    /// Whether somebody is signed in with this session, as far as the session itself tells: here, or
    /// at a client that asks for less.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn is_good(&self, session: &SessionId) -> Result<bool, StoreError> {
        let read = self.read(session.sha256());
        let found = self.store.run(&read).await?;
        Ok(found.is_some() || self.find_older(read.id_sha256).await?.is_some())
    }

    /// Whose session it is, since when, and how they logged in.
    ///
    /// # Errors
    ///
    /// As [`Sessions::signed_in`].
    pub async fn identify(&self, session: &SessionId) -> Result<Option<Identity>, SubjectError> {
        let looked = self.look(session, None).await?;
        Ok(looked.map(|(identity, _)| identity))
    }

    /// As [`Sessions::signed_in`], with the ticket that waits for a browser which came back from
    /// WeChat. It is handed out once.
    ///
    /// # Errors
    ///
    /// As [`Sessions::signed_in`].
    pub async fn signed_in_with_ticket(
        &self,
        session: &SessionId,
    ) -> Result<Option<SignedIn>, SubjectError> {
        let ticket = (self.rules.tickets == TicketIssuing::On).then(|| Ticket::of_session(session));
        let looked = self.look(session, ticket).await?;
        Ok(looked.map(|(identity, ticket)| identity.into_signed_in(ticket)))
    }

    async fn look(
        &self,
        session: &SessionId,
        ticket: Option<Ticket>,
    ) -> Result<Option<(Identity, Option<Ticket>)>, SubjectError> {
        match self.find(session.sha256()).await? {
            Some(found) => self.person(found, ticket).await,
            None => Ok(None),
        }
    }

    pub(super) async fn person(
        &self,
        found: Found,
        ticket: Option<Ticket>,
    ) -> Result<Option<(Identity, Option<Ticket>)>, SubjectError> {
        let Found {
            member,
            begun_at,
            method,
            approval,
            index,
            ..
        } = found;
        let take = ticket
            .as_ref()
            .map(|ticket| ticket.take(self.realm.site.clone()))
            .transpose()?;
        let standing = self
            .standing(&member, begun_at, take.as_ref(), index.as_ref())
            .await?;
        let Some(Standing {
            known,
            subject,
            taken,
        }) = standing
        else {
            return Ok(None);
        };
        // Who logged in before there were any has none.
        let unionid = known.as_ref().and_then(|known| known.unionid.as_deref());
        let subject = subjects::given_or_new(&self.store, subject, &member, unionid).await?;
        let identity = Identity {
            member,
            subject,
            known,
            begun_at,
            method,
            approval,
        };
        Ok(Some((identity, ticket.filter(|_| taken))))
    }

    /// What is known of somebody whose session began then, unless it has ended. In the same round trip
    /// a ticket is taken, and the session put into the index.
    async fn standing(
        &self,
        member: &MemberId,
        begun_at: Timestamp,
        take: Option<&TakeTicket>,
        index: Option<&IndexSession>,
    ) -> Result<Option<Standing>, StoreError> {
        let read = ReadMember {
            member: member.clone(),
        };
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let [ended_here, ended] = self.ends(member);
        let unfollow = self.rules.unfollow_of(member);
        let (known, subject, ended_here, ended, taken, unfollowed, _) = self
            .store
            .run_together((
                &read,
                &read_subject,
                &ended_here,
                &ended,
                take,
                unfollow.as_ref(),
                index,
            ))
            .await?;
        let ended = ended_here.max(ended).max(unfollowed.flatten());
        let is_good = !is_over(begun_at, ended)
            && self.rules.admit(known.as_ref())
            && !was_erased(begun_at, known.as_ref(), subject.as_ref());
        Ok(is_good.then_some(Standing {
            known,
            subject,
            taken: taken == Some(true),
        }))
    }

    /// Whether a session is good, by the SHA-256 of its identifier. Asking doesn't count as using it.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn is_still_good(&self, id_sha256: &str) -> Result<bool, StoreError> {
        let [look, look_older] = self.looks(id_sha256);
        let (seen, seen_older) = self.store.run_both(&look, &look_older).await?;
        let seen = seen.filter(|seen| seen.account == self.realm.account);
        let Some(seen) = seen.or(seen_older) else {
            return Ok(false);
        };
        let standing = self.standing(&seen.member, seen.begun_at, None, None);
        Ok(standing.await?.is_some())
    }

    /// Looks at a session, and at one of a version that knew no sites.
    fn looks(&self, id_sha256: &str) -> [LookAtSession; 2] {
        [Some(self.realm.site.clone()), None].map(|site| LookAtSession {
            site,
            id_sha256: id_sha256.to_owned(),
        })
    }

    pub(super) fn read(&self, id_sha256: String) -> ReadSession {
        ReadSession {
            realm: self.realm.clone(),
            id_sha256,
            lifetime: self.lifetime,
        }
    }

    async fn find(&self, id_sha256: String) -> Result<Option<Found>, StoreError> {
        let read = self.read(id_sha256);
        match self.store.run(&read).await? {
            Some(session) => Ok(self.found(session, read.id_sha256)),
            None => self.find_older(read.id_sha256).await,
        }
    }

    pub(super) async fn find_older(&self, id_sha256: String) -> Result<Option<Found>, StoreError> {
        let read_older = ReadOlderSession {
            id_sha256,
            lifetime: self.lifetime,
        };
        let older = self.store.run(&read_older).await?;
        Ok(older.map(|(member, begun_at)| Found {
            index: Some(IndexSession::of_older(
                &member,
                begun_at,
                read_older.id_sha256,
                self.lifetime,
            )),
            member,
            begun_at,
            // That version didn't keep it, and most people scan.
            method: Method::Scan,
            approval: None,
        }))
    }

    /// `None`: it was begun for a client that asks for less than this site.
    pub(super) fn found(&self, session: Session, id_sha256: String) -> Option<Found> {
        if !self.rules.trust(&session) {
            return None;
        }
        let site = self.realm.site.clone();
        let index = session
            .place
            .is_none()
            .then(|| IndexSession::new(site, id_sha256, &session, self.lifetime));
        Some(Found {
            member: session.member,
            begun_at: session.begun_at,
            method: session.method,
            approval: session.approval,
            index,
        })
    }

    /// The sessions of this person that are good here.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn of(&self, member: &MemberId) -> Result<Vec<PersonsSession>, StoreError> {
        let mut sessions = sessions::of(&self.store, member).await?;
        sessions.retain(|session| {
            let site = session.key.site.as_ref();
            site.is_none_or(|site| *site == self.realm.site)
        });
        Ok(sessions)
    }

    /// Ends one of them.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn end_one(
        &self,
        member: &MemberId,
        session: &PersonsSession,
    ) -> Result<(), StoreError> {
        sessions::end_one(&self.store, member, session, SessionEnd::SignedOut).await
    }

    /// When somebody signed out everywhere at this site, and at all of them.
    fn ends(&self, member: &MemberId) -> [ReadSessionsEnd; 2] {
        [Some(self.realm.site.clone()), None].map(|site| ReadSessionsEnd {
            member: member.clone(),
            site,
        })
    }

    /// Ends all sessions at this site of whoever has this one. Without a session there is nothing to
    /// end.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn sign_out_everywhere(
        &self,
        session: &SessionId,
        secret: Option<&BrowserSecret>,
    ) -> Result<(), StoreError> {
        // Of whichever account it is: clients have accounts of their own.
        let [look, look_older] = self.looks(&session.sha256());
        let (seen, seen_older) = self.store.run_both(&look, &look_older).await?;
        let is_older = seen.is_none();
        if let Some(seen) = seen.or(seen_older) {
            let [ended_here, ended] = self.ends(&seen.member);
            let read_uses = ReadClientUses {
                member: seen.member.clone(),
            };
            let (ended_here, ended, mut uses) = self
                .store
                .run_together((&ended_here, &ended, &read_uses))
                .await?;
            if !is_over(seen.begun_at, ended_here.max(ended)) {
                uses.retain(|used| is_older || *used.site() == self.realm.site);
                let reason = SessionEnd::SignedOut;
                let ends = |session: &PersonsSession| {
                    is_older || session.key.site.as_ref() == Some(&self.realm.site)
                };
                let ending = Ending::look(&self.store, &seen.member, reason, ends).await?;
                ending.tell().await?;
                // Before they end: afterwards this session could end none again, if this failed.
                client_uses::sessions_ended(&self.store, &uses).await?;
                let end = EndAllSessions {
                    member: seen.member.clone(),
                    // Those of the version that knew no sites are good at any.
                    site: (!is_older).then(|| self.realm.site.clone()),
                    lifetime: self.lifetime,
                };
                self.store.run(&end).await?;
                ending.conclude().await?;
            }
        }
        self.sign_out(session, secret).await
    }

    fn forget_redemption(&self, secret: &BrowserSecret) -> ForgetRedemption {
        ForgetRedemption {
            scene: secret.scene(),
            realm: self.realm.clone(),
        }
    }

    /// Makes a redemption unrepeatable whose response, with the session cookie, got lost.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn forget(&self, secret: &BrowserSecret) -> Result<(), StoreError> {
        self.store.run(&self.forget_redemption(secret)).await
    }

    /// Ends a session, and makes the redemption that led to it unrepeatable.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn sign_out(
        &self,
        session: &SessionId,
        secret: Option<&BrowserSecret>,
    ) -> Result<(), StoreError> {
        let forget = secret.map(|secret| self.forget_redemption(secret));
        let id_sha256 = session.sha256();
        let [look, look_older] = self.looks(&id_sha256);
        let read_clients = ReadSessionClients {
            site: self.realm.site.clone(),
            session_sha256: id_sha256.clone(),
        };
        let (seen, seen_older, clients) = self
            .store
            .run_together((&look, &look_older, &read_clients))
            .await?;
        if !clients.is_empty() {
            // Before it ends: afterwards nobody could tell them, if this failed.
            let ended = LogoutTask::Ended {
                session_sha256: id_sha256.clone(),
            };
            client_uses::tell(&self.store, self.realm.site.clone(), vec![ended]).await?;
        }
        let seen = seen.or(seen_older);
        let append = seen
            .as_ref()
            .and_then(|seen| session_ended(seen, &id_sha256, SessionEnd::SignedOut));
        let member = seen.map(|seen| seen.member);
        let [end, end_older] = [Some(self.realm.site.clone()), None].map(|site| EndSession {
            member: member.clone(),
            site,
            id_sha256: id_sha256.clone(),
        });
        sessions::tell_all(&self.store, append.as_slice()).await?;
        let steps = (forget.as_ref(), &end, &end_older);
        self.store.run_together(steps).await.map(|_| ())
    }
}
