//! Ends of sessions: what came of them at clients ends as well, and the clients hear of it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::steps::oidc::{
    DropSessionClients, EndGrant, EndSessionGrants, Logout, LogoutQueue, LogoutTask, QueueLogouts,
    ReadSessionClients, SettleSessionEnd,
};
use service_kit::redis::StoreError;
use sha2::{Digest as _, Sha256};

use super::{id_token, provider::Provider};

/// The name of a logout token: the same, however often this end is dealt with.
fn logout_id(session_sha256: &str, client: &str, occasion: &str) -> String {
    let mut digest = Sha256::new();
    for part in ["wechat-login logout", session_sha256, client, occasion] {
        digest.update(part);
        digest.update([0]);
    }
    URL_SAFE_NO_PAD.encode(&digest.finalize()[..16])
}

impl Provider {
    /// Sessions have ended that were queued: they are dealt with at once.
    pub fn look_for_endings(&self) {
        self.logouts.notify_one();
    }

    /// A session has ended: so does what came of it without `offline_access`, and its clients are
    /// going to hear of it. It can be repeated, and has to be after an error.
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
        if ended.clients.is_empty() && ended.grants.is_empty() {
            return Ok(());
        }
        let grants: Vec<EndGrant> = ended
            .grants
            .into_iter()
            .map(|grant| EndGrant {
                site: self.site.clone(),
                grant,
            })
            .collect();
        self.store.run_all(&grants).await?;
        let occasion = ended.ended_at_ms.to_string();
        self.queue(session_sha256, &ended.clients, &occasion)
            .await?;
        let settle = SettleSessionEnd {
            site: self.site.clone(),
            session_sha256: session_sha256.to_owned(),
        };
        self.store.run(&settle).await
    }

    /// The person of a session doesn't follow the account any more: clients that require that hear
    /// of a logout. (Their tokens have ended: each use looks at it.)
    ///
    /// # Errors
    ///
    /// Redis is unavailable.
    pub(super) async fn unfollowed(&self, session_sha256: &str, at: i64) -> Result<(), StoreError> {
        if self.ends_on_unfollow {
            return self.session_ended(session_sha256).await;
        }
        let read = ReadSessionClients {
            site: self.site.clone(),
            session_sha256: session_sha256.to_owned(),
        };
        let mut clients = self.store.run(&read).await?;
        clients.retain(|(name, _)| {
            let client = self.clients.named(name);
            client.is_some_and(|client| client.requires_following())
        });
        if clients.is_empty() {
            return Ok(());
        }
        self.queue(session_sha256, &clients, &format!("unfollowed {at}"))
            .await?;
        let drop = DropSessionClients {
            site: self.site.clone(),
            session_sha256: session_sha256.to_owned(),
            clients: clients.into_iter().map(|(name, _)| name).collect(),
        };
        self.store.run(&drop).await
    }

    /// Queues what those of these clients are told that want to know. One that was removed from the
    /// settings hears nothing.
    async fn queue(
        &self,
        session_sha256: &str,
        clients: &[(String, String)],
        occasion: &str,
    ) -> Result<(), StoreError> {
        let tellings: Vec<QueueLogouts> = clients
            .iter()
            .filter_map(|(name, sub)| {
                let client = self.clients.named(name)?;
                client.backchannel.is_some().then_some((name, sub, client))
            })
            .map(|(name, sub, client)| QueueLogouts {
                site: self.site.clone(),
                queue: LogoutQueue::Client(name.clone()),
                tasks: vec![LogoutTask::Tell(Logout {
                    tries: 0,
                    id: logout_id(session_sha256, name, occasion),
                    sid: id_token::session_name(client, session_sha256),
                    sub: sub.clone(),
                })],
            })
            .collect();
        let had_room = match self.store.run_all(&tellings).await {
            // A full Redis keeps nobody signed in.
            Err(error) if error.is_refusal() => {
                error.log();
                vec![false; tellings.len()]
            }
            had_room => had_room?,
        };
        for (telling, _) in tellings.iter().zip(had_room).filter(|(_, had)| !had) {
            if let LogoutQueue::Client(client) = &telling.queue {
                super::backchannel::count(client, "dropped");
            }
        }
        self.logouts.notify_one();
        Ok(())
    }
}
