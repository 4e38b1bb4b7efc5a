//! All receivers of events.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use login_protocol::{
    event::Position,
    steps::{ReadEvent, ReadNewestEvent, webhooks::Redeliver},
    webhook::WebhookName,
};
use service_kit::{
    clock::Clock,
    random::NoRandomness,
    redis::{Store, StoreError},
};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{deliverer::Deliverer, figures, receiver::Receiver, report::Report};
use crate::{
    audit::{Act, Actor, AuditError, OwnerAction},
    events::{AfterError, Events},
    settings::WebhookSettings,
};

/// How often the metrics are brought along.
const SHOWN_EVERY: Duration = Duration::from_secs(5);

/// How long a stopping gateway waits for its deliverers, which need less.
const ENDED_WITHIN: Duration = Duration::from_secs(5);

/// All receivers of events.
pub struct Webhooks {
    receivers: BTreeMap<WebhookName, Arc<Receiver>>,
    store: Arc<Store>,
    events: Arc<Events>,
    clock: Clock,
    stopping: CancellationToken,
    started: Instant,
    deliverers: TaskTracker,
}

/// No webhooks can be delivered.
#[derive(Debug, thiserror::Error)]
pub enum WebhooksError {
    /// No HTTP client can be created.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// Nobody could tell this gateway from others.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// What the owner wants to be sent again.
#[derive(Debug, Clone)]
pub enum Again {
    /// The event with this identifier.
    Event(String),
    /// All that happened from this time on.
    Since(Timestamp),
}

/// Why nothing is sent again.
#[derive(Debug, thiserror::Error)]
pub enum RedeliverError {
    /// There is no such receiver.
    #[error("there is no such receiver")]
    UnknownWebhook,
    /// The event can't be sent.
    #[error(transparent)]
    Event(#[from] AfterError),
    /// It can't be kept that the owner asked.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl From<StoreError> for RedeliverError {
    fn from(error: StoreError) -> Self {
        Self::Event(error.into())
    }
}

impl Webhooks {
    /// Those that the settings describe.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be created.
    pub fn new(
        settings: BTreeMap<WebhookName, WebhookSettings>,
        store: Arc<Store>,
        events: Arc<Events>,
        clock: Clock,
        stopping: CancellationToken,
    ) -> Result<Self, WebhooksError> {
        let receivers = settings.into_iter().map(|(name, settings)| {
            let receiver = Receiver::new(name.clone(), settings)?;
            Ok((name, Arc::new(receiver)))
        });
        Ok(Self {
            receivers: receivers.collect::<Result<_, WebhooksError>>()?,
            store,
            events,
            clock,
            stopping,
            started: Instant::now(),
            deliverers: TaskTracker::new(),
        })
    }

    /// Starts a deliverer for each receiver. They end when the process stops
    /// ([`Webhooks::ended`]).
    ///
    /// # Errors
    ///
    /// When there is no randomness.
    pub fn keep_delivering(
        self: &Arc<Self>,
        background: &mut JoinSet<&'static str>,
    ) -> Result<(), WebhooksError> {
        for receiver in self.receivers.values() {
            let deliverer = Deliverer::new(
                Arc::clone(receiver),
                Arc::clone(&self.store),
                Arc::clone(&self.events),
                self.clock.clone(),
                self.stopping.clone(),
                self.started,
            )?;
            let delivering = self.deliverers.spawn(deliverer.run());
            background.spawn(async move {
                // How it ended is in the log of the panic.
                let _ = delivering.await;
                "delivering webhooks"
            });
        }
        self.deliverers.close();
        if !self.receivers.is_empty() {
            let webhooks = Arc::clone(self);
            background.spawn(async move {
                webhooks.keep_shown().await;
                "showing how far webhooks are"
            });
        }
        Ok(())
    }

    /// Ends when all deliverers have, or when that takes too long.
    pub async fn ended(&self) {
        if timeout(ENDED_WITHIN, self.deliverers.wait()).await.is_err() {
            tracing::warn!("stopping while events are being sent: they will be sent again");
        }
    }

    async fn keep_shown(&self) {
        let mut turns = interval(SHOWN_EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            match self.reports().await {
                Ok(reports) => reports.iter().for_each(figures::show),
                Err(error) => {
                    tracing::warn!(%error, "can't read how far webhooks are");
                }
            }
        }
    }

    /// How far each receiver is, by name.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn reports(&self) -> Result<Vec<Report>, StoreError> {
        let mut reports = Vec::with_capacity(self.receivers.len());
        for receiver in self.receivers.values() {
            reports.push(Report::read(receiver, &self.store, &self.clock).await?);
        }
        Ok(reports)
    }

    /// Whether there is a receiver of this name.
    pub fn has(&self, name: &str) -> bool {
        self.receivers.keys().any(|known| known.as_str() == name)
    }

    /// Has events sent to a receiver again. Returns how many.
    ///
    /// # Errors
    ///
    /// There is no such receiver or event, or Redis failed.
    pub async fn redeliver(
        &self,
        name: &str,
        again: Again,
        actor: &Actor,
    ) -> Result<usize, RedeliverError> {
        let receiver = self.receivers.values();
        let mut receiver = receiver.filter(|receiver| receiver.name.as_str() == name);
        let receiver = receiver.next().ok_or(RedeliverError::UnknownWebhook)?;
        let act = Act::new(actor.clone(), OwnerAction::Redeliver).with_webhook(name);
        match again {
            Again::Event(id) => {
                let position = self.events.after(&id).await?;
                let found = self.store.run(&ReadEvent { position }).await?;
                let kept = found.filter(|kept| kept.happening.is_some());
                let kept = kept.ok_or(AfterError::Gone)?;
                let events = if receiver.wants(&kept) {
                    vec![position]
                } else {
                    Vec::new()
                };
                act.record(&self.store).await?;
                if events.is_empty() {
                    return Ok(0);
                }
                self.queue(receiver, events, true).await
            }
            Again::Since(time) => {
                // What is told of this comes after it, and isn't sent again.
                let newest = self.store.run(&ReadNewestEvent).await?;
                let newest = newest.unwrap_or(Position::BEGINNING);
                act.record(&self.store).await?;
                // The place before the first one of this time.
                let mut after = Position::before(time);
                let mut count = 0;
                while after < newest {
                    let batch = self.events.batch(after).await?;
                    let Some(last) = batch.last() else {
                        break;
                    };
                    after = last.position;
                    let wanted = batch
                        .iter()
                        .filter(|kept| kept.position <= newest && receiver.wants(kept));
                    let wanted = wanted.map(|kept| kept.position).collect();
                    count += self.queue(receiver, wanted, false).await?;
                }
                if count > 0 {
                    // Once they are all there: whoever delivers looks at all of them.
                    self.queue(receiver, Vec::new(), true).await?;
                }
                Ok(count)
            }
        }
    }

    async fn queue(
        &self,
        receiver: &Receiver,
        events: Vec<Position>,
        is_last: bool,
    ) -> Result<usize, RedeliverError> {
        let count = events.len();
        if count > 0 || is_last {
            let redeliver = Redeliver {
                webhook: receiver.name.clone(),
                events,
                is_last,
            };
            self.store.run(&redeliver).await?;
        }
        Ok(count)
    }
}
