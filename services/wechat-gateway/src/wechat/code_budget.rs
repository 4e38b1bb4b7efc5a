//! The day's QR codes. WeChat's quota belongs to the account, and other programs that create codes
//! for it need some: so this service stops before the quota does, and paces usage ([`pacing`]).

use std::{future::pending, sync::Arc, time::Duration};

use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};
use login_protocol::{
    account::AccountName,
    gateway_api::ClientLogins,
    identity::AppId,
    steps::{CodesTaken, ReadCodesTaken, TakeCodes},
};
use service_kit::{
    clock::Clock,
    redis::{Store, StoreError},
};
use tokio::{sync::Mutex, time::sleep};

use super::pacing;
use crate::settings::QrCodeSettings;

/// How many codes a gateway takes out of the day's at once.
const SHARE: u32 = 20;

/// How often the metric of remaining codes is refreshed while this gateway takes none; others may.
const SHOWN_AGAIN: Duration = Duration::from_hours(1);

/// How soon it is after Redis was away.
const SHOWN_SOON: Duration = Duration::from_secs(30);

/// Why a client gets no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCodeLeft {
    /// The day's are used up.
    #[error("the day's QR codes are used up")]
    UsedUp {
        /// Until the next day's.
        retry_after: Duration,
    },
    /// Those that a client of this kind may have by now are.
    #[error("the remaining QR codes of the day are reserved for other clients")]
    Paced {
        /// Until it may have more.
        retry_after: Duration,
    },
}

/// What is left of the day's codes.
pub struct CodeBudget {
    store: Arc<Store>,
    clock: Clock,
    account: AccountName,
    app_id: AppId,
    per_day: u32,
    today: Mutex<Today>,
}

/// What this gateway has of a day's codes.
#[derive(Default)]
struct Today {
    day: Date,
    few: Share,
    many: Share,
}

/// Codes that were taken for clients of one kind.
#[derive(Default)]
struct Share {
    left: u32,
    /// Until this time there are no more: none are given back.
    not_before: Option<Timestamp>,
    /// Whether the log says that there were none.
    is_refusal_logged: bool,
}

impl CodeBudget {
    /// As many codes a day as the settings say; 0 is no limit.
    pub fn new(
        account: AccountName,
        app_id: AppId,
        settings: QrCodeSettings,
        store: Arc<Store>,
        clock: Clock,
    ) -> Self {
        Self {
            account,
            store,
            clock,
            app_id,
            per_day: settings.per_day,
            today: Mutex::default(),
        }
    }

