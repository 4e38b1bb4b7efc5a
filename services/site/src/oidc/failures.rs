//! Failed authentications and requests, counted in this process: whoever guesses a client's secret,
//! or asks all the time, is made to wait.
//!
//! Other limits are shared by all replicas, through Redis. These guard Redis and the processor from
//! requests that are refused before Redis is asked: counting there would be the very work that they
//! save. So n replicas admit n times as much, which guesses no secret of 24 characters.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use login_protocol::client_nets::widest_net;
use tokio::time::Instant;

/// How many failures of one client an address may have in a window. A client whose secret is wrong
/// notices soon, and others at the same address aren't held up by it.
const SHARE: u32 = 60;

/// How many failures an address may have in a window of all clients together, and of names that are
/// no client's.
const SHARE_OF_ALL: u32 = 10 * SHARE;

/// The client that stands for all of them. A client's own `client_id` is never empty.
const ALL: &str = "";

/// How many requests an address may make for a client in a window. A backend with many visitors
/// makes one or two a login.
const REQUESTS: u32 = 6000;

/// How many authorization requests that wait for a login an address may leave in a window, for each
/// login that it may begin. Each lies in Redis for half an hour, with up to eight KiB of the client's
/// own.
const REQUESTS_FOR_A_LOGIN: u32 = 4;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_mins(1);

/// How many addresses are told apart.
const MOST: usize = 10_000;

/// The others share so many windows. Nobody outside can tell or choose who shares one.
const SHARED: usize = 4096;

/// How often windows that are over are removed, where there are too many.
const SWEEPS_EVERY: Duration = Duration::from_secs(1);

/// Failures and requests of the last minute.
#[derive(Default)]
pub(super) struct Failures {
    failed: Mutex<Counts>,
    asked: Mutex<Counts>,
    opened: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    windows: HashMap<(IpAddr, String), Window>,
    /// Empty until there are too many addresses.
    shared: Vec<Window>,
    hasher: RandomState,
    swept: Option<Instant>,
}

#[derive(Clone, Copy)]
struct Window {
    began: Instant,
    count: u32,
}

impl Window {
    const fn new(began: Instant) -> Self {
        Self { began, count: 0 }
    }

    /// How long to wait, if the share is used up; otherwise counts.
    fn look(&mut self, share: u32, now: Instant, adds: u32) -> Option<Duration> {
        if now.duration_since(self.began) >= WINDOW {
            *self = Self::new(now);
        }
        if self.count >= share {
            return Some(WINDOW.saturating_sub(now.duration_since(self.began)));
        }
        self.count += adds;
        None
    }
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
        let net = widest_net(address);
        let share = share.saturating_mul(net.factor);
        let key = (net.address, client.to_owned());
        if let Some(window) = self.windows.get_mut(&key) {
            return window.look(share, now, adds);
        }
        if self.windows.len() >= MOST {
            self.sweep(now);
        }
        if self.windows.len() >= MOST {
            return self.shared(&key, now).look(share, now, adds);
        }
        if adds == 0 {
            return None;
        }
        let window = self.windows.entry(key).or_insert(Window::new(now));
        window.look(share, now, adds)
    }

    fn sweep(&mut self, now: Instant) {
        let was_swept = |swept| now.duration_since(swept) < SWEEPS_EVERY;
        if !self.swept.is_some_and(was_swept) {
            self.swept = Some(now);
            self.windows
                .retain(|_, window| now.duration_since(window.began) < WINDOW);
        }
    }

    /// The window of an address that has none of its own.
    fn shared(&mut self, key: &(IpAddr, String), now: Instant) -> &mut Window {
        if self.shared.is_empty() {
            self.shared = vec![Window::new(now); SHARED];
        }
        // Far fewer than a hash can tell apart.
        let place = self.hasher.hash_one(key) % SHARED as u64;
        &mut self.shared[usize::try_from(place).unwrap_or_default()]
    }
}

