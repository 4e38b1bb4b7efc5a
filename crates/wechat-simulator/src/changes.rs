//! Tells the phone pages that something changed, so that none of them has to poll.

use serde::Serialize;
use tokio::sync::broadcast;

/// What changed; a page reads the new state through the control API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "changed", rename_all = "snake_case")]
pub(crate) enum Change {
    /// A person was added, follows, unfollows, opens or leaves a follow page.
    People,
    /// A code was created.
    Codes,
    /// A chat has a new line.
    Chat {
        /// Whose chat.
        person: String,
    },
    /// A push was sent or answered.
    Deliveries,
    /// The account or its settings.
    Account,
}

/// The channel to every open page.
#[derive(Debug)]
pub(crate) struct Changes {
    sender: broadcast::Sender<Change>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(256),
        }
    }
}

impl Changes {
    /// Tells every open page; without one, nothing happens.
    pub(crate) fn tell(&self, change: Change) {
        let _nobody_listens = self.sender.send(change);
    }

    /// What changes from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Change> {
        self.sender.subscribe()
    }
}
