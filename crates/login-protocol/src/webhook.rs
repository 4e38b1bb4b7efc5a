//! What the owner calls the receivers of events, and how far each of them is.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use crate::{
    account::{AccountName, InvalidAccountName},
    event::Position,
};

/// The name of a receiver in the settings: a lower-case letter, and up to 31 lower-case letters and
/// digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookName(Arc<str>);

impl WebhookName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as the label of a metric, which shares its text.
    pub fn label(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for WebhookName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for WebhookName {
    type Error = InvalidAccountName;

    /// Accepts what can be the name of any table of the settings.
    fn try_from(text: String) -> Result<Self, InvalidAccountName> {
        AccountName::parse(&text)?;
        Ok(Self(text.into()))
    }
}

/// How often an event was sent without success, and when it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// How often it was sent.
    pub failed: u32,
    /// Not before this time.
    pub due: Timestamp,
}

impl Attempts {
    /// Of an event that wasn't sent yet.
    pub const NONE: Self = Self {
        failed: 0,
        due: Timestamp::UNIX_EPOCH,
    };
}

/// An event that a receiver hasn't got yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Its place in the stream.
    pub position: Position,
    /// What was tried.
    pub attempts: Attempts,
}

/// What became of an event that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// Its place in the stream.
    pub position: Position,
    /// What became of it.
    pub outcome: Settled,
}

/// See [`Settlement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The receiver has it, or there is nothing to send any more.
    Done,
    /// It is sent again.
    Again(Attempts),
    /// It isn't, unless the owner asks for it.
    Dead {
        /// Since when.
        at: Timestamp,
    },
}

/// How far a receiver is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Up to here every event was taken from the stream.
    pub cursor: Position,
    /// How many of those it hasn't got yet.
    pub pending: u64,
    /// The oldest of them, if there are any.
    pub oldest: Option<Position>,
    /// How many events were given up.
    pub dead_letters: u64,
    /// How often sending an event failed.
    pub failures: u64,
    /// Since when nothing is sent, because the receiver doesn't want anything.
    pub switched_off_at: Option<Timestamp>,
}
