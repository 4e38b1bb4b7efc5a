//! How many calls of a path are allowed: in a day (45009) and in a minute (45011).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::setup::Setup;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The calls that count towards the quotas. When WeChat begins a new day is not documented, so a
/// day's count lasts until the quotas are cleared.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    used: Mutex<HashMap<String, Used>>,
}

#[derive(Debug, Default)]
struct Used {
    day: u64,
    minute: u64,
    minute_began: Timestamp,
}

/// The quota that a call would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// The day's: errcode 45009.
    Day,
    /// The minute's: errcode 45011.
    Minute,
}

impl Quotas {
    /// Counts a call, or says why it is one too many. Only paths with a quota are counted.
    pub(crate) fn take(&self, path: &str, setup: &Setup, now: Timestamp) -> Result<(), Exceeded> {
        let (day, minute) = (setup.quota.get(path), setup.minute_quota.get(path));
        if day.is_none() && minute.is_none() {
            return Ok(());
        }
        let mut used = self.lock();
        let used = used.entry(path.to_owned()).or_default();
        if now.duration_since(used.minute_began) >= MINUTE {
            used.minute_began = now;
            used.minute = 0;
        }
        if day.is_some_and(|limit| used.day >= *limit) {
            return Err(Exceeded::Day);
        }
        if minute.is_some_and(|limit| used.minute >= *limit) {
            return Err(Exceeded::Minute);
        }
        used.day += 1;
        used.minute += 1;
        Ok(())
    }

    /// How much of the day's quota is used.
    pub(crate) fn used(&self, path: &str) -> u64 {
        self.lock().get(path).map_or(0, |used| used.day)
    }

    /// Begins a new day.
    pub(crate) fn clear(&self) {
        self.lock().values_mut().for_each(|used| used.day = 0);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use url::Url;

    use super::*;
    use crate::setup::PushMode;

    const PATH: &str = "/cgi-bin/user/info";

    fn setup(quota: u64, minute_quota: u64) -> Setup {
        let callback = Url::parse("http://127.0.0.1/").unwrap();
        Setup {
            quota: BTreeMap::from([(PATH.to_owned(), quota)]),
            minute_quota: BTreeMap::from([(PATH.to_owned(), minute_quota)]),
            ..Setup::usual(PushMode::Plain, callback)
        }
    }

    #[test]
    fn a_minute_passes_and_a_day_lasts_until_the_quotas_are_cleared() {
        let quotas = Quotas::default();
        let setup = setup(3, 2);
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let take = |now| quotas.take(PATH, &setup, now);
        assert_eq!((take(now), take(now)), (Ok(()), Ok(())));
        assert_eq!(take(now), Err(Exceeded::Minute));
        let later = now + MINUTE;
        assert_eq!(take(later), Ok(()));
        assert_eq!(take(later), Err(Exceeded::Day));
        assert_eq!(quotas.used(PATH), 3);
        quotas.clear();
        assert_eq!(quotas.take(PATH, &setup, later), Ok(()));
        assert_eq!(quotas.take("/other", &setup, later), Ok(()));
    }
}
