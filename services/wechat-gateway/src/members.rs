//! The people who have met an account.

use std::sync::Arc;

use login_protocol::{
    account::AccountName,
    attempt::AttemptStatus,
    event::{Happening, Kept, Position},
    identity::{AppId, MemberId, OpenId},
    member::{Member, StoredMember},
    session_end::SessionEnd,
    steps::{
        DropPlace, EraseAttempt, EraseMember, EraseSessionsEnd, EraseSubject, EraseUnion,
        FillEvent, ForgetGuesses, ForgetPersonsAttempts, ListMembers, MemberPlace, ReadEvent,
        ReadEvents, ReadMember, ReadNewestEvent, ReadPersonsAttempts, ReadScan, ReadSubject,
        RefuseAttempt, UnindexMember, webhooks::ForgetDeliveries,
    },
    webhook::WebhookName,
};
use service_kit::{
    bans::{self, BanError},
    client_uses, events,
    random::NoRandomness,
    redis::{Store, StoreError},
    sessions::{self, PersonsSession},
};

use crate::{
    audit::{Act, Actor, AuditError, OwnerAction},
    push::happenings::denied_by_ban,
};

/// How many are looked up in the index at once, for those who follow or don't.
const BATCH: usize = 200;

/// How many are read at once: Redis does nothing else meanwhile, and others wait for less than a
/// millisecond.
const READ_AT_ONCE: usize = 25;

/// How many are looked at for a page of those who follow, or don't. A page may have fewer than were
/// asked for, and be followed by others.
const LOOKED_AT: usize = 2000;

/// Those of one account.
pub struct Members {
    account: AccountName,
    app_id: AppId,
    store: Arc<Store>,
    webhooks: Vec<WebhookName>,
}

/// Why there is nothing to list, or something isn't done.
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
    /// There are no random bytes for the key of bans.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl From<AuditError> for SessionsError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Store(error) => Self::Store(error),
            AuditError::Randomness(error) => Self::Randomness(error),
        }
    }
}

impl From<BanError> for SessionsError {
    fn from(error: BanError) -> Self {
        match error {
            BanError::Store(error) => Self::Store(error),
            BanError::Randomness(error) => Self::Randomness(error),
        }
    }
}

/// Some of them, newest first.
pub struct MembersPage {
    /// Who.
    pub members: Vec<StoredMember>,
    /// From where on there are more.
    pub next: Option<MemberPlace>,
}

impl MembersPage {
    fn new(members: Vec<(MemberPlace, StoredMember)>, next: Option<MemberPlace>) -> Self {
        Self {
            members: members.into_iter().map(|(_, member)| member).collect(),
            next,
        }
    }
}

