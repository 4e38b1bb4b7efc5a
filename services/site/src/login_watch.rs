//! Waiting for scans. One Redis subscription serves all browsers of this process, and a waiting
//! browser costs Redis nothing.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use login_protocol::{
    attempt::AttemptStatus,
    scene::Scene,
    session_change,
    site::Realm,
    status_change::{self, StatusChange},
    steps::{AttemptExists, ReadRemainingLife, ReadStatus},
};
use service_kit::{
    held_connection::HangUps,
    redis::{Store, StoreError},
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    event_streams::{Beginning, EventStreams},
    session_watch::SessionWatch,
    timer_wheel::TICK,
    waiting_room::Seat,
};

/// How long to wait before subscribing again. The waiting browsers are polled at the same pace.
const RESUBSCRIBE_AFTER: Duration = Duration::from_secs(1);

/// How often a silent subscription is checked: a peer that hangs says nothing, and a replica may
/// have taken its place.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long Redis may take to answer the check.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(2);

/// What is followed.
const CHANNELS: [&str; 2] = [status_change::CHANNEL, session_change::CHANNEL];

/// How many attempts are read in one round trip.
const BATCH: usize = 500;

/// The browsers of this process that wait.
pub struct LoginWatch {
    realms: Vec<Realm>,
    store: Arc<Store>,
    streams: Arc<EventStreams>,
    session_watch: Arc<SessionWatch>,
}

impl LoginWatch {
    /// Nobody waits yet; attempts belong to one of these realms. [`LoginWatch::follow`] must run for
    /// news to arrive, here and at those who watch their sessions, and [`LoginWatch::attend`] with
    /// what is returned for streams to be kept alive and to end.
    ///
    /// # Errors
    ///
    /// When the system has no poller left.
    pub fn new(
        realms: Vec<Realm>,
        store: Arc<Store>,
        session_watch: Arc<SessionWatch>,
    ) -> io::Result<(Self, HangUps)> {
        let (hang_ups, noticed) = HangUps::new()?;
        let watch = Self {
            realms,
            store,
            streams: Arc::new(EventStreams::new(noticed)),
            session_watch,
        };
        Ok((watch, hang_ups))
    }

    /// Starts waiting for one attempt's changes. To miss none, start before reading its status.
    pub fn wait_for(&self, scene: Scene, seat: Seat) -> Beginning {
        self.streams.begin(scene, seat)
    }

    /// When a browser that waits here for this attempt was told that it is confirmed.
    pub fn told_at(&self, scene: &Scene) -> Option<Timestamp> {
        self.streams.told_at(scene)
    }

    /// Attends to the open streams on a thread of its own, until the site stops and their clients
    /// have noticed that they have ended. `running` is dropped with it.
    ///
    /// # Errors
    ///
    /// When the system has no thread left. The thread ends with an error when the system's poller
    /// fails.
    pub fn attend(
        self: &Arc<Self>,
        hang_ups: HangUps,
        shutdown: CancellationToken,
        running: oneshot::Sender<()>,
    ) -> io::Result<JoinHandle<io::Result<()>>> {
        let watch = Arc::clone(self);
        let runtime = Handle::current();
        let streams = Arc::clone(&self.streams);
        runtime.spawn(async move {
            shutdown.cancelled().await;
            streams.close();
        });
        thread::Builder::new()
            .name("event-streams".to_owned())
            .spawn(move || {
                let _running = running;
                watch.attend_here(hang_ups, &runtime)
            })
    }

    fn attend_here(self: Arc<Self>, mut hang_ups: HangUps, runtime: &Handle) -> io::Result<()> {
        while !self.streams.have_ended() {
            self.streams.hung_up(hang_ups.wait(TICK)?);
            let over = self.streams.serve_timers(Instant::now());
            if !over.is_empty() {
                let watch = Arc::clone(&self);
                runtime.spawn(async move {
                    for over in over.chunks(BATCH) {
                        watch.look_again(over).await;
                    }
                });
            }
        }
        Ok(())
    }

    /// Reads attempts that should be over. A scan may have prolonged their life.
    async fn look_again(&self, scenes: &[Scene]) {
        let lives: Vec<_> = scenes
            .iter()
            .map(|scene| ReadRemainingLife {
                scene: scene.clone(),
            })
            .collect();
        // In this order: what is over by the first look is known to be over by the second.
        let read = async {
            let lives = self.store.run_all(&lives).await?;
            self.read(scenes).await?;
            Ok::<_, StoreError>(lives)
        };
        match read.await {
            Ok(lives) => {
                for (scene, left) in scenes.iter().zip(lives) {
                    self.streams.prolong(scene, Instant::now() + left);
                }
            }
            Err(error) => {
                error.log();
                for scene in scenes {
                    self.streams.reassure(scene);
                }
            }
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
        let (mut commands, mut messages) = self.store.subscribe(&CHANNELS).await?.split();
        self.read_all().await?;
        self.session_watch.look_at_all();
        tracing::info!("subscribed to status changes");
        let mut heartbeat = interval(HEARTBEAT);
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.spread(message.get_channel_name(), message.get_payload_bytes()),
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
            let Some(scene) = self.streams.scene(turn) else {
                continue;
            };
            if let Ok(false) = self.store.run(&AttemptExists { scene }).await
                && let Err(error) = self.read_all().await
            {
                tracing::debug!(%error, "can't read the waiting browsers' attempts yet");
            }
        }
    }

    fn spread(&self, channel: &str, message: &[u8]) {
        let text = std::str::from_utf8(message).unwrap_or_default();
        if channel == session_change::CHANNEL {
            if let Ok(member) = session_change::parse(text) {
                self.session_watch.look_at(&member);
            } else {
                tracing::warn!("ignored a Pub/Sub message that names nobody");
            }
        } else if let Ok(StatusChange { scene, status }) = StatusChange::parse(text) {
            self.streams.tell(&scene, status);
        } else {
            tracing::warn!("ignored a Pub/Sub message that is not a status change");
        }
    }

    async fn read_all(&self) -> Result<(), StoreError> {
        self.read(&self.streams.scenes()).await
    }

    async fn read(&self, scenes: &[Scene]) -> Result<(), StoreError> {
        for batch in scenes.chunks(BATCH) {
            let mut left: Vec<Scene> = batch.to_vec();
            for (index, realm) in self.realms.iter().enumerate() {
                let is_last = index + 1 == self.realms.len();
                left = self.read_in(realm, left, is_last).await?;
            }
        }
        Ok(())
    }

    /// Tells of attempts in a realm; returns those that may be another's, unless it is the last one.
    async fn read_in(
        &self,
        realm: &Realm,
        scenes: Vec<Scene>,
        is_last: bool,
    ) -> Result<Vec<Scene>, StoreError> {
        let step = |scene: &Scene| ReadStatus {
            scene: scene.clone(),
            realm: realm.clone(),
        };
        let steps: Vec<_> = scenes.iter().map(step).collect();
        let statuses = self.store.run_all(&steps).await?;
        let mut unknown = Vec::new();
        for (scene, (status, _)) in scenes.into_iter().zip(statuses) {
            match status {
                AttemptStatus::Expired if !is_last => unknown.push(scene),
                AttemptStatus::Expired => self.streams.tell_it_is_over(&scene),
                status => self.streams.tell(&scene, status),
            }
        }
        Ok(unknown)
    }
}
