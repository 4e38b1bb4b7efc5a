//! What a person's logins left at clients of the sites' OpenID Connect providers, and its end. The
//! sites alone can tell their clients: they find in Redis what has ended.

use std::collections::BTreeMap;

use jiff::Timestamp;
use login_protocol::{
    identity::MemberId,
    site::SiteId,
    steps::oidc::{
        ClientUse, EndGrant, EndSessionGrants, ForgetClientUses, LogoutQueue, LogoutTask,
        QueueLogouts, ReadClientUses,
    },
};

use crate::redis::{Store, StoreError};

/// Tells a site what became of its sessions.
///
/// # Errors
///
/// Redis failed.
pub async fn tell(store: &Store, site: SiteId, tasks: Vec<LogoutTask>) -> Result<(), StoreError> {
    let queue = QueueLogouts {
        site,
        queue: LogoutQueue::Endings,
        tasks,
    };
    match store.run(&queue).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            tracing::warn!(
                "a site hasn't looked for ended sessions for long, and isn't told of more: is it running?"
            );
            Ok(())
        }
        // A full Redis keeps nobody signed in.
        Err(error) if error.is_refusal() => {
            error.log();
            Ok(())
        }
        Err(error) => Err(error),
    }
}

async fn tell_all(
    store: &Store,
    uses: &[ClientUse],
    task: impl Fn(String) -> LogoutTask,
) -> Result<(), StoreError> {
    let mut tasks: BTreeMap<&str, (SiteId, Vec<LogoutTask>)> = BTreeMap::new();
    for used in uses {
        if let ClientUse::Session(site, sha256) = used {
            let of_site = tasks.entry(site.as_str());
            let (_, tasks) = of_site.or_insert_with(|| (site.clone(), Vec::new()));
            tasks.push(task(sha256.clone()));
        }
    }
    for (site, tasks) in tasks.into_values() {
        tell(store, site, tasks).await?;
    }
    Ok(())
}

/// Tells the sites that all these sessions have ended, and ends what outlives a session: the mark of
/// a sign-out everywhere is gone before a refresh token is.
///
/// # Errors
///
/// Redis failed; some may have been told.
pub async fn sessions_ended(store: &Store, uses: &[ClientUse]) -> Result<(), StoreError> {
    let grants = uses.iter().filter_map(|used| match used {
        ClientUse::Grant(site, grant) => Some(EndGrant {
            site: site.clone(),
            grant: grant.clone(),
        }),
        ClientUse::Session(..) => None,
    });
    store.run_all(&grants.collect::<Vec<_>>()).await?;
    tell_all(store, uses, |session_sha256| LogoutTask::Ended {
        session_sha256,
    })
    .await
}

/// Tells the sites that the person of these sessions doesn't follow the account any more.
///
/// # Errors
///
/// Redis failed; some may have been told.
pub async fn unfollowed(
    store: &Store,
    uses: &[ClientUse],
    at: Timestamp,
) -> Result<(), StoreError> {
    let at = at.as_second();
    tell_all(store, uses, |session_sha256| LogoutTask::Unfollowed {
        session_sha256,
        at,
    })
    .await
}

/// Erases what a person's logins at clients left, refresh tokens too. Their sessions have been ended
/// ([`end_all`](crate::sessions::end_all)).
///
/// # Errors
///
/// Redis failed: something may be left, and it has to be repeated.
pub async fn erase(store: &Store, member: &MemberId) -> Result<(), StoreError> {
    let read = ReadClientUses {
        member: member.clone(),
    };
    let mut ends = Vec::new();
    for used in store.run(&read).await? {
        match used {
            ClientUse::Grant(site, grant) => ends.push(EndGrant { site, grant }),
            ClientUse::Session(site, session_sha256) => {
                let end = EndSessionGrants {
                    site: site.clone(),
                    session_sha256,
                };
                let ended = store.run(&end).await?;
                ends.extend(ended.grants.into_iter().map(|grant| EndGrant {
                    site: site.clone(),
                    grant,
                }));
            }
        }
    }
    store.run_all(&ends).await?;
    let forget = ForgetClientUses {
        member: member.clone(),
    };
    store.run(&forget).await
}
