//! Pushes that are kept back, to be sent later and in another order than their events had.

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use tokio::sync::oneshot;

/// The pushes that wait.
#[derive(Debug, Default)]
pub(crate) struct HeldPushes {
    waiting: Mutex<Vec<Waiting>>,
}

/// In which order held pushes are sent.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReleaseOrder {
    /// As the events happened.
    #[default]
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// One push's place in the line, held by the task that carries it.
#[derive(Debug)]
pub(super) struct Place {
    released: oneshot::Receiver<()>,
    /// Dropped when the push has come to its end.
    carried: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Waiting {
    release: oneshot::Sender<()>,
    carried: oneshot::Receiver<()>,
}

impl HeldPushes {
    /// Takes a place at the end of the line.
    pub(super) fn join(&self) -> Place {
        let (release, released) = oneshot::channel();
        let (carried, ended) = oneshot::channel();
        let waiting = Waiting {
            release,
            carried: ended,
        };
        self.lock().push(waiting);
        Place { released, carried }
    }

    /// Sends everything that waits, one push after the other, each to its end; returns how many.
    pub(crate) async fn release(&self, order: ReleaseOrder) -> usize {
        let mut line = std::mem::take(&mut *self.lock());
        if matches!(order, ReleaseOrder::NewestFirst) {
            line.reverse();
        }
        let released = line.len();
        for waiting in line {
            if waiting.release.send(()).is_ok() {
                // The end of the push shows as an error: nothing is ever sent.
                let _ended = waiting.carried.await;
            }
        }
        released
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for the release. Whoever drops the returned value says that the push has ended.
    pub(super) async fn released(self) -> oneshot::Sender<()> {
        // The other end goes only together with the whole world.
        let _released = self.released.await;
        self.carried
    }
}
