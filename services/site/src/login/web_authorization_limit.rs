//! How many logins by web authorisation a process begins. They cost WeChat nothing, so no quota
//! bounds them, and each is a record in Redis for as long as it lives.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The attempts that this process began in the time that one lives.
pub(super) struct WebAuthorizationLimit {
    limit: u32,
    lifetime: Duration,
    window: Mutex<Window>,
}

struct Window {
    began: Instant,
    begun: u32,
}

impl WebAuthorizationLimit {
    /// At most so many in an attempt's lifetime, from now on; 0 is no limit.
    pub(super) fn new(limit: u32, lifetime: Duration, now: Instant) -> Self {
        let window = Window {
            began: now,
            begun: 0,
        };
        Self {
            limit,
            lifetime,
            window: Mutex::new(window),
        }
    }

    /// Counts one more, also where no client is limited.
    ///
    /// # Errors
    ///
    /// There are too many, for this long.
    pub(super) fn begin(&self, now: Instant) -> Result<(), Duration> {
        if self.limit == 0 {
            return Ok(());
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
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

    const LIFETIME: Duration = Duration::from_mins(5);

    #[test]
    fn so_many_begin_in_a_lifetime_and_others_after_it() {
        let start = Instant::now();
        let limit = WebAuthorizationLimit::new(2, LIFETIME, start);
        assert!(limit.begin(start).is_ok() && limit.begin(start).is_ok());
        assert_eq!(limit.begin(start), Err(LIFETIME));
        let second = Duration::from_secs(1);
        assert_eq!(limit.begin(start + LIFETIME - second), Err(second));
        assert_eq!(limit.begin(start + LIFETIME), Ok(()));
    }

    #[test]
    fn zero_is_no_limit() {
        let start = Instant::now();
        let limit = WebAuthorizationLimit::new(0, LIFETIME, start);
        assert!((0..1000).all(|_| limit.begin(start).is_ok()));
    }
}
