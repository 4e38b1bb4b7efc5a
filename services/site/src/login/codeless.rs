//! How many attempts without a code a process begins. They cost WeChat nothing, so no quota bounds them, and each
//! is a record in Redis for as long as it lives.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The attempts without a code that this process began in the time that one lives.
pub(super) struct Codeless {
    limit: u32,
    lifetime: Duration,
    window: Mutex<Window>,
}

struct Window {
    began: Instant,
    begun: u32,
}

impl Codeless {
    /// At most so many in an attempt's lifetime; 0 is no limit.
    pub(super) fn new(limit: u32, lifetime: Duration) -> Self {
        let window = Window {
            began: Instant::now(),
            begun: 0,
        };
        Self {
            limit,
            lifetime,
            window: Mutex::new(window),
        }
    }

    /// Counts one more.
    ///
    /// # Errors
    ///
    /// There are too many, for this long.
    pub(super) fn begin(&self) -> Result<(), Duration> {
        if self.limit == 0 {
            return Ok(());
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let left = self.lifetime.saturating_sub(now - window.began);
        if left.is_zero() {
            (window.began, window.begun) = (now, 0);
        }
        if window.begun >= self.limit {
            return Err(left);
        }
        window.begun += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_begin_in_a_lifetime_and_others_after_it() {
        let lifetime = Duration::from_mins(5);
        let codeless = Codeless::new(2, lifetime);
        assert!(codeless.begin().is_ok() && codeless.begin().is_ok());
        let wait = codeless.begin().unwrap_err();
        assert!(Duration::ZERO < wait && wait <= lifetime, "{wait:?}");
        let begun_before = Instant::now().checked_sub(lifetime).unwrap();
        codeless.window.lock().unwrap().began = begun_before;
        assert!(codeless.begin().is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let codeless = Codeless::new(0, Duration::from_mins(5));
        assert!((0..1000).all(|_| codeless.begin().is_ok()));
    }
}
