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

    /// Counts one more, unless a window is full.
    pub(super) fn begin(&self, now: Instant) -> bool {
        let mut windows = self.windows();
        for (window, (length, _)) in windows.iter_mut().zip(WINDOWS) {
            if now.saturating_duration_since(window.began) >= length {
                *window = Window {
                    began: now,
                    begun: 0,
                };
            }
        }
        let mut shares = windows.iter().zip(WINDOWS);
        let has_room = shares
            .all(|(window, (_, minutes))| window.begun < self.per_minute.saturating_mul(minutes));
        if has_room {
            for window in windows.iter_mut() {
                window.begun += 1;
            }
        }
        has_room
    }

    /// One was completed, perhaps of those that began elsewhere.
    pub(super) fn complete(&self) {
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
        (0..1000).take_while(|_| pace.begin(now)).count()
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
        pace.complete();
        for _ in 0..1000 {
            assert!(pace.begin(start));
            pace.complete();
        }
        assert_eq!(begun(&pace, start), 2);
    }
}
