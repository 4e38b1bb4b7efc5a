//! Many event streams that have nothing to say.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use crate::{
    attempt::Attempt, browser, event_stream::EventStream, load::nanoseconds, login::Stage,
};

/// How many are being opened at once.
const AT_ONCE: usize = 64;

/// How many streams at the beginning and at the end are opened one after the other, to time them.
const TIMED: usize = 200;

/// How long opening one may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Attempts live longer than any measurement.
const LIFETIME: Duration = Duration::from_hours(1);

/// Streams that are open; dropping them closes them.
#[derive(Debug)]
pub(crate) struct WaitingStreams {
    /// The connections.
    pub(crate) all: Vec<EventStream>,
    /// How long opening each of the first ones took, in nanoseconds.
    pub(crate) first: Vec<u32>,
    /// And each of the last ones.
    pub(crate) last: Vec<u32>,
    /// Why there are fewer than there should be.
    pub(crate) refused: Option<String>,
}

impl WaitingStreams {
    /// Opens so many. The first that fails ends it.
    pub(crate) async fn open(stage: &Arc<Stage>, count: usize) -> Result<Self, String> {
        let attempts = stage.attempts.open(count, LIFETIME).await?;
        let mut streams = Self {
            all: Vec::with_capacity(count),
            first: Vec::new(),
            last: Vec::new(),
            refused: None,
        };
        let timed = TIMED.min(count / 2);
        let (first, rest) = attempts.split_at(timed);
        let (middle, last) = rest.split_at(rest.len() - timed);
        streams.first = streams.open_timed(stage, first).await;
        streams.open_together(stage, middle).await;
        streams.last = streams.open_timed(stage, last).await;
        Ok(streams)
    }

    async fn open_timed(&mut self, stage: &Stage, attempts: &[Attempt]) -> Vec<u32> {
        let mut times = Vec::with_capacity(attempts.len());
        for attempt in attempts {
            if self.refused.is_some() {
                break;
            }
            let began = Instant::now();
            let opened = open(stage, attempt).await;
            times.push(nanoseconds(began.elapsed()));
            self.keep(opened);
        }
        times
    }

    async fn open_together(&mut self, stage: &Arc<Stage>, attempts: &[Attempt]) {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut opening = JoinSet::new();
        for attempt in attempts {
            if self.refused.is_some() {
                break;
            }
            // It is never closed.
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                break;
            };
            while let Some(opened) = opening.try_join_next() {
                self.keep(opened.unwrap_or_else(|error| Err(error.to_string())));
            }
            let (stage, attempt) = (Arc::clone(stage), attempt.clone());
            opening.spawn(async move {
                let opened = open(&stage, &attempt).await;
                drop(permit);
                opened
            });
        }
        while let Some(opened) = opening.join_next().await {
            self.keep(opened.unwrap_or_else(|error| Err(error.to_string())));
        }
    }

    fn keep(&mut self, opened: Result<EventStream, String>) {
        match opened {
            Ok(stream) => self.all.push(stream),
            Err(error) => {
                let count = self.all.len();
                self.refused
                    .get_or_insert_with(|| format!("after {count} streams: {error}"));
            }
        }
    }
}

async fn open(stage: &Stage, attempt: &Attempt) -> Result<EventStream, String> {
    let visitor = stage.visitor();
    let request = browser::request("GET", "/api/login/events", visitor, Some(attempt));
    let opened = timeout(PATIENCE, EventStream::open(stage.site, visitor, &request)).await;
    match opened {
        Ok(opened) => opened.map_err(|error| error.to_string()),
        Err(_) => Err(format!("nothing was said within {PATIENCE:?}")),
    }
}