    /// Takes one code of the day for a client of this kind. While Redis is away nobody counts:
    /// WeChat does in any case.
    ///
    /// # Errors
    ///
    /// The day's codes are used up, or those that this kind of client may have by now.
    pub async fn take(&self, client: ClientLogins) -> Result<(), NoCodeLeft> {
        if self.per_day == 0 {
            return Ok(());
        }
        let now = self.now();
        let mut today = self.today.lock().await;
        if today.day != now.date() {
            *today = Today {
                day: now.date(),
                ..Today::default()
            };
        }
        let share = match client {
            ClientLogins::Few => &mut today.few,
            ClientLogins::Many => &mut today.many,
        };
        if let Some(not_before) = share.not_before.filter(|at| *at > now.timestamp()) {
            return Err(self.paced(not_before, &now));
        }
        if share.left == 0 {
            let taken = match self.take_share(client, &now).await {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(account = self.account.in_log(), %error, "can't count the day's QR codes");
                    return Ok(());
                }
            };
            share.left = taken.granted;
            if taken.granted == 0 {
                return Err(self.refuse(share, taken, &now));
            }
        }
        share.left -= 1;
        Ok(())
    }

    async fn take_share(
        &self,
        client: ClientLogins,
        now: &Zoned,
    ) -> Result<CodesTaken, StoreError> {
        let step = TakeCodes {
            app_id: self.app_id.clone(),
            day: now.date(),
            share: SHARE,
            up_to: pacing::may_be_used(client, self.per_day, into_the_day(now)),
        };
        let taken = self.store.run(&step).await?;
        self.tell(taken);
        Ok(taken)
    }

    /// Updates the metric, and logs when half of them and when nine tenths are used: the gateway
    /// that takes the crossing share does, so once for all gateways.
    fn tell(&self, taken: CodesTaken) {
        let left = self.per_day.saturating_sub(taken.in_all);
        self.show(left);
        let left_before = left.saturating_add(taken.granted);
        let passed = |mark: u32| left <= mark && mark < left_before;
        if passed(self.tenth()) {
            tracing::warn!(
                account = self.account.in_log(),
                left,
                per_day = self.per_day,
                "the day's QR codes are nearly used up"
            );
        } else if passed(self.per_day / 2) {
            tracing::warn!(
                account = self.account.in_log(),
                left,
                per_day = self.per_day,
                "half of the day's QR codes are used"
            );
        }
    }

    fn refuse(&self, share: &mut Share, taken: CodesTaken, now: &Zoned) -> NoCodeLeft {
        let is_logged = std::mem::replace(&mut share.is_refusal_logged, true);
        if taken.in_all >= self.per_day {
            if !is_logged {
                tracing::error!(
                    account = self.account.in_log(),
                    per_day = self.per_day,
                    "the day's QR codes are used up; raise limits.qr_codes_per_day if WeChat's quota allows it"
                );
            }
            self.count_refusal("used_up");
            return NoCodeLeft::UsedUp {
                retry_after: until(tomorrow(now), now),
            };
        }
        if !is_logged {
            tracing::warn!(
                account = self.account.in_log(),
                left = self.per_day.saturating_sub(taken.in_all),
                per_day = self.per_day,
                "clients who began many logins and completed few are held back, so that the day's QR codes last \
                 for the others"
            );
        }
        let passes = pacing::line_passes(taken.in_all, self.per_day);
        let passes = passes.and_then(|at| start_of_day(now).checked_add(at).ok());
        let not_before = passes.unwrap_or_else(|| tomorrow(now));
        share.not_before = Some(not_before);
        self.paced(not_before, now)
    }

    /// Keeps the metric of remaining codes current even while nobody logs in: at start, and when a
    /// day begins.
    pub async fn keep_shown(&self) {
        if self.per_day == 0 {
            return pending().await;
        }
        loop {
            let wait = match self.look().await {
                Some(_) => {
                    let now = self.now();
                    until(tomorrow(&now), &now).min(SHOWN_AGAIN)
                }
                None => SHOWN_SOON,
            };
            sleep(wait).await;
        }
    }

    /// How many are left; `None` while Redis is away, which is said elsewhere.
    async fn look(&self) -> Option<u32> {
        let step = ReadCodesTaken {
            app_id: self.app_id.clone(),
            day: self.now().date(),
        };
        let taken = self.store.run(&step).await.ok()?;
        let left = self.per_day.saturating_sub(taken);
        self.show(left);
        Some(left)
    }

    /// How many of the day's codes are left, and of how many; `None` where there is no limit, or
    /// while Redis is away.
    pub async fn left(&self) -> Option<(u32, u32)> {
        if self.per_day == 0 {
            return None;
        }
        Some((self.look().await?, self.per_day))
    }

    /// The remark for operators that the day's codes are nearly used up, if they are.
    pub async fn remark(&self) -> Option<String> {
        if self.per_day == 0 {
            return None;
        }
        let left = self.look().await?;
        let per_day = self.per_day;
        match left {
            0 => Some(format!(
                "the day's QR codes are used up, all {per_day} of them"
            )),
            left if left <= self.tenth() => Some(format!(
                "the day's QR codes are nearly used up: {left} of {per_day} are left"
            )),
            _ => None,
        }
    }

    fn paced(&self, not_before: Timestamp, now: &Zoned) -> NoCodeLeft {
        self.count_refusal("paced");
        NoCodeLeft::Paced {
            retry_after: until(not_before, now),
        }
    }

    fn count_refusal(&self, reason: &'static str) {
        let account = self.account.label();
        metrics::counter!("wechat_qr_codes_refused_total", "reason" => reason, "account" => account)
            .increment(1);
    }

    fn show(&self, left: u32) {
        metrics::gauge!("wechat_qr_codes_left", "account" => self.account.label()).set(left);
    }

    /// WeChat's days are China's.
    fn now(&self) -> Zoned {
        let china = TimeZone::fixed(jiff::tz::offset(8));
        self.clock.now().to_zoned(china)
    }

    const fn tenth(&self) -> u32 {
        self.per_day / 10
    }
}

