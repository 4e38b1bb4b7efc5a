//! What is counted of all logins, hour by hour, for the owner's console. Nothing here is about
//! anybody in particular.

use std::{fmt, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

/// Seconds of an hour.
const HOUR_SECONDS: i64 = 3600;

/// For how long after its end an hour's figures are kept, in seconds: 31 days, so that 30 whole
/// ones can be shown.
const KEPT_SECONDS: i64 = 31 * 24 * HOUR_SECONDS;

/// How long ago a site's replica may have said how many browsers wait at it, to count as running.
pub const REPLICA_IS_GONE_AFTER: Duration = Duration::from_mins(1);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// A visitor was shown how to log in: a code of WeChat's or of ours, digits, or WeChat's consent
    /// page.
    Shown,
    /// It reached a phone: somebody scanned, sent the digits, or came back from WeChat.
    Scanned,
    /// Somebody who scanned began to follow the account by it.
    Followed,
    /// The login was confirmed.
    Confirmed,
    /// The browser has its session or ticket.
    Completed,
    /// The time was over while a browser was waiting.
    Expired,
    /// The person refused, or is banned.
    Denied,
    /// From the confirmation until the browser completed: up to 100 ms.
    Within100Ms,
    /// Up to 250 ms.
    Within250Ms,
    /// Up to 500 ms.
    Within500Ms,
    /// Up to a second.
    Within1S,
    /// Up to two seconds.
    Within2S,
    /// Up to five seconds.
    Within5S,
    /// Longer.
    Later,
}

impl Figure {
    /// How many there are.
    pub const COUNT: usize = 14;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Shown,
        Self::Scanned,
        Self::Followed,
        Self::Confirmed,
        Self::Completed,
        Self::Expired,
        Self::Denied,
        Self::Within100Ms,
        Self::Within250Ms,
        Self::Within500Ms,
        Self::Within1S,
        Self::Within2S,
        Self::Within5S,
        Self::Later,
    ];

    /// Those of how long browsers waited for the news, the shortest first.
    pub const DELAYS: [Self; 7] = [
        Self::Within100Ms,
        Self::Within250Ms,
        Self::Within500Ms,
        Self::Within1S,
        Self::Within2S,
        Self::Within5S,
        Self::Later,
    ];

    /// The one that counts a delay.
    pub fn of_delay(delay: Duration) -> Self {
        let within = Self::DELAYS
            .into_iter()
            .find(|figure| figure.at_most().is_some_and(|most| delay <= most));
        within.unwrap_or(Self::Later)
    }

    /// The longest delay that it counts; `None` for one that has no end, or counts no delays.
    pub fn at_most(self) -> Option<Duration> {
        let milliseconds = match self {
            Self::Within100Ms => 100,
            Self::Within250Ms => 250,
            Self::Within500Ms => 500,
            Self::Within1S => 1000,
            Self::Within2S => 2000,
            Self::Within5S => 5000,
            _ => return None,
        };
        Some(Duration::from_millis(milliseconds))
    }

    /// Its name in Redis.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Scanned => "scanned",
            Self::Followed => "followed",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Within100Ms => "within_100ms",
            Self::Within250Ms => "within_250ms",
            Self::Within500Ms => "within_500ms",
            Self::Within1S => "within_1s",
            Self::Within2S => "within_2s",
            Self::Within5S => "within_5s",
            Self::Later => "later",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.as_str() == name)
    }
}

/// An hour of the clock in UTC, and in every zone that differs by whole hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(i64);

impl Hour {
    /// The one that this moment is in.
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_second().div_euclid(HOUR_SECONDS))
    }

    /// The one that began so many hours earlier.
    #[must_use]
    pub const fn earlier(self, hours: i64) -> Self {
        Self(self.0 - hours)
    }

    /// When it began.
    pub fn begins(self) -> Timestamp {
        Timestamp::from_second(self.0 * HOUR_SECONDS).unwrap_or_default()
    }

    /// When nothing more of it is kept, in seconds since 1970.
    pub(crate) const fn forgotten_at(self) -> i64 {
        (self.0 + 1) * HOUR_SECONDS + KEPT_SECONDS
    }
}

impl fmt::Display for Hour {
    /// As in `2026-11-28T09`, in UTC.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = self.begins().to_zoned(TimeZone::UTC);
        write!(formatter, "{}", begins.strftime("%Y-%m-%dT%H"))
    }
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures([u64; Figure::COUNT]);

impl Figures {
    /// How often.
    pub const fn of(&self, figure: Figure) -> u64 {
        self.0[figure as usize]
    }

    /// Counts so many more.
    pub fn add(&mut self, figure: Figure, count: u64) {
        let sum = &mut self.0[figure as usize];
        *sum = sum.saturating_add(count);
    }

    /// Counts all of the others'.
    pub fn add_all(&mut self, others: &Self) {
        for figure in Figure::ALL {
            self.add(figure, others.of(figure));
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }
}

/// A replica of a site, as it last reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// What the process calls itself; a new one each time it starts.
    pub process: String,
    /// The site's name.
    pub site: String,
    /// How many browsers wait at it for a scan.
    pub waiting: u64,
    /// When it said so, by Redis' clock.
    pub at: Timestamp,
}

/// What Redis has of an hour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HourlyRecord {
    /// What was counted.
    pub figures: Figures,
    /// The sites' replicas that reported in it.
    pub replicas: Vec<Replica>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_has_its_own_place_and_name() {
        for (place, figure) in Figure::ALL.into_iter().enumerate() {
            assert_eq!(figure as usize, place);
            assert_eq!(Figure::parse(figure.as_str()), Some(figure));
        }
        assert_eq!(Figure::parse("none"), None);
    }

    #[test]
    fn a_delay_counts_where_it_belongs() {
        for (milliseconds, figure) in [
            (0, Figure::Within100Ms),
            (100, Figure::Within100Ms),
            (101, Figure::Within250Ms),
            (5000, Figure::Within5S),
            (5001, Figure::Later),
        ] {
            let delay = Duration::from_millis(milliseconds);
            assert_eq!(Figure::of_delay(delay), figure, "{milliseconds}");
        }
    }

    #[test]
    fn an_hour_is_named_by_its_beginning() {
        let at: Timestamp = "2026-11-28T09:59:59Z".parse().unwrap();
        let hour = Hour::of(at);
        assert_eq!(hour.to_string(), "2026-11-28T09");
        assert_eq!(hour.earlier(10).to_string(), "2026-11-27T23");
        assert_eq!(hour.begins().to_string(), "2026-11-28T09:00:00Z");
    }
}
