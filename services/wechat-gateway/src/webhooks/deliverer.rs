//! Delivers events to one receiver, whenever no other gateway does.

use std::{mem, sync::Arc, time::Duration};

use login_protocol::{
    event::{Happening, Kept, Position},
    steps::{
        ReadEvent, ReadNewestEvent,
        webhooks::{
            ForgetDeliveries, LeadWebhook, Leadership, LeaveWebhook, ListDeadLetters, ListPending,
            NoteFailure, ReadRedeliveries, SettleDeliveries, SwitchOffWebhook, TakeEvents, Term,
        },
    },
    webhook::{Attempts, Pending, Settled, Settlement},
};
use service_kit::{
    clock::Clock,
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};
use tokio::{
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    agenda::{Agenda, Whose},
    failure::Failure,
    figures::count,
    receiver::{Receiver, SendError},
    schedule::after_failure,
};
use crate::events::{Events, Told};

/// After this time without a word of the gateway that delivers, another one does.
const LEASE: Duration = Duration::from_secs(10);

/// How often it says that it still does.
const RENEWED_EVERY: Duration = Duration::from_secs(3);

/// Nothing is sent for the last seconds of a lease that couldn't be renewed.
const NOT_SENT_BEFORE_END: Duration = Duration::from_secs(2);

/// How often the others look whether it still does.
const LOOKED_EVERY: Duration = Duration::from_secs(2);

/// How soon it hears of new events.
const TICK: Duration = Duration::from_millis(100);

/// How many events are being sent at the same time.
const AT_ONCE: usize = 32;

/// How many events may wait for a receiver outside the stream. Beyond that they stay there.
const MOST_PENDING: usize = 20_000;

/// How often dead letters are looked through for those of which nothing is kept any longer.
const TIDIED_EVERY: Duration = Duration::from_hours(1);

/// How many events are read at once.
const READ_AT_ONCE: usize = 200;

/// How long a stopping gateway waits for what is being sent. Another one sends the rest again.
const DRAINED_WITHIN: Duration = Duration::from_secs(3);

/// How soon an event is sent that couldn't be read, or wasn't to be told yet.
const READ_AGAIN_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);

/// Delivers events to one receiver.
pub(super) struct Deliverer {
    shared: Arc<Parts>,
    store: Arc<Store>,
    stopping: CancellationToken,
    started: Instant,
    holder: String,
}

/// What sending an event takes.
struct Parts {
    receiver: Arc<Receiver>,
    events: Arc<Events>,
    clock: Clock,
}

/// What became of sending an event.
enum Sent {
    /// The receiver has it.
    Delivered,
    /// There is nothing to send: its person was erased.
    Nothing,
    /// It isn't kept any longer, and the receiver never got it.
    Trimmed,
    /// The receiver hasn't got it.
    Failed(SendError),
    /// It isn't told yet.
    NotYet,
    /// It couldn't be read.
    Unread(StoreError),
}

/// What a gateway knows while it delivers.
struct Delivery {
    agenda: Agenda,
    cursor: Position,
    is_off: bool,
    /// How often the owner has asked for events again.
    asked: u64,
    renewed_at: Instant,
    tidied_at: Option<Instant>,
    /// What Redis isn't told yet.
    unsettled: Vec<Settlement>,
    /// Why an event wasn't taken, if Redis isn't told yet.
    failure: Option<NoteFailure>,
    /// Since when the receiver wants nothing, if Redis isn't told yet.
    unwanted: bool,
    sending: JoinSet<(Position, Attempts, Sent)>,
    /// Whether there may be more in the stream than was taken.
    is_more: bool,
}

/// Whether this gateway still delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Goes,
    Lost,
}

impl Deliverer {
    /// For this receiver. The process began at `started`.
    pub(super) fn new(
        receiver: Arc<Receiver>,
        store: Arc<Store>,
        events: Arc<Events>,
        clock: Clock,
        stopping: CancellationToken,
        started: Instant,
    ) -> Result<Self, NoRandomness> {
        let shared = Parts {
            receiver,
            events,
            clock,
        };
        Ok(Self {
            shared: Arc::new(shared),
            store,
            stopping,
            started,
            holder: random::name()?,
        })
    }

