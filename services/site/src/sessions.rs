//! Sessions: what tells one from another, and what is kept of them.

pub mod identifier;
pub mod store;

use jiff::Timestamp;

/// Whether a login that was confirmed then was ended with all of its person's.
pub(crate) fn is_over(confirmed_at: Timestamp, ended_at: Option<Timestamp>) -> bool {
    ended_at.is_some_and(|ended_at| confirmed_at <= ended_at)
}
