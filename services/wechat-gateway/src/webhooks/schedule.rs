//! When an event is sent again.

use jiff::{SignedDuration, Timestamp};
use login_protocol::webhook::{Attempts, Settled};

/// How long after a failure an event is sent again.
const AGAIN_AFTER: [SignedDuration; 5] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    HOUR,
];

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// How often it is sent hourly after that: for a day.
const HOURLY: usize = 24;

/// What becomes of an event after one more failure.
pub(super) fn after_failure(attempts: Attempts, now: Timestamp) -> Settled {
    let failed = attempts.failed.saturating_add(1);
    let before = usize::try_from(attempts.failed).unwrap_or(usize::MAX);
    let hourly = (before < AGAIN_AFTER.len() + HOURLY).then_some(HOUR);
    match AGAIN_AFTER.get(before).copied().or(hourly) {
        Some(wait) => Settled::Again(Attempts {
            failed,
            due: now + wait,
        }),
        None => Settled::Dead { at: now },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_those_of_the_contract() {
        let mut now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let mut attempts = Attempts::NONE;
        let mut waits = Vec::new();
        while let Settled::Again(next) = after_failure(attempts, now) {
            assert_eq!(next.failed, attempts.failed + 1);
            waits.push(next.due.duration_since(now).as_secs());
            (now, attempts) = (next.due, next);
            assert!(waits.len() < 100, "it ends");
        }
        assert_eq!(waits[..5], [5, 30, 120, 600, 3600]);
        assert_eq!(waits[5..], [3600; 24]);
        assert_eq!(after_failure(attempts, now), Settled::Dead { at: now });
    }
}
