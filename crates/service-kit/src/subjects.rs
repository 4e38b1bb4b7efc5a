//! Giving people their subjects, which both services do: the gateway with the scan, and the site to
//! those who logged in before there were any.

use login_protocol::{
    identity::MemberId,
    steps::{ClaimUnion, GiveSubject, GivenSubject},
    subject::{Subject, UnionDigest},
};

use crate::{
    problem::Problem,
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};

/// Why somebody has no subject.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no subject to be had.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl SubjectError {
    /// Logs that a request failed because of it.
    pub fn log(&self) {
        match self {
            Self::Store(error) => error.log(),
            Self::Randomness(error) => error.log(),
        }
    }
}

/// The step that gives somebody a subject who seems to have none: the one of their UnionID, if it
/// is known under another account, or else a new one. Without a UnionID Redis isn't asked.
///
/// # Errors
///
/// Redis failed, or there are no random bytes.
pub async fn prepare(
    store: &Store,
    member: MemberId,
    unionid: Option<&str>,
) -> Result<GiveSubject, SubjectError> {
    let subject = Subject::from_random(random::bytes()?);
    let Some(unionid) = unionid else {
        return Ok(GiveSubject {
            member,
            subject,
            given_at: None,
            union: None,
        });
    };
    let claim = ClaimUnion {
        union: UnionDigest::of(unionid),
        subject,
        given_at: None,
    };
    let (subject, given_at) = store.run(&claim).await?;
    Ok(GiveSubject {
        member,
        subject,
        given_at: Some(given_at),
        union: Some(claim.union),
    })
}

/// The subject that somebody was read to have; who had none is given one.
///
/// # Errors
///
/// As [`prepare`].
pub async fn given_or_new(
    store: &Store,
    read: Option<GivenSubject>,
    member: &MemberId,
    unionid: Option<&str>,
) -> Result<Subject, SubjectError> {
    if let Some(given) = read {
        return Ok(given.subject);
    }
    Ok(give(store, member.clone(), unionid).await?.subject)
}

/// Gives somebody a subject, unless they have one by now.
///
/// # Errors
///
/// As [`prepare`].
pub async fn give(
    store: &Store,
    member: MemberId,
    unionid: Option<&str>,
) -> Result<GivenSubject, SubjectError> {
    let give = prepare(store, member, unionid).await?;
    Ok(store.run(&give).await?)
}

impl From<SubjectError> for Problem {
    /// What a client reads. The log has the details.
    fn from(error: SubjectError) -> Self {
        match error {
            SubjectError::Store(error) => error.into(),
            SubjectError::Randomness(error) => error.into(),
        }
    }
}