fn start_of_day(now: &Zoned) -> Timestamp {
    now.start_of_day()
        .map_or(now.timestamp(), |start| start.timestamp())
}

fn tomorrow(now: &Zoned) -> Timestamp {
    start_of_day(now)
        .checked_add(pacing::DAY)
        .unwrap_or(Timestamp::MAX)
}

fn into_the_day(now: &Zoned) -> Duration {
    let into = now.timestamp().duration_since(start_of_day(now));
    Duration::try_from(into).unwrap_or_default()
}

fn until(at: Timestamp, now: &Zoned) -> Duration {
    Duration::try_from(at.duration_since(now.timestamp())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::test_account::account;

    const PER_DAY: u32 = 9000;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_share_ends_with_chinas_day() {
        let (clock, hands) = Clock::standing(at("2026-11-27T15:59:59.999Z"));
        let budget = account(clock).code_budget;
        *budget.today.lock().await = Today {
            day: date(2026, 11, 27),
            few: Share {
                left: 2,
                ..Share::default()
            },
            ..Today::default()
        };
        assert_eq!(budget.take(ClientLogins::Few).await, Ok(()));
        assert_eq!(budget.today.lock().await.few.left, 1);
        hands.put(at("2026-11-27T16:00:00Z"));
        // A share of the new day's can't be had, since Redis is away; the old day's isn't used for
        // it.
        assert_eq!(budget.take(ClientLogins::Few).await, Ok(()));
        let today = budget.today.lock().await;
        assert_eq!((today.day, today.few.left), (date(2026, 11, 28), 0));
    }

    #[tokio::test]
    async fn who_had_many_waits_until_the_line_passes() {
        let (clock, hands) = Clock::standing(at("2026-11-27T04:00:00Z"));
        let budget = account(clock).code_budget;
        let taken = CodesTaken {
            granted: 0,
            in_all: 4000,
        };
        let paced = |milliseconds| NoCodeLeft::Paced {
            retry_after: Duration::from_millis(milliseconds),
        };
        let now = budget.now();
        let mut today = budget.today.lock().await;
        today.day = now.date();
        // 4001 of 9000 may be used 44,175.36 s after midnight.
        let refused = budget.refuse(&mut today.many, taken, &now);
        assert_eq!(refused, paced(975_360));
        today.few.left = 1;
        drop(today);

        hands.put(at("2026-11-27T04:16:15.359Z"));
        assert_eq!(budget.take(ClientLogins::Many).await, Err(paced(1)));
        assert_eq!(budget.take(ClientLogins::Few).await, Ok(()));
        hands.put(at("2026-11-27T04:16:15.360Z"));
        assert_eq!(budget.take(ClientLogins::Many).await, Ok(()));
    }

    #[tokio::test]
    async fn used_up_means_until_midnight_in_china() {
        for (now, retry_after) in [
            ("2026-11-27T15:59:59Z", Duration::from_secs(1)),
            ("2026-11-27T16:00:00Z", pacing::DAY),
            ("2026-11-28T04:00:00Z", pacing::DAY / 2),
        ] {
            let (clock, _hands) = Clock::standing(at(now));
            let budget = account(clock).code_budget;
            let taken = CodesTaken {
                granted: 0,
                in_all: PER_DAY,
            };
            let refused = budget.refuse(&mut Share::default(), taken, &budget.now());
            assert_eq!(refused, NoCodeLeft::UsedUp { retry_after }, "{now}");
        }
    }
}
