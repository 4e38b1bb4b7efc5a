//! Attempts and people that are there before a turn begins.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{asked_attempts::AskedAttempts, attempt::Attempt, written_attempts::WrittenAttempts};

/// Where attempts and people come from, each one new.
pub(crate) struct Attempts {
    source: Source,
    people: AtomicU64,
}

/// How they come about.
pub(crate) enum Source {
    /// In Redis directly, where the format is ours.
    Written(Box<WrittenAttempts>),
    /// By requests, where it isn't.
    Asked(Box<AskedAttempts>),
}

impl Attempts {
    /// From there.
    pub(crate) const fn new(source: Source) -> Self {
        Self {
            source,
            people: AtomicU64::new(1),
        }
    }

    /// Opens pending attempts. Those that are asked for live as long as the program lets them.
    pub(crate) async fn open(
        &self,
        count: usize,
        lifetime: Duration,
    ) -> Result<Vec<Attempt>, String> {
        match &self.source {
            Source::Written(written) => written.open(count, lifetime).await,
            Source::Asked(asked) => asked.open(count).await,
        }
    }

    /// How many of these attempts are confirmed.
    pub(crate) async fn confirmed(&self, attempts: &[Attempt]) -> Result<usize, String> {
        match &self.source {
            Source::Written(written) => written.confirmed(attempts).await,
            Source::Asked(asked) => asked.confirmed(attempts).await,
        }
    }

    /// People whose profile WeChat told just now.
    pub(crate) async fn members(&self, count: usize) -> Result<Vec<String>, String> {
        let openids: Vec<_> = (0..count).map(|_| self.stranger()).collect();
        match &self.source {
            Source::Written(written) => written.members(&openids).await?,
            Source::Asked(asked) => asked.members(&openids).await?,
        }
        Ok(openids)
    }

    /// An openid that nobody had before.
    pub(crate) fn stranger(&self) -> String {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        format!("oBench{number:022}")
    }
}
