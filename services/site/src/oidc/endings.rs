//! Ends of sessions: what came of them at clients ends as well, and the clients hear of it.

use login_protocol::{
    identity::MemberId,
    steps::oidc::{EndGrant, EndSessionGrants, ReadMemberSessions, SettleSessionEnd},
};
use service_kit::redis::StoreError;

use super::{
    backchannel::{self, Ended},
    id_token,
    provider::Provider,
};

impl Provider {
    /// A session has ended: so does what came of it without `offline_access`, and its clients hear
    /// of it.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn session_ended(&self, session_sha256: &str) -> Result<(), StoreError> {
        let end = EndSessionGrants {
            site: self.site.clone(),
            session_sha256: session_sha256.to_owned(),
        };
        let ended = self.store.run(&end).await?;
        let grants: Vec<EndGrant> = ended
            .grants
            .into_iter()
            .map(|grant| EndGrant {
                site: self.site.clone(),
                grant,
            })
            .collect();
        self.store.run_all(&grants).await?;
        for (client, sub) in ended.clients {
            // One that was removed from the settings hears nothing.
            if let Some(client) = self.clients.named(&client) {
                let sid = id_token::session_name(session_sha256);
                let ended = Ended { sub, sid };
                backchannel::tell(self, client, &ended);
            }
        }
        let settle = SettleSessionEnd {
            site: self.site.clone(),
            session_sha256: session_sha256.to_owned(),
        };
        self.store.run(&settle).await
    }

    /// All of a person's sessions at this site have ended.
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub async fn all_sessions_ended(&self, member: &MemberId) -> Result<(), StoreError> {
        let read = ReadMemberSessions {
            site: self.site.clone(),
            member: member.clone(),
        };
        for session in self.store.run(&read).await? {
            self.session_ended(&session).await?;
        }
        Ok(())
    }
}
