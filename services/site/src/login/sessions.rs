//! Who is signed in, and signing out: here, or everywhere.

use jiff::Timestamp;
use login_protocol::{
    identity::MemberId,
    member::Member,
    scene::BrowserSecret,
    steps::{
        EndAllSessions, EndSession, ForgetRedemption, ReadMember, ReadSession, ReadSessionsEnd,
        Session,
    },
};
use service_kit::redis::StoreError;

use super::{Logins, User};
use crate::session::SessionId;

impl Logins {
    /// Who is signed in with this session.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn signed_in(&self, session: &SessionId) -> Result<Option<User>, StoreError> {
        let known = self.session(session).await?;
        Ok(known.map(|(member, known)| User::new(&member, known)))
    }

    async fn session(
        &self,
        session: &SessionId,
    ) -> Result<Option<(MemberId, Option<Member>)>, StoreError> {
        let step = ReadSession {
            id_sha256: session.sha256(),
            lifetime: self.session_lifetime,
        };
        let Some(Session { member, begun_at }) = self.store.run(&step).await? else {
            return Ok(None);
        };
        let read = ReadMember {
            member: member.clone(),
        };
        let ended = ReadSessionsEnd {
            member: member.clone(),
        };
        let (known, ended_at) = self.store.run_both(&read, &ended).await?;
        Ok((!is_over(begun_at, ended_at)).then_some((member, known)))
    }

    /// Ends all sessions of whoever has this one. Without a session there is nothing to end.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn sign_out_everywhere(
        &self,
        session: &SessionId,
        secret: Option<&BrowserSecret>,
    ) -> Result<(), StoreError> {
        if let Some((member, _)) = self.session(session).await? {
            let end = EndAllSessions {
                member,
                lifetime: self.session_lifetime,
            };
            self.store.run(&end).await?;
        }
        self.sign_out(session, secret).await
    }

    /// Ends the repeatability of a redemption whose answer, with the session's cookie, got lost.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn forget(&self, secret: &BrowserSecret) -> Result<(), StoreError> {
        let forget = ForgetRedemption {
            scene: secret.scene(),
            realm: self.site.realm.clone(),
        };
        self.store.run(&forget).await
    }

    /// Ends a session, and the repeatability of the redemption that led to it.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn sign_out(
        &self,
        session: &SessionId,
        secret: Option<&BrowserSecret>,
    ) -> Result<(), StoreError> {
        let end = EndSession {
            id_sha256: session.sha256(),
        };
        match secret {
            Some(secret) => {
                let forget = ForgetRedemption {
                    scene: secret.scene(),
                    realm: self.site.realm.clone(),
                };
                let both = self.store.run_both(&forget, &end).await;
                both.map(|((), ())| ())
            }
            None => self.store.run(&end).await,
        }
    }
}

/// Whether a session that began then was ended with all of its person's.
pub(super) fn is_over(begun_at: Timestamp, ended_at: Option<Timestamp>) -> bool {
    ended_at.is_some_and(|ended_at| begun_at <= ended_at)
}