fn locked(counts: &Mutex<Counts>) -> std::sync::MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Failures {
    /// How long an address has to wait because of its failures, as the client that it names, if
    /// there is such a client.
    pub(super) fn wait(
        &self,
        address: IpAddr,
        client: Option<&str>,
        now: Instant,
    ) -> Option<Duration> {
        self.look_at_failed(address, client, now, 0)
    }

    /// Counts a failure.
    pub(super) fn add(&self, address: IpAddr, client: Option<&str>, now: Instant) {
        self.look_at_failed(address, client, now, 1);
    }

    fn look_at_failed(
        &self,
        address: IpAddr,
        client: Option<&str>,
        now: Instant,
        adds: u32,
    ) -> Option<Duration> {
        let mut failed = locked(&self.failed);
        let own = client.and_then(|client| failed.look(address, client, SHARE, now, adds));
        let of_all = failed.look(address, ALL, SHARE_OF_ALL, now, adds);
        own.max(of_all)
    }

    /// Counts a request of an address for a client. How long it has to wait, if there were too many.
    pub(super) fn admit(&self, address: IpAddr, client: &str, now: Instant) -> Option<Duration> {
        locked(&self.asked).look(address, client, REQUESTS, now, 1)
    }

    /// Counts an authorization request that waits for a login. How long its address has to wait, if
    /// there were too many. `logins` is how many logins it may begin in a minute; zero: any number.
    pub(super) fn admit_request(
        &self,
        address: IpAddr,
        logins: u32,
        now: Instant,
    ) -> Option<Duration> {
        if logins == 0 {
            return None;
        }
        let share = logins.saturating_mul(REQUESTS_FOR_A_LOGIN);
        locked(&self.opened).look(address, "", share, now, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIKI: Option<&str> = Some("wiki");

    #[test]
    fn one_clients_failures_hold_up_no_other_until_there_are_too_many_of_all() {
        let failures = Failures::default();
        let now = Instant::now();
        let address = "203.0.113.9".parse().unwrap();
        for _ in 0..SHARE {
            failures.add(address, WIKI, now);
        }
        assert_eq!(failures.wait(address, WIKI, now), Some(WINDOW));
        let app = Some("app");
        assert_eq!(failures.wait(address, app, now), None);
        assert_eq!(failures.wait(address, None, now), None);
        for _ in SHARE..SHARE_OF_ALL {
            assert_eq!(failures.wait(address, None, now), None);
            failures.add(address, None, now);
        }
        for client in [None, app, WIKI] {
            assert_eq!(failures.wait(address, client, now), Some(WINDOW));
        }
    }

    #[test]
    fn whoever_fails_too_often_waits_for_the_window_and_nobody_else_does() {
        let failures = Failures::default();
        let now = Instant::now();
        let [one, other] = ["203.0.113.9", "203.0.113.10"].map(|text| text.parse().unwrap());
        for _ in 0..SHARE {
            assert_eq!(failures.wait(one, WIKI, now), None);
            failures.add(one, WIKI, now);
        }
        assert_eq!(failures.wait(one, WIKI, now), Some(WINDOW));
        assert_eq!(failures.wait(other, WIKI, now), None);
        assert_eq!(failures.wait(one, WIKI, now + WINDOW), None);
    }

    #[test]
    fn however_many_addresses_there_are_the_counts_stay_few_and_each_is_limited() {
        let failures = Failures::default();
        let now = Instant::now();
        let address = |number| IpAddr::from(std::net::Ipv4Addr::from_bits(number));
        for number in 0..30_000_u32 {
            failures.add(address(number), WIKI, now);
        }
        assert_eq!(locked(&failures.failed).windows.len(), MOST);
        assert_eq!(locked(&failures.failed).shared.len(), SHARED);
        // One of those that share a window.
        let guesser = address(40_000);
        let mut tries = 0;
        while failures.wait(guesser, WIKI, now).is_none() {
            failures.add(guesser, WIKI, now);
            tries += 1;
            assert!(tries <= SHARE, "not limited");
        }
        // Hardly anybody else is kept waiting by that.
        let kept_waiting = (50_000..51_000)
            .filter(|number| failures.wait(address(*number), WIKI, now).is_some())
            .count();
        assert!(kept_waiting < 100, "{kept_waiting}");
        assert_eq!(failures.wait(guesser, WIKI, now + WINDOW), None);
        failures.add(guesser, WIKI, now + WINDOW);
        assert_eq!(locked(&failures.failed).windows.len(), 2, "all were over");
    }
}
