//! The people who have met an account.

use std::sync::Arc;

use login_protocol::{
    identity::{AppId, MemberId, OpenId},
    member::StoredMember,
    steps::{ReadMember, ReadSubject},
};
use service_kit::redis::{Store, StoreError};

/// Those of one account.
pub struct Members {
    app_id: AppId,
    store: Arc<Store>,
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
}
