//! The people who have met an account.

use std::sync::Arc;

use login_protocol::{
    event::Position,
    identity::{AppId, MemberId, OpenId},
    member::StoredMember,
    session_end::SessionEnd,
    steps::{
        BanMember, BlankEvent, EraseMember, EraseSubject, EraseUnion, LiftBan, ListMembers,
        MemberPlace, ReadEvents, ReadMember, ReadSubject, UnindexMember,
    },
};
use service_kit::{
    client_uses,
    redis::{Store, StoreError},
    sessions::{self, PersonsSession},
};

/// How many are read at once.
const BATCH: usize = 200;

/// Those of one account.
pub struct Members {
    app_id: AppId,
    store: Arc<Store>,
}

/// Why there is nothing to list or to end.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// Nobody knows this person.
    #[error("there is no such person")]
    UnknownMember,
    /// The person has no such session.
    #[error("the person has no such session")]
    UnknownSession,
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Some of them, newest first.
pub struct MembersPage {
    /// Who.
    pub members: Vec<StoredMember>,
    /// From where on there are more.
    pub next: Option<MemberPlace>,
}

impl Members {
    /// Those of this account.
    pub const fn new(app_id: AppId, store: Arc<Store>) -> Self {
        Self { app_id, store }
    }

    fn id(&self, openid: OpenId) -> MemberId {
        let app_id = self.app_id.clone();
        MemberId { app_id, openid }
    }

