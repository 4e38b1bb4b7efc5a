//! Takes what waits in Redis after sessions have ended, and tells the clients: in parallel, and none
//! waits for another. What this replica can't finish, another one takes, or the next process.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use login_protocol::steps::oidc::{
    FinishLogout, Logout, LogoutQueue, LogoutTask, PostponeLogout, TakeLogouts,
};
use service_kit::redis::StoreError;

use super::{
    backchannel::{self, AGAIN_AFTER, count},
    clients::Client,
    provider::Provider,
};

/// How often a replica looks for what others queued.
const LOOKS_EVERY: Duration = Duration::from_millis(500);

/// How many ended sessions are dealt with in a round.
const ENDINGS_AT_ONCE: usize = 100;

/// How many logouts a client is told of at the same time by one replica.
const TOLD_AT_ONCE: usize = 64;

/// For how long a replica has what it took: longer than a try takes.
const LEASE: Duration = Duration::from_secs(15);

/// Tells clients, as long as the process runs.
pub async fn keep_telling(provider: Arc<Provider>) {
    loop {
        match round(&provider).await {
            // There may be more.
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => error.log(),
        }
        tokio::select! {
            () = provider.logouts.notified() => {}
            () = tokio::time::sleep(LOOKS_EVERY) => {}
        }
    }
}

/// Looks once. Whether there may be more that could be taken at once.
async fn round(provider: &Arc<Provider>) -> Result<bool, StoreError> {
    let listening: Vec<(&Arc<Client>, usize)> = provider
        .clients
        .all()
        .filter_map(|client| {
            let told = client
                .backchannel
                .as_ref()?
                .told_now
                .load(Ordering::Relaxed);
            let room = TOLD_AT_ONCE.saturating_sub(told);
            (room > 0).then_some((client, room))
        })
        .collect();
    let take = |queue, limit| TakeLogouts {
        site: provider.site.clone(),
        queue,
        limit,
        lease: LEASE,
    };
    let mut takes = vec![take(LogoutQueue::Endings, ENDINGS_AT_ONCE)];
    takes.extend(listening.iter().map(|(client, room)| {
        let name = client.name.as_str().to_owned();
        take(LogoutQueue::Client(name), *room)
    }));
    let mut due = provider.store.run_all(&takes).await?.into_iter();
    let endings = due.next().unwrap_or_default();
    let is_more = endings.len() == ENDINGS_AT_ONCE;
    for ((client, _), tasks) in listening.into_iter().zip(due) {
        for task in tasks {
            if let LogoutTask::Tell(logout) = task {
                begin(provider, client, logout);
            }
        }
    }
    for ending in endings {
        deal_with(provider, ending).await?;
    }
    Ok(is_more)
}

/// Deals with a session that has ended. An error leaves it queued.
async fn deal_with(provider: &Provider, ending: LogoutTask) -> Result<(), StoreError> {
    match &ending {
        LogoutTask::Ended { session_sha256 } => provider.session_ended(session_sha256).await?,
        LogoutTask::Unfollowed { session_sha256, at } => {
            provider.unfollowed(session_sha256, *at).await?;
        }
        LogoutTask::Tell(_) => {}
    }
    let finish = FinishLogout {
        site: provider.site.clone(),
        queue: LogoutQueue::Endings,
        task: ending,
    };
    provider.store.run(&finish).await
}

fn begin(provider: &Arc<Provider>, client: &Arc<Client>, logout: Logout) {
    if let Some(backchannel) = &client.backchannel {
        backchannel.told_now.fetch_add(1, Ordering::Relaxed);
    }
    let (provider, client) = (Arc::clone(provider), Arc::clone(client));
    tokio::spawn(async move {
        if let Err(error) = deliver(&provider, &client, logout).await {
            error.log();
        }
        if let Some(backchannel) = &client.backchannel {
            let told = backchannel.told_now.fetch_sub(1, Ordering::Relaxed);
            if told >= TOLD_AT_ONCE {
                provider.logouts.notify_one();
            }
        }
    });
}

/// Tells a client once. If it doesn't take note, the next try waits in Redis.
async fn deliver(provider: &Provider, client: &Client, logout: Logout) -> Result<(), StoreError> {
    let Some(backchannel) = &client.backchannel else {
        return Ok(());
    };
    let name = client.name.as_str();
    let site = provider.site.clone();
    let queue = LogoutQueue::Client(name.to_owned());
    let told = backchannel::tell(provider, client, backchannel, &logout).await;
    let tries = usize::try_from(logout.tries).unwrap_or(usize::MAX);
    let again = match &told {
        Ok(()) => {
            count(name, "told");
            None
        }
        Err(_) => AGAIN_AFTER.get(tries).copied(),
    };
    if let Some(wait) = again {
        let next = Logout {
            tries: logout.tries + 1,
            ..logout.clone()
        };
        let postpone = PostponeLogout {
            site,
            queue,
            task: LogoutTask::Tell(logout),
            next: LogoutTask::Tell(next),
            wait,
        };
        return provider.store.run(&postpone).await;
    }
    if let Err(error) = told {
        count(name, "failed");
        tracing::warn!(
            client = name,
            %error,
            "a client couldn't be told of a logout: look at its BACKCHANNEL_LOGOUT_URI"
        );
    }
    let finish = FinishLogout {
        site,
        queue,
        task: LogoutTask::Tell(logout),
    };
    provider.store.run(&finish).await
}
