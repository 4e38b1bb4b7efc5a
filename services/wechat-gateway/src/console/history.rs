//! What the console shows of the last 30 days.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use login_protocol::{
    history::{Figure, Figures, Hour, REPLICA_IS_GONE_AFTER, Replica},
    steps::ReadHour,
};
use service_kit::redis::{Store, StoreError};

/// How many hours are shown hour by hour.
pub(crate) const HOURS: i64 = 24;

/// How many days are shown.
pub(crate) const DAYS: i64 = 30;

/// How many hours are read at once.
const BATCH: usize = 120;

/// An hour that ended so many hours ago doesn't change any more, and isn't read again.
const SETTLED_AFTER: i64 = 3;

/// Reads it, each settled hour once.
pub(crate) struct History {
    store: Arc<Store>,
    settled: Mutex<BTreeMap<Hour, Figures>>,
}

/// It, read.
#[derive(Debug)]
pub(crate) struct Past {
    /// The last 24 hours, the oldest first; the last one goes on.
    pub(crate) hours: Vec<(Hour, Figures)>,
    /// The last 30 days by China's calendar, the oldest first.
    pub(crate) days: Vec<(Date, Figures)>,
    /// The sites' replicas that run.
    pub(crate) replicas: Vec<Replica>,
    /// When it was read.
    pub(crate) at: Timestamp,
}

impl History {
    /// In this store.
    pub(crate) const fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            settled: Mutex::new(BTreeMap::new()),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(crate) async fn read(&self, now: Timestamp) -> Result<Past, StoreError> {
        let current = Hour::of(now);
        // Thirty days by the calendar have no more hours than these, since today isn't over.
        let all: Vec<Hour> = (0..DAYS * 24).map(|ago| current.earlier(ago)).collect();
        let mut figures = self.known(&all);
        let missing: Vec<Hour> = all
            .iter()
            .copied()
            .filter(|hour| !figures.contains_key(hour))
            .collect();
        let mut replicas: Vec<Replica> = Vec::new();
        for batch in missing.chunks(BATCH) {
            let reads: Vec<_> = batch.iter().map(|hour| ReadHour { hour: *hour }).collect();
            let records = self.store.run_all(&reads).await?;
            for (hour, record) in batch.iter().zip(records) {
                figures.insert(*hour, record.figures);
                for replica in record.replicas {
                    // The newer hours are read first.
                    if replicas
                        .iter()
                        .all(|known| known.process != replica.process)
                    {
                        replicas.push(replica);
                    }
                }
            }
        }
        self.keep_settled(current, &figures);
        replicas.retain(|replica| is_running(replica, now));
        replicas
            .sort_by(|one, other| (&one.site, &one.process).cmp(&(&other.site, &other.process)));
        let first = current.earlier(HOURS - 1);
        Ok(Past {
            hours: figures
                .range(first..)
                .map(|(hour, sums)| (*hour, *sums))
                .collect(),
            days: by_day(&figures, now),
            replicas,
            at: now,
        })
    }

    fn known(&self, hours: &[Hour]) -> BTreeMap<Hour, Figures> {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hours.iter().filter_map(|hour| {
            let figures = settled.get(hour)?;
            Some((*hour, *figures))
        });
        known.collect()
    }

    fn keep_settled(&self, current: Hour, figures: &BTreeMap<Hour, Figures>) {
        let kept = figures.range(..current.earlier(SETTLED_AFTER));
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        *settled = kept.map(|(hour, sums)| (*hour, *sums)).collect();
    }
}

fn is_running(replica: &Replica, now: Timestamp) -> bool {
    let gone = SignedDuration::try_from(REPLICA_IS_GONE_AFTER).unwrap_or(SignedDuration::MAX);
    now.duration_since(replica.at) < gone
}