    /// What is stored of the person with this openid, and their subject; `None` for somebody
    /// unknown, and for what is no openid.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn find(&self, openid: &str) -> Result<Option<StoredMember>, StoreError> {
        let Ok(openid) = OpenId::parse(openid) else {
            return Ok(None);
        };
        let member = self.id(openid);
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let (member, subject) = self
            .store
            .run_both(&ReadMember { member }, &read_subject)
            .await?;
        Ok(member.map(|member| StoredMember {
            sub: subject.map(|given| given.subject),
            member,
        }))
    }

    /// The sessions of the person with this openid, at all sites, the newest first.
    ///
    /// # Errors
    ///
    /// Nobody knows them, or Redis failed.
    pub async fn sessions(&self, openid: &str) -> Result<Vec<PersonsSession>, SessionsError> {
        let (_, sessions) = self.known(openid).await?;
        Ok(sessions)
    }

    async fn known(&self, openid: &str) -> Result<(MemberId, Vec<PersonsSession>), SessionsError> {
        let openid = OpenId::parse(openid).map_err(|_| SessionsError::UnknownMember)?;
        let member = self.id(openid);
        let sessions = sessions::of(&self.store, &member).await?;
        if sessions.is_empty() {
            let read = ReadMember {
                member: member.clone(),
            };
            let known = self.store.run(&read).await?;
            known.ok_or(SessionsError::UnknownMember)?;
        }
        Ok((member, sessions))
    }

    /// Ends all of them, and every login that the person has confirmed by now.
    ///
    /// # Errors
    ///
    /// Nobody knows them, or Redis failed.
    pub async fn end_sessions(&self, openid: &str) -> Result<(), SessionsError> {
        let (member, _) = self.known(openid).await?;
        sessions::end_all(&self.store, &member, SessionEnd::Owner).await?;
        Ok(())
    }

    /// Ends one of them.
    ///
    /// # Errors
    ///
    /// Nobody knows them, they have no such session, or Redis failed.
    pub async fn end_session(&self, openid: &str, id: &str) -> Result<(), SessionsError> {
        let (member, sessions) = self.known(openid).await?;
        let session = sessions
            .iter()
            .find(|session| session.key.id_sha256 == id)
            .ok_or(SessionsError::UnknownSession)?;
        sessions::end_one(&self.store, &member, session, SessionEnd::Owner).await?;
        Ok(())
    }

    /// Up to `limit` of them before a place, newest first: all, or only those who follow, or don't.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn page(
        &self,
        mut before: Option<MemberPlace>,
        limit: usize,
        subscribed: Option<bool>,
    ) -> Result<MembersPage, StoreError> {
        let mut members = Vec::new();
        let mut next = None;
        loop {
            let list = ListMembers {
                app_id: self.app_id.clone(),
                before,
                limit: BATCH,
            };
            let places = self.store.run(&list).await?;
            let is_last = places.len() < BATCH;
            let ids = || places.iter().map(|place| self.id(place.openid.clone()));
            let read: Vec<ReadMember> = ids().map(|member| ReadMember { member }).collect();
            let read_subjects: Vec<ReadSubject> =
                ids().map(|member| ReadSubject { member }).collect();
            let known = self.store.run_all(&read).await?;
            let subjects = self.store.run_all(&read_subjects).await?;
            for ((place, known), subject) in places.iter().zip(known).zip(subjects) {
                let Some(member) = known else {
                    // Their record has ended: whoever logged in inside WeChat is kept for a while.
                    let member = self.id(place.openid.clone());
                    self.store.run(&UnindexMember { member }).await?;
                    continue;
                };
                if subscribed.is_some_and(|subscribed| subscribed != member.subscribed) {
                    continue;
                }
                if members.len() == limit {
                    return Ok(MembersPage { members, next });
                }
                members.push(StoredMember {
                    sub: subject.map(|given| given.subject),
                    member,
                });
                next = Some(place.clone());
            }
            if is_last {
                return Ok(MembersPage {
                    members,
                    next: None,
                });
            }
            before = places.last().cloned();
        }
    }

    /// Erases the person with this openid: sessions, subject, events, and what is stored of them.
    /// Whether there was anything. It can be repeated, and has to be after an error.
    ///
    /// # Errors
    ///
    /// Redis failed: something may be left.
    pub async fn erase(&self, openid: &str) -> Result<bool, StoreError> {
        let Ok(openid) = OpenId::parse(openid) else {
            return Ok(false);
        };
        let member = self.id(openid);
        let read = ReadSubject {
            member: member.clone(),
        };
        let given = self.store.run(&read).await?;
        let union = given.and_then(|given| {
            Some(EraseUnion {
                union: given.union?,
                subject: given.subject,
            })
        });
        let erase_subject = EraseSubject {
            member: member.clone(),
        };
        let unindex = UnindexMember {
            member: member.clone(),
        };
        sessions::end_all(&self.store, &member, SessionEnd::Deleted).await?;
        client_uses::erase(&self.store, &member).await?;
        if let Some(union) = union {
            self.store.run(&union).await?;
        }
        self.erase_events(&member).await?;
        let erase = EraseMember { member };
        let ((), had_subject, was_known) = self
            .store
            .run_together((&unindex, &erase_subject, &erase))
            .await?;
        Ok(had_subject || was_known)
    }

    /// Bans the person with this openid, who is signed out everywhere at once.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn ban(&self, openid: OpenId) -> Result<(), StoreError> {
        let member = self.id(openid);
        let ban = BanMember {
            member: member.clone(),
        };
        self.store.run(&ban).await?;
        sessions::end_all(&self.store, &member, SessionEnd::Banned).await?;
        Ok(())
    }

    /// Lets the person with this openid in again.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn lift_ban(&self, openid: OpenId) -> Result<(), StoreError> {
        let member = self.id(openid);
        self.store.run(&LiftBan { member }).await
    }

    async fn erase_events(&self, member: &MemberId) -> Result<(), StoreError> {
        let mut after = Position::BEGINNING;
        loop {
            let limit = BATCH;
            let events = self.store.run(&ReadEvents { after, limit }).await?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            after = last.position;
            let theirs = events.into_iter().filter(|kept| {
                let happening = kept.happening.as_ref();
                happening.is_some_and(|happening| happening.member_id() == *member)
            });
            for found in theirs {
                let mut found = Some(found);
                // One that is being filled in has another text by then.
                while let Some(kept) = found {
                    let position = kept.position;
                    if self.store.run(&BlankEvent { found: kept }).await? {
                        break;
                    }
                    let read = login_protocol::steps::ReadEvent { position };
                    let again = self.store.run(&read).await?;
                    found = again.filter(|kept| kept.happening.is_some());
                }
            }
        }
    }
}
