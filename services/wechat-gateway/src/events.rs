//! The stream of events: keeping it, and reading it for the owner's software.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use login_protocol::{
    account::AccountName,
    event::{Event, Happening, Kept, LetIn, Position},
    identity::MemberId,
    steps::{
        CloseEvents, FillEvent, OpenEvents, ReadEvent, ReadEvents, ReadEventsClock, ReadMember,
        ReadNewestEvent, ReadOldestEvent, ReadSessionsEnd, ReadSubject, ReadUnfollow, TrimEvents,
    },
};
use service_kit::{
    bans,
    clock::Clock,
    redis::{Store, StoreError},
};
use tokio::time::{Instant, interval, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::settings::EventSettings;

/// How often the stream is opened, which changes nothing unless Redis lost it, and trimmed.
const TENDED_EVERY: Duration = Duration::from_mins(1);

/// For how long repeats are recognised: WeChat pushes again within minutes, and a browser repeats
/// its login within one.
const REPEATS_COME_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How soon who waits for an event hears of it.
const LOOKED_EVERY: Duration = Duration::from_millis(100);

/// How many elements of the stream are read at once.
const BATCH: usize = 200;

/// The stream of events of a deployment.
pub struct Events {
    store: Arc<Store>,
    clock: Clock,
    keep: Option<SignedDuration>,
    stopping: CancellationToken,
}

/// For how long a login isn't told of somebody who wouldn't be let in now. Whoever completed it finds
/// out at once, and takes it back; after this time it was a login, and what speaks against it came
/// later.
const IN_DOUBT_FOR: SignedDuration = SignedDuration::from_millis(500);

/// The same where each step of completing it is a round trip of its own.
const IN_DOUBT_IN_A_CLUSTER_FOR: SignedDuration = SignedDuration::from_secs(3);

/// What there is to tell of an element of the stream.
pub enum Told {
    /// This.
    Event(Box<Event>),
    /// Nothing: its person was erased, or it was taken back.
    Nothing,
    /// Nothing any more: it is older than events are kept.
    Trimmed,
    /// Nothing yet: it may be taken back.
    NotYet,
}

impl Told {
    fn of(position: Position, happening: Happening) -> Self {
        Self::Event(Box::new(Event::new(position, happening)))
    }
}

/// Why it can't be read from an event on.
#[derive(Debug, thiserror::Error)]
pub enum AfterError {
    /// There is no such event.
    #[error("there is no such event")]
    Unknown,
    /// It isn't kept any longer.
    #[error("the event isn't kept any longer")]
    Gone,
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Page {
    /// What was read last.
    pub after: Position,
    /// How many events at most.
    pub limit: usize,
    /// Those of one account alone.
    pub account: Option<AccountName>,
}

impl Events {
    /// In this store. Who waits is told that the process is stopping.
    pub const fn new(
        store: Arc<Store>,
        clock: Clock,
        settings: EventSettings,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            store,
            clock,
            keep: settings.keep,
            stopping,
        }
    }

    /// Opens the stream, and removes from it what is too old, for as long as the process runs.
    pub async fn tend(&self) {
        let Some(keep) = self.keep else {
            self.close().await;
            return std::future::pending().await;
        };
        let mut turns = interval(TENDED_EVERY);
        loop {
            turns.tick().await;
            if let Err(error) = self.open_and_trim(keep).await {
                tracing::warn!(%error, "the stream of events can't be kept in order; trying again");
            }
        }
    }

    /// Removes what was kept before the settings said that nothing is, until no gateway with other
    /// settings begins anew.
    async fn close(&self) {
        let mut turns = interval(TENDED_EVERY);
        loop {
            turns.tick().await;
            match self.store.run(&CloseEvents).await {
                Ok(true) => {
                    tracing::info!("events aren't kept any more; those that were kept are removed");
                }
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "events that aren't to be kept can't be removed; trying again");
                }
            }
        }
    }

    async fn open_and_trim(&self, keep: SignedDuration) -> Result<(), StoreError> {
        self.store.run(&OpenEvents).await?;
        let now = self.clock.now();
        let before = |age: SignedDuration| {
            Position::at(now.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH))
        };
        let trim = TrimEvents {
            oldest: before(keep),
            oldest_repeat: before(REPEATS_COME_FOR.min(keep)),
        };
        while self.store.run(&trim).await? > 0 {}
        Ok(())
    }

    /// The place of the event with this identifier, from which on can be read.
    ///
    /// # Errors
    ///
    /// There is no such event, or no longer.
    pub async fn after(&self, id: &str) -> Result<Position, AfterError> {
        let position = Position::of_event_id(id).map_err(|_| AfterError::Unknown)?;
        let read = ReadEvent { position };
        let (found, oldest) = self.store.run_both(&read, &ReadOldestEvent).await?;
        if found.is_some() {
            return Ok(position);
        }
        let newest = self.store.run(&ReadNewestEvent).await?;
        let kept_from = oldest.map(|oldest| oldest.position).or(newest);
        Err(match kept_from {
            Some(kept_from) if position < kept_from => AfterError::Gone,
            _ => AfterError::Unknown,
        })
    }

    /// Events after a place, oldest first. Without any, it is waited for one until the deadline.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn read(&self, page: Page, deadline: Instant) -> Result<Vec<Event>, StoreError> {
        let mut after = page.after;
        loop {
            let (events, read_to) = self.page(&page, after).await?;
            if !events.is_empty() || Instant::now() >= deadline || self.stopping.is_cancelled() {
                return Ok(events);
            }
            after = read_to;
            self.beyond(after, deadline).await?;
        }
    }

    /// What there is after a place, and up to which place was read.
    async fn page(
        &self,
        page: &Page,
        mut after: Position,
    ) -> Result<(Vec<Event>, Position), StoreError> {
        let mut events = Vec::new();
        loop {
            let batch = self.batch(after).await?;
            let is_last = batch.len() < BATCH;
            for kept in batch {
                let before = std::mem::replace(&mut after, kept.position);
                let Some(happening) = &kept.happening else {
                    continue;
                };
                let account = page.account.as_ref();
                if account.is_some_and(|account| happening.account.as_ref() != Some(account)) {
                    continue;
                }
                let mut told = self.told(kept).await?;
                // What comes after it isn't told before. It isn't for long.
                while matches!(told, Told::NotYet) && !self.stopping.is_cancelled() {
                    tokio::time::sleep(LOOKED_EVERY).await;
                    told = self.at(after).await?;
                }
                match told {
                    Told::Event(event) => events.push(*event),
                    Told::Nothing | Told::Trimmed => {}
                    Told::NotYet => return Ok((events, before)),
                }
                if events.len() == page.limit {
                    return Ok((events, after));
                }
            }
            if is_last {
                return Ok((events, after));
            }
        }
    }

    /// The next elements after a place.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn batch(&self, after: Position) -> Result<Vec<Kept>, StoreError> {
        let limit = BATCH;
        self.store.run(&ReadEvents { after, limit }).await
    }

    /// The event at a place, as it is told.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn at(&self, position: Position) -> Result<Told, StoreError> {
        match self.store.run(&ReadEvent { position }).await? {
            Some(kept) => self.told(kept).await,
            None => Ok(Told::Trimmed),
        }
    }

    /// An element as it is told. What whoever wrote it didn't know is read now, and kept, so that
    /// everybody is told the same.
    async fn told(&self, kept: Kept) -> Result<Told, StoreError> {
        let position = kept.position;
        let Some(happening) = kept.happening.clone() else {
            return Ok(Told::Nothing);
        };
        let member = happening.member_id().filter(|_| happening.unread);
        let Some(member) = member else {
            return Ok(Told::of(position, happening));
        };
        let read_subject = ReadSubject {
            member: member.clone(),
        };
        let banned = bans::is_banned(&self.store, &member).await?;
        let read = ReadMember {
            member: member.clone(),
        };
        let (mut known, subject) = self.store.run_both(&read, &read_subject).await?;
        if let Some(if_let_in) = &happening.if_let_in {
            let follows = known.as_ref().is_some_and(|known| known.subscribed);
            let in_doubt = banned
                || if_let_in.following && !follows
                || self.is_over(member, if_let_in).await?;
            if in_doubt {
                let now = self.store.run(&ReadEventsClock).await?;
                let age = now.duration_since(position.time());
                let in_doubt_for = if self.store.is_cluster() {
                    IN_DOUBT_IN_A_CLUSTER_FOR
                } else {
                    IN_DOUBT_FOR
                };
                // Before a place's time only a clock that was set back is: nobody waits for that.
                if (SignedDuration::ZERO..in_doubt_for).contains(&age) {
                    return Ok(Told::NotYet);
                }
            }
        }
        if let Some(known) = &mut known {
            known.banned = banned;
        }
        let happening = happening.with_member(subject.map(|given| given.subject), known);
        let fill = FillEvent {
            found: kept,
            happening,
        };
        if self.store.run(&fill).await? {
            return Ok(Told::of(position, fill.happening));
        }
        // Somebody else filled it in, or its person was erased.
        let found = self.store.run(&ReadEvent { position }).await?;
        let happening = found.and_then(|found| found.happening);
        Ok(happening.map_or(Told::Nothing, |happening| Told::of(position, happening)))
    }

    /// Whether somebody's sessions have been ended since they confirmed this login.
    async fn is_over(&self, member: MemberId, login: &LetIn) -> Result<bool, StoreError> {
        let [here, everywhere] = [Some(login.site.clone()), None].map(|site| ReadSessionsEnd {
            member: member.clone(),
            site,
        });
        let unfollow = login.ends_on_unfollow.then_some(ReadUnfollow { member });
        let (here, everywhere, unfollowed) = self
            .store
            .run_together((&here, &everywhere, unfollow.as_ref()))
            .await?;
        let ended = here.max(everywhere).max(unfollowed.flatten());
        Ok(ended.is_some_and(|ended| login.confirmed_at_ms <= ended.as_millisecond()))
    }

    /// Ends when there is something beyond a place, at the deadline, or when the process stops.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub async fn beyond(&self, place: Position, deadline: Instant) -> Result<(), StoreError> {
        let mut looks = interval_at(Instant::now() + LOOKED_EVERY, LOOKED_EVERY);
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return Ok(()),
                () = sleep_until(deadline) => return Ok(()),
                _ = looks.tick() => {}
            }
            let newest = self.store.run(&ReadNewestEvent).await?;
            if newest.is_some_and(|newest| newest > place) {
                return Ok(());
            }
        }
    }
}