fn by_day(figures: &BTreeMap<Hour, Figures>, now: Timestamp) -> Vec<(Date, Figures)> {
    let today = day_of(now);
    let mut days: BTreeMap<Date, Figures> = BTreeMap::new();
    let mut day = today;
    for _ in 0..DAYS {
        days.insert(day, Figures::default());
        let Ok(before) = day.yesterday() else { break };
        day = before;
    }
    for (hour, sums) in figures {
        if let Some(day) = days.get_mut(&day_of(hour.begins())) {
            day.add_all(sums);
        }
    }
    days.into_iter().collect()
}

/// The day that it is in China, as WeChat counts days.
fn day_of(at: Timestamp) -> Date {
    at.to_zoned(china()).date()
}

/// China's clocks.
pub(crate) fn china() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

impl Past {
    /// The sums of the last 24 hours.
    pub(crate) fn last_day(&self) -> Figures {
        sum(self.hours.iter().map(|(_, figures)| figures))
    }

    /// The sums of the last 30 days.
    pub(crate) fn last_month(&self) -> Figures {
        sum(self.days.iter().map(|(_, figures)| figures))
    }

    /// How many logins a minute were completed lately: since the hour began, and in the hour before
    /// while that is less than ten minutes ago.
    pub(crate) fn logins_a_minute(&self) -> f64 {
        let Some(((hour, current), before)) = self.hours.split_last() else {
            return 0.0;
        };
        let seconds = self.at.duration_since(hour.begins()).as_secs().max(1);
        let mut minutes = f64::from(i32::try_from(seconds).unwrap_or(i32::MAX)) / 60.0;
        let mut logins = current.of(Figure::Completed);
        if let Some((_, before)) = before.last().filter(|_| minutes < 10.0) {
            minutes += 60.0;
            logins += before.of(Figure::Completed);
        }
        f64::from(u32::try_from(logins).unwrap_or(u32::MAX)) / minutes.max(1.0)
    }
}

fn sum<'a>(all: impl Iterator<Item = &'a Figures>) -> Figures {
    all.fold(Figures::default(), |mut sums, figures| {
        sums.add_all(figures);
        sums
    })
}

/// Within what time so many per cent of all browsers had the news: the bound of the delay that
/// counts the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delay {
    /// At most this long.
    Within(Duration),
    /// Longer than what is told apart.
    Longer,
}

/// The delay that 95 of 100 browsers stayed within; `None` where none completed.
pub(crate) fn usual_delay(figures: &Figures) -> Option<Delay> {
    let all: u64 = Figure::DELAYS.iter().map(|delay| figures.of(*delay)).sum();
    let mut seen = 0;
    let last = Figure::DELAYS.into_iter().find(|delay| {
        seen += figures.of(*delay);
        seen > 0 && seen * 100 >= all * 95
    })?;
    Some(last.at_most().map_or(Delay::Longer, Delay::Within))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_become_chinas_days() {
        let now = at("2026-11-28T17:30:00Z");
        let mut figures = BTreeMap::new();
        for (hour, count) in [("2026-11-28T15:00:00Z", 3), ("2026-11-28T16:00:00Z", 4)] {
            let mut sums = Figures::default();
            sums.add(Figure::Completed, count);
            figures.insert(Hour::of(at(hour)), sums);
        }
        let days = by_day(&figures, now);
        assert_eq!(days.len(), 30);
        let last: Vec<_> = days[28..]
            .iter()
            .map(|(day, sums)| (day.to_string(), sums.of(Figure::Completed)))
            .collect();
        let expected = [("2026-11-28", 3), ("2026-11-29", 4)];
        assert_eq!(last, expected.map(|(day, count)| (day.to_owned(), count)));
    }

    #[test]
    fn the_usual_delay_is_that_of_95_in_100() {
        let mut figures = Figures::default();
        assert_eq!(usual_delay(&figures), None);
        figures.add(Figure::Within100Ms, 94);
        figures.add(Figure::Within1S, 1);
        figures.add(Figure::Later, 5);
        let second = Delay::Within(Duration::from_secs(1));
        assert_eq!(usual_delay(&figures), Some(second));
        figures.add(Figure::Later, 1);
        assert_eq!(usual_delay(&figures), Some(Delay::Longer));
    }
}
