//! The people who have met an account.

use std::sync::Arc;

use login_protocol::{
    identity::{AppId, MemberId, OpenId},
    member::Member,
    steps::ReadMember,
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

    /// What is stored of the person with this openid; `None` for somebody unknown, and for what is no
    /// openid.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn find(&self, openid: &str) -> Result<Option<Member>, StoreError> {
        let Ok(openid) = OpenId::parse(openid) else {
            return Ok(None);
        };
        let app_id = self.app_id.clone();
        let member = MemberId { app_id, openid };
        self.store.run(&ReadMember { member }).await
    }
}
