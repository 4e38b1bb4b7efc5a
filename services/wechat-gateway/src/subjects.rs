//! Giving subjects with a login.

use std::sync::Arc;

use login_protocol::{
    identity::MemberId,
    steps::{ClaimUnion, GiveSubject, GivenSubject, NoteUnion},
    subject::UnionDigest,
};
use service_kit::{
    redis::{Store, StoreError},
    subjects::{self, SubjectError},
};

/// Gives people their subjects.
pub struct Subjects {
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
    /// In this store.
    pub const fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// What there is to do for somebody who logs in with this subject and this UnionID, as far as
    /// they are known. Redis is asked only about the UnionID of somebody without a subject.
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
