//! Failed authentications and requests, counted in this process: whoever guesses a client's secret,
//! or asks all the time, is made to wait.
//!
//! Other limits are shared by all replicas, through Redis. These guard Redis and the processor from
//! requests that are refused before Redis is asked: counting there would be the very work that they
//! save. So n replicas admit n times as much, which guesses no secret of 24 characters.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use login_protocol::client_nets::widest_net;
use tokio::time::Instant;

/// How many failures an address may have in a window. A client whose secret is wrong notices soon.
const SHARE: u32 = 60;

/// How many requests an address may make for a client in a window. A backend with many visitors
/// makes one or two a login.
const REQUESTS: u32 = 6000;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_mins(1);

/// How many addresses are told apart. Beyond that, all others count together.
const MOST: usize = 10_000;

/// Failures and requests of the last minute.
#[derive(Default)]
pub(super) struct Failures {
    failed: Mutex<Counts>,
    asked: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    windows: HashMap<(Option<IpAddr>, String), Window>,
}

struct Window {
    began: Instant,
    count: u32,
}

impl Counts {
    /// How long to wait, if the share is used up; otherwise counts, if that is wanted.
    fn look(
        &mut self,
        address: IpAddr,
        client: &str,
        share: u32,
        now: Instant,
        adds: u32,
    ) -> Option<Duration> {
        let mut key = (Some(widest_net(address).address), client.to_owned());
        if !self.windows.contains_key(&key) {
            if adds == 0 {
                return None;
            }
            if self.windows.len() >= MOST {
                self.windows
                    .retain(|_, window| now.duration_since(window.began) < WINDOW);
            }
            if self.windows.len() >= MOST {
                key = (None, String::new());
            }
        }
        let factor = widest_net(address).factor;
        let window = self.windows.entry(key).or_insert(Window {
            began: now,
            count: 0,
        });
        if now.duration_since(window.began) >= WINDOW {
            window.began = now;
            window.count = 0;
        }
        if window.count >= share.saturating_mul(factor) {
            return Some(WINDOW.saturating_sub(now.duration_since(window.began)));
        }
        window.count += adds;
        None
    }
}

fn locked(counts: &Mutex<Counts>) -> std::sync::MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Failures {
    /// How long an address has to wait because of its failures.
    pub(super) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        locked(&self.failed).look(address, "", SHARE, now, 0)
    }

    /// Counts a failure.
    pub(super) fn add(&self, address: IpAddr, now: Instant) {
        locked(&self.failed).look(address, "", SHARE, now, 1);
    }

    /// Counts a request of an address for a client. How long it has to wait, if there were too many.
    pub(super) fn admit(&self, address: IpAddr, client: &str, now: Instant) -> Option<Duration> {
        locked(&self.asked).look(address, client, REQUESTS, now, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_fails_too_often_waits_for_the_window_and_nobody_else_does() {
        let failures = Failures::default();
        let now = Instant::now();
        let [one, other] = ["203.0.113.9", "203.0.113.10"].map(|text| text.parse().unwrap());
        for _ in 0..SHARE {
            assert_eq!(failures.wait(one, now), None);
            failures.add(one, now);
        }
        assert_eq!(failures.wait(one, now), Some(WINDOW));
        assert_eq!(failures.wait(other, now), None);
        assert_eq!(failures.wait(one, now + WINDOW), None);
    }

    #[test]
    fn however_many_addresses_there_are_the_counts_stay_few() {
        let failures = Failures::default();
        let now = Instant::now();
        for number in 0..30_000_u32 {
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(number));
            failures.add(address, now);
        }
        assert!(locked(&failures.failed).windows.len() <= MOST + 1);
    }
}