    fn receiver(&self) -> &Receiver {
        &self.shared.receiver
    }

    /// Delivers until the process stops.
    pub(super) async fn run(self) {
        let webhook = self.receiver().name.as_str();
        while !self.stopping.is_cancelled() {
            let asked_at = Instant::now();
            match self.lead().await {
                Ok(Leadership::Begun(term) | Leadership::Kept(term)) => {
                    self.deliver(term, asked_at).await;
                }
                Ok(Leadership::Taken) => {}
                Err(error) => {
                    tracing::warn!(webhook, %error, "can't see who delivers to a webhook; trying again");
                }
            }
            tokio::select! {
                () = self.stopping.cancelled() => {}
                () = sleep(LOOKED_EVERY) => {}
            }
        }
    }

    async fn lead(&self) -> Result<Leadership, StoreError> {
        let lead = LeadWebhook {
            webhook: self.receiver().name.clone(),
            holder: self.holder.clone(),
            lease: LEASE,
            running_for: self.started.elapsed(),
            address: self.receiver().address.clone(),
        };
        self.store.run(&lead).await
    }

    /// Delivers until another gateway does, or the process stops.
    async fn deliver(&self, term: Term, renewed_at: Instant) {
        let mut delivery = Delivery {
            agenda: Agenda::default(),
            cursor: term.cursor,
            is_off: term.switched_off_at.is_some(),
            asked: 0,
            renewed_at,
            tidied_at: None,
            unsettled: Vec::new(),
            failure: None,
            unwanted: false,
            sending: JoinSet::new(),
            is_more: true,
        };
        let mut turns = interval(TICK);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let webhook = self.receiver().name.as_str();
        let mut is_loaded = false;
        let mut looks = true;
        while !self.stopping.is_cancelled() {
            let turn = if is_loaded {
                self.turn(&mut delivery, looks).await
            } else {
                self.load(&mut delivery).await
            };
            match turn {
                Ok(Turn::Goes) => is_loaded = true,
                Ok(Turn::Lost) => break,
                Err(error) => {
                    tracing::warn!(webhook, %error, "a webhook can't go on; trying again");
                    if !is_loaded {
                        break;
                    }
                }
            }
            looks = self.wait(&mut delivery, &mut turns).await;
        }
        self.finish(delivery).await;
    }