impl Members {
    /// Those of this account. The webhooks are told what happens to them.
    pub const fn new(
        account: AccountName,
        app_id: AppId,
        store: Arc<Store>,
        webhooks: Vec<WebhookName>,
    ) -> Self {
        Self {
            account,
            app_id,
            store,
            webhooks,
        }
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
        let banned = bans::is_banned(&self.store, &member).await?;
        let (member, subject) = self
            .store
            .run_both(&ReadMember { member }, &read_subject)
            .await?;
        Ok(member.map(|member| StoredMember {
            sub: subject.map(|given| given.subject),
            member: Member { banned, ..member },
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

    /// Something that is done at this account.
    fn act(&self, actor: &Actor, action: OwnerAction) -> Act {
        Act::new(actor.clone(), action).at(&self.account, &self.app_id)
    }

    /// Keeps that somebody reads them all.
    ///
    /// # Errors
    ///
    /// Redis failed, or there are no random bytes.
    pub async fn note_export(&self, actor: &Actor) -> Result<(), AuditError> {
        let act = self.act(actor, OwnerAction::Export);
        act.record(&self.store).await
    }

    /// Ends all of them, and every login that the person has confirmed by now.
    ///
    /// # Errors
    ///
    /// Nobody knows them, or Redis failed.
    pub async fn end_sessions(&self, openid: &str, actor: &Actor) -> Result<(), SessionsError> {
        let (member, _) = self.known(openid).await?;
        let act = self.act(actor, OwnerAction::EndSessions).to(&member);
        act.record(&self.store).await?;
        sessions::end_all(&self.store, &member, SessionEnd::Owner).await?;
        Ok(())
    }

    /// Ends one of them.
    ///
    /// # Errors
    ///
    /// Nobody knows them, they have no such session, or Redis failed.
    pub async fn end_session(
        &self,
        openid: &str,
        id: &str,
        actor: &Actor,
    ) -> Result<(), SessionsError> {
        let (member, sessions) = self.known(openid).await?;
        let session = sessions
            .iter()
            .find(|session| session.key.id_sha256 == id)
            .ok_or(SessionsError::UnknownSession)?;
        let act = self.act(actor, OwnerAction::EndSession).to(&member);
        act.record(&self.store).await?;
        sessions::end_one(&self.store, &member, session, SessionEnd::Owner).await?;
        Ok(())
    }

    /// Up to `limit` of them before a place, newest first: all, or only those who follow, or don't. A
    /// page without `next` is the last one, and no other is.
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
        let mut looked_at = 0;
        loop {
            // One more, to know whether there are more.
            let missing = limit + 1 - members.len();
            let ask = ListMembers {
                app_id: self.app_id.clone(),
                before,
                limit: subscribed.map_or(missing, |_| BATCH.max(missing)),
            };
            let places = self.store.run(&ask).await?;
            let is_last = places.len() < ask.limit;
            for (place, stored) in places.iter().zip(self.stored(&places).await?) {
                let wanted = stored.filter(|stored| {
                    subscribed.is_none_or(|subscribed| subscribed == stored.member.subscribed)
                });
                let Some(wanted) = wanted else {
                    continue;
                };
                if members.len() == limit {
                    let last: &(MemberPlace, _) = &members[limit - 1];
                    let next = Some(last.0.clone());
                    return Ok(MembersPage::new(members, next));
                }
                members.push((place.clone(), wanted));
            }
            looked_at += places.len();
            before = places.last().cloned();
            if is_last || looked_at >= LOOKED_AT {
                return Ok(MembersPage::new(members, before.filter(|_| !is_last)));
            }
        }
    }

    /// What is stored of those at these places.
    async fn stored(
        &self,
        places: &[MemberPlace],
    ) -> Result<Vec<Option<StoredMember>>, StoreError> {
        let mut stored = Vec::with_capacity(places.len());
        for places in places.chunks(READ_AT_ONCE) {
            stored.extend(self.read(places).await?);
        }
        Ok(stored)
    }

    /// Reads those at some places. A place whose record has ended is given up: whoever logged in inside
    /// WeChat is kept for a while.
    async fn read(&self, places: &[MemberPlace]) -> Result<Vec<Option<StoredMember>>, StoreError> {
        let ids = || places.iter().map(|place| self.id(place.openid.clone()));
        let read: Vec<ReadMember> = ids().map(|member| ReadMember { member }).collect();
        let read_subjects: Vec<ReadSubject> = ids().map(|member| ReadSubject { member }).collect();
        let people = places.iter().map(|place| place.openid.clone()).collect();
        let (known, subjects, banned) = tokio::try_join!(
            self.store.run_all(&read),
            self.store.run_all(&read_subjects),
            bans::are_banned(&self.store, &self.app_id, people),
        )?;
        let ended = places
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none());
        let drops: Vec<DropPlace> = ended
            .map(|(place, _)| DropPlace {
                app_id: self.app_id.clone(),
                place: place.clone(),
            })
            .collect();
        self.store.run_all(&drops).await?;
        let known = known.into_iter().zip(subjects).zip(banned);
        Ok(known
            .map(|((member, subject), banned)| {
                member.map(|member| StoredMember {
                    sub: subject.map(|given| given.subject),
                    member: Member { banned, ..member },
                })
            })
            .collect())
    }

    /// Erases the person with this openid: sessions and what clients have of them, attempts, subject,
    /// events, and what is stored of them. A ban stays. Whether there was anything. It can be
    /// repeated, and has to be after an error.
    ///
    /// # Errors
    ///
    /// Redis failed: something may be left.
    pub async fn erase(&self, openid: &str, actor: &Actor) -> Result<bool, AuditError> {
        let Ok(openid) = OpenId::parse(openid) else {
            return Ok(false);
        };
        let member = self.id(openid);
        let read = ReadSubject {
            member: member.clone(),
        };
        let read_member = ReadMember {
            member: member.clone(),
        };
        let (given, known) = self.store.run_both(&read, &read_member).await?;
        if given.is_some() || known.is_some() {
            // Not whom: nothing of them stays.
            let act = self.act(actor, OwnerAction::Erase);
            act.record(&self.store).await?;
        }
        let union = given.and_then(|given| {
            Some(EraseUnion {
                union: given.union?,
                subject: given.subject,
            })
        });
        sessions::end_all(&self.store, &member, SessionEnd::Deleted).await?;
        client_uses::erase(&self.store, &member).await?;
        self.erase_attempts(&member).await?;
        // What came of an attempt until it was erased.
        sessions::end_all(&self.store, &member, SessionEnd::Deleted).await?;
        client_uses::erase(&self.store, &member).await?;
        if let Some(union) = union {
            self.store.run(&union).await?;
        }
        self.erase_events(&member).await?;
        let sessions_end = EraseSessionsEnd {
            member: member.clone(),
        };
        let guesses = ForgetGuesses {
            member: member.clone(),
        };
        let subject = EraseSubject {
            member: member.clone(),
        };
        let stored = EraseMember {
            member: member.clone(),
        };
        // Behind the record: who indexes the records that there are looks again.
        let unindex = UnindexMember { member };
        let ((), (), had_subject, was_known, ()) = self
            .store
            .run_together((&sessions_end, &guesses, &subject, &stored, &unindex))
            .await?;
        Ok(had_subject || was_known)
    }

    async fn erase_attempts(&self, member: &MemberId) -> Result<(), StoreError> {
        let read = ReadPersonsAttempts {
            member: member.clone(),
        };
        let scenes = self.store.run(&read).await?;
        let erase: Vec<EraseAttempt> = scenes
            .into_iter()
            .map(|scene| EraseAttempt {
                scene,
                member: member.clone(),
            })
            .collect();
        self.store.run_all(&erase).await?;
        let forget = ForgetPersonsAttempts {
            member: member.clone(),
        };
        self.store.run(&forget).await
    }

    /// Bans the person with this openid, known or not. They are signed out everywhere at once, and
    /// their open logins are denied.
    ///
    /// # Errors
    ///
    /// Redis failed, or there are no random bytes.
    pub async fn ban(&self, openid: OpenId, actor: &Actor) -> Result<(), BanError> {
        let member = self.id(openid);
        let append = self.act(actor, OwnerAction::Ban).to(&member).append()?;
        self.store.run(&append).await?;
        // First: what is confirmed from here on is refused where it is completed.
        bans::ban(&self.store, member.clone()).await?;
        sessions::end_all(&self.store, &member, SessionEnd::Banned).await?;
        self.refuse_attempts(&member).await?;
        Ok(())
    }

    async fn refuse_attempts(&self, member: &MemberId) -> Result<(), StoreError> {
        let read = ReadPersonsAttempts {
            member: member.clone(),
        };
        for scene in self.store.run(&read).await? {
            let refuse = RefuseAttempt {
                scene,
                member: member.clone(),
            };
            let read = ReadScan {
                scene: refuse.scene.clone(),
                account: self.account.clone(),
            };
            // What is completed from here on is refused and told there.
            let is_open = self.store.run(&read).await?.is_some_and(|scan| {
                let is_completed = scan.status == AttemptStatus::Consumed;
                !is_completed && scan.member.as_ref() == Some(member)
            });
            if !is_open {
                continue;
            }
            let stored = self.find(member.openid.as_str()).await?;
            let (sub, known) =
                stored.map_or((None, None), |stored| (stored.sub, Some(stored.member)));
            let append = denied_by_ban(&self.account, member, &refuse.scene, sub, known);
            self.store.run_both(&append, &refuse).await?;
        }
        Ok(())
    }

    /// Lets the person with this openid in again.
    ///
    /// # Errors
    ///
    /// Redis failed, or there are no random bytes.
    pub async fn lift_ban(&self, openid: OpenId, actor: &Actor) -> Result<(), BanError> {
        let member = self.id(openid);
        let append = self.act(actor, OwnerAction::LiftBan).to(&member).append()?;
        self.store.run(&append).await?;
        Ok(bans::lift(&self.store, member).await?)
    }

    /// Nothing of these events is left to be sent, nor to be sent again.
    async fn forget_deliveries(&self, events: Vec<Position>) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let forget: Vec<ForgetDeliveries> = self
            .webhooks
            .iter()
            .map(|webhook| ForgetDeliveries {
                webhook: webhook.clone(),
                events: events.clone(),
            })
            .collect();
        self.store.run_all(&forget).await?;
        Ok(())
    }

    /// What somebody did as an owner stays, and that it was them doesn't.
    async fn forget_owner(&self, events: &[Kept], member: &MemberId) -> Result<(), StoreError> {
        let was_by = |kept: &Kept| {
            let owner = kept.happening.as_ref().and_then(Happening::owner);
            owner == Some(member.openid.as_str())
        };
        for found in events.iter().filter(|kept| was_by(kept)) {
            let mut found = Some(found.clone());
            // One that is being filled in has another text by then.
            while let Some(kept) = found.filter(was_by) {
                let position = kept.position;
                let Some(happening) = kept.happening.clone() else {
                    break;
                };
                let without = FillEvent {
                    found: kept,
                    happening: happening.done_by(None),
                };
                if self.store.run(&without).await? {
                    break;
                }
                found = self.store.run(&ReadEvent { position }).await?;
            }
        }
        Ok(())
    }

    async fn erase_events(&self, member: &MemberId) -> Result<(), StoreError> {
        // What comes meanwhile isn't theirs, and would make this endless.
        let Some(newest) = self.store.run(&ReadNewestEvent).await? else {
            return Ok(());
        };
        let mut after = Position::BEGINNING;
        while after < newest {
            let limit = BATCH;
            let found = self.store.run(&ReadEvents { after, limit }).await?;
            let Some(last) = found.last() else {
                return Ok(());
            };
            after = last.position;
            self.forget_owner(&found, member).await?;
            let theirs = found.into_iter().filter(|kept| {
                let happening = kept.happening.as_ref();
                happening.is_some_and(|happening| happening.member_id().as_ref() == Some(member))
            });
            let mut erased = Vec::new();
            for found in theirs {
                erased.push(found.position);
                // It may be filled in meanwhile.
                events::take_back(&self.store, found.position, |_| true).await?;
            }
            self.forget_deliveries(erased).await?;
        }
        Ok(())
    }
}
