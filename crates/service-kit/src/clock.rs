//! The time of day, which a test can set.
//!
//! What only compares times takes them as arguments. What has to read the time at a moment of its
//! own holds a [`Clock`].

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// Reads the time of day: this machine's, unless a test has set it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds since the Unix epoch.
    put: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// This machine's.
    pub const fn system() -> Self {
        Self { put: None }
    }

    /// A stopped clock, and the handle that sets it.
    pub fn standing(at: Timestamp) -> (Self, Hands) {
        let put = Arc::new(AtomicI64::new(at.as_microsecond()));
        let hands = Hands(Arc::clone(&put));
        (Self { put: Some(put) }, hands)
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match &self.put {
            None => Timestamp::now(),
            Some(put) => {
                let microseconds = put.load(Ordering::Relaxed);
                Timestamp::from_microsecond(microseconds).unwrap_or_default()
            }
        }
    }
}

/// Sets a stopped clock.
#[derive(Debug)]
pub struct Hands(Arc<AtomicI64>);

impl Hands {
    /// From now on it is this time, to the microsecond.
    pub fn put(&self, at: Timestamp) {
        self.0.store(at.as_microsecond(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_standing_clock_moves_when_it_is_put_and_its_copies_with_it() {
        let noon: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let (clock, hands) = Clock::standing(noon);
        let copy = clock.clone();
        assert_eq!((clock.now(), copy.now()), (noon, noon));
        let later = noon + SignedDuration::from_hours(1);
        hands.put(later);
        assert_eq!((clock.now(), copy.now()), (later, later));
    }
}
