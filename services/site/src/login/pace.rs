//! How fast logins begin at this process, whoever begins them. Those that are completed don't
//! count: people complete most of what they begin.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// For how long a window counts, and how many minutes' shares it has. These are the windows of a
/// client's own limit.
const WINDOWS: [(Duration, u32); 3] = [
    (Duration::from_mins(1), 1),
    (Duration::from_hours(1), 10),
    (Duration::from_hours(24), 40),
];

/// Counts what begins.
pub(super) struct Pace {
    per_minute: u32,
    windows: Mutex<[Window; WINDOWS.len()]>,
}

#[derive(Clone, Copy)]
struct Window {
    began: Instant,
    begun: u32,
}

impl Pace {
    /// So many may begin in a minute, ten times as many in an hour and forty times in a day.
    pub(super) fn new(per_minute: u32, now: Instant) -> Self {
        let window = Window {
            began: now,
            begun: 0,
        };
        Self {
            per_minute,
            windows: Mutex::new([window; WINDOWS.len()]),
        }
    }

    /// Counts one more, if there is room or it `needs_none`.
    ///
    /// # Errors
    ///
    /// A window is full, and ends after this time.
    pub(super) fn begin(&self, now: Instant, needs_none: bool) -> Result<(), Duration> {
        let mut windows = self.windows();
        for (window, (length, _)) in windows.iter_mut().zip(WINDOWS) {
            if now.saturating_duration_since(window.began) >= length {
                *window = Window {
                    began: now,
                    begun: 0,
                };
            }
        }
        let full = windows
            .iter()
            .zip(WINDOWS)
            .filter(|(window, (_, minutes))| {
                window.begun >= self.per_minute.saturating_mul(*minutes)
            })
            .map(|(window, (length, _))| {
                length.saturating_sub(now.saturating_duration_since(window.began))
            });
        match full.max() {
            Some(room_after) if !needs_none => Err(room_after),
            _ => {
                for window in windows.iter_mut() {
                    window.begun = window.begun.saturating_add(1);
                }
                Ok(())
            }
        }
    }

    /// One was completed, perhaps of those that began elsewhere, or didn't begin.
    pub(super) fn forget(&self) {
        for window in self.windows().iter_mut() {
            window.begun = window.begun.saturating_sub(1);
        }
    }

    fn windows(&self) -> MutexGuard<'_, [Window; WINDOWS.len()]> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn begun(pace: &Pace, now: Instant) -> usize {
        let begin = |_: &i32| pace.begin(now, false).is_ok();
        (0..1000).take_while(begin).count()
    }

    #[test]
    fn each_window_bounds_what_begins_in_it() {
        let start = Instant::now();
        let pace = Pace::new(3, start);
        let by_minute: Vec<_> = (0..15)
            .map(|minute| begun(&pace, start + MINUTE * minute))
            .collect();
        assert_eq!(by_minute.iter().sum::<usize>(), 30, "{by_minute:?}");
        assert_eq!(by_minute[0], 3);
        let by_hour: Vec<_> = (1..24)
            .map(|hour| {
                (0..10)
                    .map(|minute| begun(&pace, start + MINUTE * (60 * hour + minute)))
                    .sum::<usize>()
            })
            .collect();
        assert_eq!(by_hour[..4], [30, 30, 30, 0], "{by_hour:?}");
        assert_eq!(begun(&pace, start + MINUTE * 60 * 24), 3);
    }

    #[test]
    fn what_is_completed_makes_room() {
        let start = Instant::now();
        let pace = Pace::new(2, start);
        pace.forget();
        for _ in 0..1000 {
            assert_eq!(pace.begin(start, false), Ok(()));
            pace.forget();
        }
        assert_eq!(begun(&pace, start), 2);
    }

    #[test]
    fn what_needs_no_room_counts_and_what_is_refused_does_not() {
        let start = Instant::now();
        let pace = Pace::new(1, start);
        for _ in 0..3 {
            assert_eq!(pace.begin(start, true), Ok(()));
        }
        for _ in 0..100 {
            assert_eq!(pace.begin(start, false), Err(MINUTE));
        }
        for _ in 0..3 {
            assert!(pace.begin(start, false).is_err());
            pace.forget();
        }
        assert_eq!(begun(&pace, start), 1);
    }
}
