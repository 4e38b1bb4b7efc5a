//! Waiting for scans. One Redis subscription serves all browsers of this process, and a waiting
//! browser costs Redis nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::StreamExt as _;
use login_protocol::{
    attempt::AttemptStatus,
    scene::Scene,
    site::Realm,
    status_change::{CHANNEL, StatusChange},
    steps::{AttemptExists, ReadStatus},
};
use service_kit::redis::{Store, StoreError};
use tokio::{
    sync::watch,
    time::{interval, sleep, timeout},
};

/// How long to wait before subscribing again. The waiting browsers are polled at the same pace.
const RESUBSCRIBE_AFTER: Duration = Duration::from_secs(1);

/// How often a silent subscription is checked: a peer that hangs says nothing, and a replica may
/// have taken its place.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long Redis may take to answer the check.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(2);

/// How many attempts are read in one round trip.
const BATCH: usize = 500;

/// The browsers of this process that wait, by scene.
pub struct LoginWatch {
    realm: Realm,
    store: Arc<Store>,
    waiting: Mutex<HashMap<Scene, watch::Sender<Option<AttemptStatus>>>>,
}

/// One browser's wait; dropping it ends it.
pub struct Wait {
    watch: Arc<LoginWatch>,
    scene: Scene,
    news: watch::Receiver<Option<AttemptStatus>>,
}

impl LoginWatch {
    /// Nobody waits yet; [`LoginWatch::follow`] must run for status changes to arrive.
    pub fn new(realm: Realm, store: Arc<Store>) -> Self {
        Self {
            realm,
            store,
            waiting: Mutex::default(),
        }
    }

    /// Starts waiting for one attempt's changes. To miss none, start before reading its status.
    pub fn wait_for(self: &Arc<Self>, scene: Scene) -> Wait {
        let news = self
            .lock()
            .entry(scene.clone())
            .or_insert_with(|| watch::channel(None).0)
            .subscribe();
        Wait {
            watch: Arc::clone(self),
            scene,
            news,
        }
    }

    /// Follows the channel for as long as the site runs. While it is lost, every waiting browser's
    /// attempt is read in batches; when it is back, once more, so that no change is missed. What is
    /// lost without a message is noticed within five seconds.
    pub async fn follow(&self) {
        tokio::join!(self.follow_news(), self.notice_losses());
    }

    async fn follow_news(&self) {
        loop {
            if let Err(error) = self.follow_until_lost().await {
                tracing::warn!(%error, "lost the Redis subscription; polling until it is back");
            }
            sleep(RESUBSCRIBE_AFTER).await;
            if let Err(error) = self.read_all().await {
                tracing::debug!(%error, "can't read the waiting browsers' attempts yet");
            }
        }
    }

    async fn follow_until_lost(&self) -> Result<(), StoreError> {
        let (mut commands, mut messages) = self.store.subscribe(CHANNEL).await?.split();
        self.read_all().await?;
        tracing::info!("subscribed to status changes");
        let mut heartbeat = interval(HEARTBEAT);
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.spread(message.get_payload_bytes()),
                    None => return Ok(()),
                },
                _ = heartbeat.tick() => {
                    match timeout(HEARTBEAT_TIMEOUT, commands.ping::<()>()).await {
                        Ok(answered) => answered?,
                        Err(_) => return Ok(()),
                    }
                }
            }
        }
    }

    /// Nobody publishes that Redis was emptied, or that a stale replica took over. But then the
    /// attempts of all browsers are missing, so checking any one suffices: a different one each
    /// time.
    async fn notice_losses(&self) {
        for turn in 0.. {
            sleep(HEARTBEAT).await;
            let scene = {
                let waiting = self.lock();
                let scenes = waiting.len().max(1);
                waiting.keys().nth(turn % scenes).cloned()
            };
            let Some(scene) = scene else { continue };
            if let Ok(false) = self.store.run(&AttemptExists { scene }).await
                && let Err(error) = self.read_all().await
            {
                tracing::debug!(%error, "can't read the waiting browsers' attempts yet");
            }
        }
    }

    fn spread(&self, message: &[u8]) {
        let change = std::str::from_utf8(message)
            .ok()
            .and_then(|text| StatusChange::parse(text).ok());
        if let Some(StatusChange { scene, status }) = change {
            self.tell(&scene, status);
        } else {
            tracing::warn!("ignored a Pub/Sub message that is not a status change");
        }
    }

    fn tell(&self, scene: &Scene, status: AttemptStatus) {
        if let Some(browser) = self.lock().get(scene) {
            browser.send_replace(Some(status));
        }
    }

    async fn read_all(&self) -> Result<(), StoreError> {
        let scenes: Vec<Scene> = self.lock().keys().cloned().collect();
        for batch in scenes.chunks(BATCH) {
            let steps: Vec<_> = batch
                .iter()
                .map(|scene| ReadStatus {
                    scene: scene.clone(),
                    realm: self.realm.clone(),
                })
                .collect();
            for (scene, (status, _)) in batch.iter().zip(self.store.run_all(&steps).await?) {
                self.tell(scene, status);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Scene, watch::Sender<Option<AttemptStatus>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// The next status change. It may be older than what the caller has read meanwhile.
    pub async fn news(&mut self) -> AttemptStatus {
        loop {
            if self.news.changed().await.is_err() {
                // The sender lives as long as this wait; without it there are no status changes.
                std::future::pending::<()>().await;
            }
            if let Some(status) = *self.news.borrow_and_update() {
                return status;
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waiting = self.watch.lock();
        // This wait's own receiver is still among them.
        if waiting
            .get(&self.scene)
            .is_some_and(|browser| browser.receiver_count() <= 1)
        {
            waiting.remove(&self.scene);
        }
    }
}
