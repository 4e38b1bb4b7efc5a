//! How often each API path was called.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How many different paths are counted; WeChat's own are few, a scanner's are endless.
const PATHS: usize = 500;

/// The counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Calls {
    /// Counts one call.
    pub(crate) fn count(&self, path: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(path) {
            *count += 1;
        } else if counts.len() < PATHS {
            counts.insert(path.to_owned(), 1);
        }
    }

    /// How often this path was called.
    pub(crate) fn of(&self, path: &str) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(path).copied().unwrap_or(0)
    }

    /// All counts.
    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        self.counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
