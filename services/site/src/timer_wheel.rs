//! Timers of many streams, at the cost of a number each.
//!
//! A stream has something to do every 45 s at most, and a quarter of a second more or less makes no
//! difference to it. tokio's timers are exact to the millisecond and move down several levels
//! before they go off; they took 44 % of the processor time of 20,000 waiting streams.

use std::{
    mem,
    time::{Duration, Instant},
};

/// From one tick to the next.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// How many ticks the wheel has: 64 s, the longest time that can be waited for.
const TICKS: usize = 256;

/// A moment, counted in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick(u64);

/// What is due at which tick. A timer can't be stopped: whoever set it remembers its [`Tick`], and
/// ignores one that it no longer waits for.
pub(crate) struct TimerWheel<T> {
    began: Instant,
    /// The tick whose timers go off now.
    current: u64,
    slots: Box<[Vec<T>]>,
}

impl<T> TimerWheel<T> {
    /// Nothing is due.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            began: now,
            current: 0,
            slots: (0..TICKS).map(|_| Vec::new()).collect(),
        }
    }

    /// Sets a timer. It goes off at the first tick at or after this moment, and before the wheel
    /// has turned round.
    pub(crate) fn set(&mut self, at: Instant, timer: T) -> Tick {
        let due = self.ticks(at + TICK);
        let due = due.clamp(self.current + 1, self.current + TICKS as u64 - 1);
        self.slot(due).push(timer);
        Tick(due)
    }

    /// A timer that is due by now, and for when it was set.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Tick, T)> {
        let now = self.ticks(now);
        loop {
            let current = self.current;
            let slot = self.slot(current);
            if let Some(timer) = slot.pop() {
                return Some((Tick(current), timer));
            }
            // A crowd mustn't leave room for as many in every slot.
            mem::take(slot);
            if current >= now {
                return None;
            }
            self.current += 1;
        }
    }

    /// How many ticks there were until this moment.
    fn ticks(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.began);
        u64::try_from(since.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
    }

    fn slot(&mut self, tick: u64) -> &mut Vec<T> {
        // A remainder is smaller than the number of slots.
        &mut self.slots[usize::try_from(tick % TICKS as u64).unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn all_due(wheel: &mut TimerWheel<u32>, now: Instant) -> Vec<u32> {
        let due = std::iter::from_fn(|| wheel.due(now));
        due.map(|(_, timer)| timer).collect()
    }

    #[test]
    fn a_timer_goes_off_once_and_within_a_tick_after_its_time() {
        let began = Instant::now();
        let mut wheel = TimerWheel::new(began);
        for (turn, wait) in (0_u32..).zip([1, 249, 250, 251, 999, 1000, 45_000, 63_000]) {
            let wait = Duration::from_millis(wait);
            let set = began + turn * 70 * SECOND;
            assert!(all_due(&mut wheel, set).is_empty());
            let tick = wheel.set(set + wait, turn);
            let just_before = wait.saturating_sub(Duration::from_millis(1));
            assert!(
                all_due(&mut wheel, set + just_before).is_empty(),
                "{wait:?}"
            );
            assert_eq!(wheel.due(set + wait + TICK), Some((tick, turn)), "{wait:?}");
            assert_eq!(wheel.due(set + wait + TICK), None);
        }
    }

    #[test]
    fn what_is_past_is_due_at_the_next_tick_and_what_is_far_away_within_a_turn() {
        let began = Instant::now();
        let mut wheel = TimerWheel::new(began);
        let now = began + 100 * SECOND;
        assert!(all_due(&mut wheel, now).is_empty());
        wheel.set(began, 1);
        wheel.set(now + 1000 * SECOND, 2);
        assert_eq!(all_due(&mut wheel, now + TICK), [1]);
        assert_eq!(all_due(&mut wheel, now + 64 * SECOND), [2]);
    }

    #[test]
    fn a_late_look_finds_everything() {
        let began = Instant::now();
        let mut wheel = TimerWheel::new(began);
        for timer in 0..100 {
            wheel.set(began + timer * SECOND / 2, timer);
        }
        let mut due = all_due(&mut wheel, began + 1000 * SECOND);
        due.sort_unstable();
        assert_eq!(due, (0..100).collect::<Vec<_>>());
        assert!(wheel.slots.iter().all(|slot| slot.capacity() == 0));
    }
}
