//! Giving subjects with a login.

use std::sync::Arc;

use login_protocol::{
    account::AccountName,
    event::{EventKind, Happening, Occasion},
    identity::MemberId,
    steps::{AppendEvent, ClaimUnion, GiveSubject, GivenSubject, NoteUnion, ReadUnion},
    subject::{Subject, UnionDigest},
};
use service_kit::{
    redis::{Store, StoreError},
    subjects::{self, SubjectError},
};

/// Gives people their subjects.
pub struct Subjects {
    account: AccountName,
    store: Arc<Store>,
}

/// The steps that go with a login, before it is told.
#[derive(Debug, Default)]
pub struct Naming {
    /// Somebody who has no subject gets one.
    pub give: Option<GiveSubject>,
    /// Who has one, and whose UnionID was learned since, is found by it under other accounts.
    pub claim: Option<ClaimUnion>,
    /// Keeps that they are.
    pub note: Option<NoteUnion>,
}

impl Subjects {
    /// To this account's people.
    pub const fn new(account: AccountName, store: Arc<Store>) -> Self {
        Self { account, store }
    }

    /// Tells that one person has two subjects, before it is kept who of them is found by the UnionID.
    async fn tell_conflict(
        &self,
        member: &MemberId,
        own: &Subject,
        union: &UnionDigest,
    ) -> Result<(), StoreError> {
        const KIND: EventKind = EventKind::MemberUnionidConflict;
        let read = ReadUnion {
            union: union.clone(),
        };
        let Some(other) = self.store.run(&read).await?.filter(|other| other != own) else {
            return Ok(());
        };
        let subs = [other.as_str(), own.as_str()].map(str::to_owned).to_vec();
        let append = AppendEvent {
            occasion: Occasion::of_pair(KIND, [&other, own]),
            happening: Happening::new(KIND, self.account.clone(), member).with("subs", subs),
            opens: false,
        };
        self.store.run(&append).await?;
        Ok(())
    }

    /// What there is to do for somebody who logs in with this subject and this UnionID, as far as
    /// they are known. Redis is asked only about a UnionID that wasn't known before, once.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn name(
        &self,
        member: &MemberId,
        subject: Option<GivenSubject>,
        unionid: Option<&str>,
    ) -> Result<Naming, StoreError> {
        let Some(given) = subject else {
            return match subjects::prepare(&self.store, member.clone(), unionid).await {
                Ok(give) => Ok(Naming {
                    give: Some(give),
                    ..Naming::default()
                }),
                Err(SubjectError::Store(error)) => Err(error),
                // The login goes on, and the site tries again.
                Err(SubjectError::Randomness(error)) => {
                    error.log();
                    Ok(Naming::default())
                }
            };
        };
        let union = unionid
            .map(UnionDigest::of)
            .filter(|union| given.union.as_ref() != Some(union));
        let Some(union) = union else {
            return Ok(Naming::default());
        };
        self.tell_conflict(member, &given.subject, &union).await?;
        Ok(Naming {
            give: None,
            claim: Some(ClaimUnion {
                union: union.clone(),
                subject: given.subject,
                given_at: Some(given.given_at),
            }),
            note: Some(NoteUnion {
                member: member.clone(),
                union,
            }),
        })
    }
}
