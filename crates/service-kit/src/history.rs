//! Hourly figures of all logins, for the owner's console. To count is an atomic addition; what was
//! counted is written to Redis every few seconds, in one round trip, and not at all while there is
//! nothing new.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use login_protocol::{
    history::{Figure, Figures, Hour},
    steps::NoteHour,
};
use tokio::{
    sync::Mutex,
    time::{Instant, interval},
};

use crate::{
    clock::Clock,
    random::{self, NoRandomness},
    redis::{Store, StoreError},
};

/// How often what was counted is written.
const NOTED_EVERY: Duration = Duration::from_secs(5);

/// How often a site's replica reports when nothing has changed.
const REPORTED_EVERY: Duration = Duration::from_secs(20);

/// One for the process, as that of metrics is: a login counts in many places.
static COUNTED: [AtomicU64; Figure::COUNT] = [const { AtomicU64::new(0) }; Figure::COUNT];

/// Counts one more.
pub fn count(figure: Figure) {
    COUNTED[figure as usize].fetch_add(1, Ordering::Relaxed);
}

/// Takes what was counted since this was last done.
fn take() -> Figures {
    let mut taken = Figures::default();
    for figure in Figure::ALL {
        taken.add(figure, COUNTED[figure as usize].swap(0, Ordering::Relaxed));
    }
    taken
}

/// Whose browsers wait, and how many.
pub struct Waiting {
    /// The site's name.
    pub site: String,
    /// How many wait now.
    pub count: Box<dyn Fn() -> u64 + Send + Sync>,
}

/// Writes what was counted.
pub struct HistoryWriter {
    store: Arc<Store>,
    clock: Clock,
    process: String,
    waiting: Option<Waiting>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    number: u64,
    /// What was sent, until Redis has answered. It is repeated as it was, so that it counts once.
    sent: Option<NoteHour>,
    reported: Option<(u64, Instant)>,
}

impl HistoryWriter {
    /// Of this process; a site also reports how many browsers wait.
    ///
    /// # Errors
    ///
    /// When there are no random bytes for the process' name.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        waiting: Option<Waiting>,
    ) -> Result<Self, NoRandomness> {
        Ok(Self {
            store,
            clock,
            process: random::name()?,
            waiting,
            state: Mutex::default(),
        })
    }

    /// Writes for as long as the process runs.
    pub async fn keep_noting(&self) {
        let mut turns = interval(NOTED_EVERY);
        loop {
            turns.tick().await;
            if let Err(error) = self.note().await {
                tracing::debug!(%error, "the hour's figures can't be written; trying again");
            }
        }
    }

    /// Writes what is left at the end.
    pub async fn finish(&self) {
        if let Err(error) = self.note().await {
            tracing::warn!(%error, "the last seconds' figures for the console are lost");
        }
    }

    async fn note(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock().await;
        if let Some(sent) = state.sent.clone() {
            self.store.run(&sent).await?;
            state.sent = None;
        }
        let report = self.report(&state);
        let added = take();
        if added.is_empty() && report.is_none() {
            return Ok(());
        }
        state.number += 1;
        if let Some((waiting, _)) = &report {
            state.reported = Some((*waiting, Instant::now()));
        }
        let note = NoteHour {
            hour: Hour::of(self.clock.now()),
            process: self.process.clone(),
            number: state.number,
            added,
            waiting: report,
        };
        state.sent = Some(note.clone());
        self.store.run(&note).await?;
        state.sent = None;
        Ok(())
    }

    /// What is to be said of the waiting browsers, if it is new or was said long ago.
    fn report(&self, state: &State) -> Option<(u64, String)> {
        let waiting = self.waiting.as_ref()?;
        let now = (waiting.count)();
        let is_known = state
            .reported
            .is_some_and(|(before, at)| before == now && at.elapsed() < REPORTED_EVERY);
        (!is_known).then(|| (now, waiting.site.clone()))
    }
}
