//! Who is signed in, and signing out: here, or everywhere.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    identity::MemberId,
    member::Member,
    method::Method,
    scene::BrowserSecret,
    site::Realm,
    steps::{
        EndAllSessions, EndSession, ForgetRedemption, ReadMember, ReadOlderSession, ReadSession,
        ReadSessionsEnd, ReadSubject, SessionLifetime,
    },
    subject::Subject,
};
use service_kit::{
    redis::{Store, StoreError},
    subjects::{self, SubjectError},
};

use super::identifier::SessionId;
use crate::user::User;

/// The sessions of this site.
pub struct Sessions {
    realm: Realm,
    lifetime: SessionLifetime,
    store: Arc<Store>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
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
}

impl SignedIn {
    /// Whether they follow the account, as far as is known.
    pub fn is_following(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.subscribed)
    }
}

impl From<SignedIn> for User {
    fn from(signed_in: SignedIn) -> Self {
        Self::new(&signed_in.member, signed_in.subject, signed_in.known)
    }
}

/// A session that hasn't ended by itself.
struct Found {
    member: MemberId,
    begun_at: Timestamp,
    method: Method,
    /// Whether a version began it that knew no sites.
    is_older: bool,
}

impl Sessions {
    /// Those of a site, which live for so long.
    pub const fn new(realm: Realm, lifetime: SessionLifetime, store: Arc<Store>) -> Self {
        Self {
            realm,
            lifetime,
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
    pub async fn signed_in(&self, session: &SessionId) -> Result<Option<User>, SubjectError> {
        Ok(self.identify(session).await?.map(User::from))
    }

    /// Whether somebody is signed in with this session, as far as the session itself tells.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn is_good(&self, session: &SessionId) -> Result<bool, StoreError> {
        Ok(self.find(session).await?.is_some())
    }

    /// Who is signed in with this session, since when, and how.
    ///
    /// # Errors
    ///
    /// As [`Sessions::signed_in`].
    pub async fn identify(&self, session: &SessionId) -> Result<Option<SignedIn>, SubjectError> {
        let Some(Found {
            member,
            begun_at,
            method,
            ..
        }) = self.find(session).await?
        else {
            return Ok(None);
        };
        let read = ReadMember {
            member: member.clone(),
        };
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let [ended_here, ended] = self.ends(&member);
        let (known, subject, ended_here, ended) = self
            .store
            .run_together((&read, &read_subject, &ended_here, &ended))
            .await?;
        if is_over(begun_at, ended_here.max(ended)) {
            return Ok(None);
        }
        // Who logged in before there were any has none.
        let unionid = known.as_ref().and_then(|known| known.unionid.as_deref());
        let subject = subjects::given_or_new(&self.store, subject, &member, unionid).await?;
        Ok(Some(SignedIn {
            member,
            subject,
            known,
            begun_at,
            method,
        }))
    }

    async fn find(&self, session: &SessionId) -> Result<Option<Found>, StoreError> {
        let read = ReadSession {
            realm: self.realm.clone(),
            id_sha256: session.sha256(),
            lifetime: self.lifetime,
        };
        if let Some(session) = self.store.run(&read).await? {
            return Ok(Some(Found {
                member: session.member,
                begun_at: session.begun_at,
                method: session.method,
                is_older: false,
            }));
        }
        let read_older = ReadOlderSession {
            id_sha256: read.id_sha256,
            lifetime: self.lifetime,
        };
        let older = self.store.run(&read_older).await?;
        Ok(older.map(|(member, begun_at)| Found {
            member,
            begun_at,
            // That version didn't keep it, and most people scan.
            method: Method::Scan,
            is_older: true,
        }))
    }

    /// When somebody signed out everywhere at this site, and at all of them.
    fn ends(&self, member: &MemberId) -> [ReadSessionsEnd; 2] {
        [Some(self.realm.site.clone()), None].map(|site| ReadSessionsEnd {
            member: member.clone(),
            site,
        })
    }

    /// Ends all sessions at this site of whoever has this one, and says who that is. Without a
    /// session there is nothing to end.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn sign_out_everywhere(
        &self,
        session: &SessionId,
        secret: Option<&BrowserSecret>,
    ) -> Result<Option<MemberId>, StoreError> {
        let mut whose = None;
        if let Some(found) = self.find(session).await? {
            let [ended_here, ended] = self.ends(&found.member);
            let (ended_here, ended) = self.store.run_both(&ended_here, &ended).await?;
            if !is_over(found.begun_at, ended_here.max(ended)) {
                whose = Some(found.member.clone());
                let end = EndAllSessions {
                    member: found.member,
                    // Those of the version that knew no sites are good at any.
                    site: (!found.is_older).then(|| self.realm.site.clone()),
                    lifetime: self.lifetime,
                };
                self.store.run(&end).await?;
            }
        }
        self.sign_out(session, secret).await?;
        Ok(whose)
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
        let [end, end_older] = [Some(self.realm.site.clone()), None].map(|site| EndSession {
            site,
            id_sha256: id_sha256.clone(),
        });
        let steps = (forget.as_ref(), &end, &end_older);
        self.store.run_together(steps).await.map(|_| ())
    }
}

/// Whether a session that began then was ended with all of its person's.
pub(crate) fn is_over(begun_at: Timestamp, ended_at: Option<Timestamp>) -> bool {
    ended_at.is_some_and(|ended_at| begun_at <= ended_at)
}
