//! The people who have met an account.

use std::sync::Arc;

use login_protocol::{
    identity::{AppId, MemberId, OpenId},
    member::StoredMember,
    session_end::SessionEnd,
    steps::{ReadMember, ReadSubject},
};
use service_kit::{
    redis::{Store, StoreError},
    sessions::{self, PersonsSession},
};

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

impl Members {
    /// Those of this account.
    pub const fn new(app_id: AppId, store: Arc<Store>) -> Self {
        Self { app_id, store }
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
        let app_id = self.app_id.clone();
        let member = MemberId { app_id, openid };
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
        let app_id = self.app_id.clone();
        let member = MemberId { app_id, openid };
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
}
