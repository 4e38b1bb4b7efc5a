//! WeChat's clock, from the `Date` of its last response.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use service_kit::{clock::Clock, clock_offset::ClockOffset};
use tokio::time::Instant;

/// How often WeChat is asked for nothing but the time.
const ASKED_EVERY: Duration = Duration::from_secs(10);

/// What time WeChat has.
#[derive(Default)]
pub struct WechatClock {
    /// This machine's.
    own: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// WeChat's time, to the second, and when it was received. It advances by the monotonic clock,
    /// so that setting this machine's clock shows at once.
    told: Option<(Timestamp, Instant)>,
    asked: Option<Instant>,
}

impl WechatClock {
    /// WeChat's answer just said that it is this time there.
    pub fn told(&self, time: Timestamp) {
        self.lock().told = Some((time, Instant::now()));
    }

    /// How far WeChat's clock is from this machine's; `None` before the first answer.
    pub fn offset(&self) -> Option<ClockOffset> {
        let (told, at) = self.lock().told?;
        let since = SignedDuration::try_from(at.elapsed()).ok()?;
        let there = told.checked_add(since).ok()?;
        Some(ClockOffset(there.duration_since(self.own.now())))
    }

    /// Whether it is time to ask WeChat; that it is asked now is remembered.
    pub fn may_be_asked(&self) -> bool {
        let mut state = self.lock();
        let is_due = state.asked.is_none_or(|at| at.elapsed() >= ASKED_EVERY);
        if is_due {
            state.asked = Some(Instant::now());
        }
        is_due
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wechats_time_goes_on_when_this_machines_is_put() {
        let noon: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let seconds = SignedDuration::from_secs;
        let (own, hands) = Clock::standing(noon);
        let clock = WechatClock {
            own,
            state: Mutex::default(),
        };
        assert_eq!(clock.offset(), None);
        clock.told(noon + seconds(300));
        let at_least = |offset: i64| {
            let ClockOffset(measured) = clock.offset().unwrap();
            // What the test itself takes is WeChat's time as well.
            let took = measured - seconds(offset);
            assert!(!took.is_negative() && took < seconds(100), "{measured:?}");
        };
        at_least(300);
        hands.put(noon + seconds(300));
        at_least(0);
        hands.put(noon - seconds(3600));
        at_least(3900);
    }
}