    /// Waits until an event was sent, or for the next look at the stream. Whether it is time for
    /// that.
    async fn wait(&self, delivery: &mut Delivery, turns: &mut Interval) -> bool {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => false,
            _ = turns.tick() => true,
            Some(sent) = delivery.sending.join_next() => {
                // A task that panicked leaves its event to whoever delivers next.
                if let Ok(sent) = sent {
                    self.settle(delivery, sent);
                }
                while let Some(Ok(sent)) = delivery.sending.try_join_next() {
                    self.settle(delivery, sent);
                }
                false
            }
        }
    }

    /// Reads what the receiver hasn't got.
    async fn load(&self, delivery: &mut Delivery) -> Result<Turn, StoreError> {
        let webhook = &self.receiver().name;
        let read = ReadRedeliveries {
            webhook: webhook.clone(),
        };
        let asked = self.store.run(&read).await?;
        let mut from = None;
        loop {
            let list = ListPending {
                webhook: webhook.clone(),
                from,
            };
            let page = self.store.run(&list).await?;
            for some in page.found.chunks(READ_AT_ONCE) {
                self.add(delivery, some).await?;
                if self.renew(delivery).await? == Turn::Lost {
                    return Ok(Turn::Lost);
                }
            }
            from = page.next;
            if from.is_none() {
                // Only now: what failed halfway is read again.
                delivery.asked = asked;
                return Ok(Turn::Goes);
            }
        }
    }

    /// Adds events to the agenda. Only the stream knows whose they are.
    async fn add(&self, delivery: &mut Delivery, pending: &[Pending]) -> Result<(), StoreError> {
        let reads: Vec<ReadEvent> = pending
            .iter()
            .map(|Pending { position, .. }| ReadEvent {
                position: *position,
            })
            .collect();
        let found = self.store.run_all(&reads).await?;
        for (Pending { position, attempts }, kept) in pending.iter().zip(found) {
            // What isn't there any more is settled when it is to be sent.
            let whose = kept.as_ref().map_or(Whose::Nobody(*position), whose);
            delivery.agenda.add(*position, &whose, *attempts);
        }
        Ok(())
    }

    /// Says that this gateway still delivers, when it is time for that.
    async fn renew(&self, delivery: &mut Delivery) -> Result<Turn, StoreError> {
        if delivery.renewed_at.elapsed() >= RENEWED_EVERY {
            let asked_at = Instant::now();
            match self.lead().await? {
                Leadership::Kept(term) => {
                    delivery.renewed_at = asked_at;
                    delivery.is_off = delivery.unwanted || term.switched_off_at.is_some();
                }
                // Another gateway delivered meanwhile, or Redis has forgotten everything.
                Leadership::Begun(_) | Leadership::Taken => return Ok(Turn::Lost),
            }
        }
        Ok(Turn::Goes)
    }

    /// Does what is to be done now.
    async fn turn(&self, delivery: &mut Delivery, looks: bool) -> Result<Turn, StoreError> {
        if self.renew(delivery).await? == Turn::Lost {
            return Ok(Turn::Lost);
        }
        if self.flush(delivery).await? == Turn::Lost {
            return Ok(Turn::Lost);
        }
        let left = LEASE.saturating_sub(delivery.renewed_at.elapsed());
        if left < NOT_SENT_BEFORE_END {
            return Ok(Turn::Goes);
        }
        if looks && self.look(delivery).await? == Turn::Lost {
            return Ok(Turn::Lost);
        }
        let may_take = |delivery: &Delivery| {
            delivery.is_more && !delivery.is_off && delivery.agenda.len() < MOST_PENDING
        };
        if may_take(delivery) && self.take(delivery).await? == Turn::Lost {
            return Ok(Turn::Lost);
        }
        if delivery.is_off {
            return Ok(Turn::Goes);
        }
        while delivery.sending.len() < AT_ONCE {
            let Some((position, attempts)) = delivery.agenda.next(self.shared.clock.now()) else {
                break;
            };
            let shared = Arc::clone(&self.shared);
            delivery
                .sending
                .spawn(async move { (position, attempts, shared.send(position).await) });
        }
        Ok(Turn::Goes)
    }

    /// Looks for new events, and for what the owner wants to be sent again.
    async fn look(&self, delivery: &mut Delivery) -> Result<Turn, StoreError> {
        let webhook = self.receiver().name.clone();
        let read = ReadRedeliveries { webhook };
        let (newest, asked) = self.store.run_both(&ReadNewestEvent, &read).await?;
        delivery.is_more |= newest.is_some_and(|newest| newest > delivery.cursor);
        if asked != delivery.asked {
            if self.load(delivery).await? == Turn::Lost {
                return Ok(Turn::Lost);
            }
            // It switches the receiver on.
            delivery.is_off = delivery.unwanted;
        }
        let is_tidy = delivery
            .tidied_at
            .is_some_and(|at| at.elapsed() < TIDIED_EVERY);
        if !is_tidy {
            if self.tidy(delivery).await? == Turn::Lost {
                return Ok(Turn::Lost);
            }
            delivery.tidied_at = Some(Instant::now());
        }
        Ok(Turn::Goes)
    }

    /// Takes the next events from the stream.
    async fn take(&self, delivery: &mut Delivery) -> Result<Turn, StoreError> {
        let receiver = self.receiver();
        let batch = self.shared.events.batch(delivery.cursor).await?;
        let Some(last) = batch.last() else {
            delivery.is_more = false;
            return Ok(Turn::Goes);
        };
        let wanted: Vec<&Kept> = batch.iter().filter(|kept| receiver.wants(kept)).collect();
        let events: Vec<Position> = wanted.iter().map(|kept| kept.position).collect();
        let first = events.first().copied();
        let take = TakeEvents {
            webhook: receiver.name.clone(),
            holder: self.holder.clone(),
            to: last.position,
            oldest: delivery.agenda.oldest().or(first),
            events,
        };
        if !self.store.run(&take).await? {
            return Ok(Turn::Lost);
        }
        for kept in wanted {
            let attempts = Attempts::NONE;
            delivery.agenda.add(kept.position, &whose(kept), attempts);
        }
        delivery.cursor = last.position;
        Ok(Turn::Goes)
    }

    /// Forgets dead letters of which nothing is kept any longer.
    async fn tidy(&self, delivery: &mut Delivery) -> Result<Turn, StoreError> {
        let mut from = None;
        loop {
            let webhook = self.receiver().name.clone();
            let list = ListDeadLetters { webhook, from };
            let page = self.store.run(&list).await?;
            for some in page.found.chunks(READ_AT_ONCE) {
                let reads: Vec<_> = some
                    .iter()
                    .map(|position| ReadEvent {
                        position: *position,
                    })
                    .collect();
                let found = self.store.run_all(&reads).await?;
                let is_there = |kept: &Option<Kept>| {
                    kept.as_ref().is_some_and(|kept| kept.happening.is_some())
                };
                let gone = some.iter().zip(&found);
                let gone: Vec<Position> = gone
                    .filter(|(_, kept)| !is_there(kept))
                    .map(|(position, _)| *position)
                    .collect();
                if !gone.is_empty() {
                    let webhook = self.receiver().name.clone();
                    let forget = ForgetDeliveries {
                        webhook,
                        events: gone,
                    };
                    self.store.run(&forget).await?;
                }
                if self.renew(delivery).await? == Turn::Lost {
                    return Ok(Turn::Lost);
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(Turn::Goes);
            }
        }
    }

    /// Takes note of what became of an event. Redis is told by [`Deliverer::flush`].
    fn settle(&self, delivery: &mut Delivery, sent: (Position, Attempts, Sent)) {
        let (position, attempts, sent) = sent;
        let receiver = self.receiver();
        let webhook = receiver.name.as_str();
        let event = position.event_id();
        let now = self.shared.clock.now();
        if let Sent::Failed(error) = &sent {
            delivery.failure = Some(NoteFailure {
                webhook: receiver.name.clone(),
                holder: self.holder.clone(),
                at: now,
                why: Failure::of(error).to_text(),
            });
        }
        let outcome = match sent {
            Sent::Delivered => {
                count(&receiver.name, "delivered");
                Settled::Done
            }
            Sent::Nothing => {
                count(&receiver.name, "gone");
                Settled::Done
            }
            Sent::Trimmed => {
                count(&receiver.name, "trimmed");
                tracing::error!(
                    webhook,
                    event,
                    "an event is lost: it got older than events.keep_days before its receiver took it"
                );
                Settled::Done
            }
            Sent::NotYet | Sent::Unread(_) => {
                if let Sent::Unread(error) = sent {
                    tracing::warn!(webhook, %error, "an event can't be read; trying again");
                }
                let due = now + READ_AGAIN_AFTER;
                delivery
                    .agenda
                    .postpone(position, Attempts { due, ..attempts });
                return;
            }
            Sent::Failed(SendError::Unwanted) => {
                count(&receiver.name, "unwanted");
                if !delivery.is_off {
                    tracing::error!(
                        webhook,
                        "a webhook's receiver answered 410 and is switched off: correct its URL, or have events \
                         sent again to switch it on"
                    );
                }
                delivery.is_off = true;
                delivery.unwanted = true;
                delivery.agenda.postpone(position, attempts);
                return;
            }
            Sent::Failed(error) => {
                let outcome = after_failure(attempts, now);
                if let Settled::Dead { .. } = outcome {
                    count(&receiver.name, "dead");
                    tracing::error!(
                        webhook, event, %error,
                        "a webhook's receiver didn't take an event for a day: it is given up"
                    );
                } else {
                    count(&receiver.name, "failed");
                    tracing::warn!(webhook, %error, "a webhook's receiver didn't take an event; trying again");
                }
                outcome
            }
        };
        match outcome {
            Settled::Done | Settled::Dead { .. } => delivery.agenda.remove(position),
            Settled::Again(attempts) => delivery.agenda.postpone(position, attempts),
        }
        delivery.unsettled.push(Settlement { position, outcome });
    }

    /// Tells Redis what became of events.
    async fn flush(&self, delivery: &mut Delivery) -> Result<Turn, StoreError> {
        let receiver = self.receiver();
        if !delivery.unsettled.is_empty() {
            let settle = SettleDeliveries {
                webhook: receiver.name.clone(),
                holder: self.holder.clone(),
                settled: mem::take(&mut delivery.unsettled),
                oldest: delivery.agenda.oldest(),
            };
            match self.store.run(&settle).await {
                Ok(true) => {}
                Ok(false) => return Ok(Turn::Lost),
                Err(error) => {
                    delivery.unsettled = settle.settled;
                    return Err(error);
                }
            }
        }
        if let Some(failure) = &delivery.failure {
            if !self.store.run(failure).await? {
                return Ok(Turn::Lost);
            }
            delivery.failure = None;
        }
        if delivery.unwanted {
            let switch_off = SwitchOffWebhook {
                webhook: receiver.name.clone(),
                holder: self.holder.clone(),
                at: self.shared.clock.now(),
                address: receiver.address.clone(),
            };
            if !self.store.run(&switch_off).await? {
                return Ok(Turn::Lost);
            }
            delivery.unwanted = false;
        }
        Ok(Turn::Goes)
    }

    /// Lets what is being sent come to its end, and another gateway go on.
    async fn finish(&self, mut delivery: Delivery) {
        let webhook = self.receiver().name.as_str();
        let is_stopping = self.stopping.is_cancelled();
        let patience = if is_stopping { DRAINED_WITHIN } else { LEASE };
        let until = Instant::now() + patience;
        while let Ok(Some(sent)) = timeout_at(until, delivery.sending.join_next()).await {
            if let Ok(sent) = sent {
                self.settle(&mut delivery, sent);
            }
            if let Err(error) = self.flush(&mut delivery).await {
                tracing::warn!(webhook, %error, "can't note what became of an event; trying again");
            }
        }
        while let Err(error) = self.flush(&mut delivery).await {
            tracing::warn!(webhook, %error, "can't note what became of events; trying again");
            if self.stopping.is_cancelled() {
                break;
            }
            sleep(LOOKED_EVERY).await;
        }
        let leave = LeaveWebhook {
            webhook: self.receiver().name.clone(),
            holder: self.holder.clone(),
        };
        if let Err(error) = self.store.run(&leave).await {
            tracing::warn!(webhook, %error, "another gateway can't deliver at once");
        }
    }
}

impl Parts {
    /// Sends an event, as the stream has it now.
    async fn send(&self, position: Position) -> Sent {
        match self.events.at(position).await {
            Ok(Told::Event(event)) => match self.receiver.send(&event, self.clock.now()).await {
                Ok(()) => Sent::Delivered,
                Err(error) => Sent::Failed(error),
            },
            Ok(Told::Nothing) => Sent::Nothing,
            Ok(Told::Trimmed) => Sent::Trimmed,
            Ok(Told::NotYet) => Sent::NotYet,
            Err(error) => Sent::Unread(error),
        }
    }
}

/// Whose an event is.
fn whose(kept: &Kept) -> Whose {
    let happening = kept.happening.as_ref();
    let member = happening.and_then(Happening::member_id);
    member.map_or(Whose::Nobody(kept.position), Whose::Member)
}
