//! How fast the day's QR codes may be used.
//!
//! Clients that start one login after another and complete none are served while usage is below a
//! line: an eighth of the day's codes at its start, three quarters at its end. The rest is reserved
//! for clients that started few. So whatever the former do, the latter always find as many in
//! reserve as a busy site needs for the rest of the day; and below the line, nobody notices it.

use std::time::Duration;

use login_protocol::gateway_api::ClientLogins;

/// China has no summer time, so its days are all as long.
pub const DAY: Duration = Duration::from_hours(24);

/// The line's beginning and its rise over the day, in parts of [`WHOLE`] of the day's codes.
const BEGINNING: u64 = 1;
const RISE: u64 = 5;
const WHOLE: u64 = 8;

/// How many of the day's codes may be used so long after the day began, by all together, when this
/// client wants one.
pub fn may_be_used(client: ClientLogins, per_day: u32, into_the_day: Duration) -> u32 {
    match client {
        ClientLogins::Few => per_day,
        ClientLogins::Many => {
            let elapsed = milliseconds(into_the_day.min(DAY));
            let day = milliseconds(DAY);
            let line = u64::from(per_day) * (BEGINNING * day + RISE * elapsed) / (WHOLE * day);
            u32::try_from(line).unwrap_or(per_day)
        }
    }
}

/// How long after the day's beginning one more than these may be used by clients who had many;
/// `None`: not on this day.
pub fn line_passes(used: u32, per_day: u32) -> Option<Duration> {
    let day = milliseconds(DAY);
    let wanted = (u64::from(used) + 1) * WHOLE * day;
    let reached = wanted.div_ceil(u64::from(per_day).max(1));
    let elapsed = reached.saturating_sub(BEGINNING * day).div_ceil(RISE);
    (elapsed < day).then(|| Duration::from_millis(elapsed))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES: u32 = 24 * 60;

    /// What a new account has by default, and a test account.
    const ACCOUNTS: [u32; 2] = [90_000, 9_000];

    fn minute(number: u32) -> Duration {
        Duration::from_secs(60 * u64::from(number))
    }

    /// Of 1000 logins of a day, how many are begun in each hour: people sleep, work, and are online
    /// in the evening.
    const HOURS: [u32; 24] = [
        20, 12, 8, 5, 4, 5, 10, 22, 42, 58, 62, 58, 50, 48, 52, 54, 54, 54, 56, 66, 76, 80, 66, 38,
    ];

    /// A day on which attackers take all they get at every moment. Returns how many codes each side
    /// got, and how many honest logins got none.
    struct Outcome {
        honest: u32,
        refused: u32,
        attackers: u32,
    }

    fn day_under_attack(per_day: u32, honest_in_all: u32, as_few: u32) -> Outcome {
        let mut outcome = Outcome {
            honest: 0,
            refused: 0,
            attackers: 0,
        };
        let mut used = 0;
        for number in 0..MINUTES {
            let line = may_be_used(ClientLogins::Many, per_day, minute(number));
            // At midnight they have had few.
            let as_few = if number == 0 { as_few } else { 0 };
            let attackers = line.saturating_sub(used).max(as_few);
            (used, outcome.attackers) = (used + attackers, outcome.attackers + attackers);
            let hour = HOURS[usize::try_from(number / 60).unwrap()];
            let until =
                |minutes: u32| (u64::from(honest_in_all) * u64::from(hour * minutes)) / 60_000;
            let honest = u32::try_from(until(number % 60 + 1) - until(number % 60)).unwrap();
            let served = honest.min(per_day - used);
            used += served;
            outcome.honest += served;
            outcome.refused += honest - served;
        }
        outcome
    }

    #[test]
    fn the_hours_are_a_day() {
        assert_eq!(HOURS.iter().sum::<u32>(), 1000);
    }

    #[test]
    fn who_had_few_finds_codes_all_day_whatever_the_others_do() {
        for per_day in ACCOUNTS {
            // A /48 and ten IPv4 addresses start with 130 of them.
            let outcome = day_under_attack(per_day, per_day / 2, 130);
            assert!(outcome.honest >= per_day / 2 - 100, "{}", outcome.honest);
            assert_eq!(outcome.refused, 0, "of {per_day}");
            assert!(outcome.attackers > per_day / 4, "the attack is one");
        }
    }

    #[test]
    fn without_an_attack_a_day_may_be_used_to_its_last_code() {
        for per_day in ACCOUNTS {
            for number in 0..MINUTES {
                let all = may_be_used(ClientLogins::Few, per_day, minute(number));
                assert_eq!(all, per_day);
            }
        }
    }

    #[test]
    fn a_launch_is_no_attack() {
        // Five thousand people in ten minutes, at every hour of a day as above, all from offices
        // that began many.
        let per_day = 90_000;
        let mut used_before = 0;
        for (hour, share) in (0..).zip(HOURS) {
            let line = may_be_used(ClientLogins::Many, per_day, minute(60 * hour));
            assert!(used_before + 5_000 <= line, "{used_before} at {hour}:00");
            used_before += 40 * share;
        }
    }

    #[test]
    fn the_line_rises_from_an_eighth_to_three_quarters() {
        let line = |number| may_be_used(ClientLogins::Many, 80_000, minute(number));
        assert_eq!(line(0), 10_000);
        assert_eq!(line(MINUTES / 2), 35_000);
        assert_eq!(line(MINUTES), 60_000);
        assert!((1..=MINUTES).all(|number| line(number - 1) <= line(number)));
    }

    #[test]
    fn it_is_said_truly_when_the_line_is_passed() {
        for per_day in [1, 2, 3, 45, 9_000, 90_000, u32::MAX] {
            for used in [0, 1, 10, 5_000, 60_000, u32::MAX - 1] {
                let may = |at| may_be_used(ClientLogins::Many, per_day, at) > used;
                match line_passes(used, per_day) {
                    Some(Duration::ZERO) => assert!(may(Duration::ZERO)),
                    Some(at) => {
                        let before = at.saturating_sub(Duration::from_millis(1));
                        assert!(may(at) && !may(before), "{used} of {per_day}: {at:?}");
                    }
                    None => assert!(
                        !may(DAY.saturating_sub(Duration::from_millis(1))),
                        "{used} of {per_day}"
                    ),
                }
            }
        }
    }
}
