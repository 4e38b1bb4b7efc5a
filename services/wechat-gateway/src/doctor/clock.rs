//! Whether this machine's clock is right: by WeChat's, or else by Redis'.

use jiff::SignedDuration;
use service_kit::clock_offset::ClockOffset;

use super::report::Check;

const NAME: &str = "clock";

/// From here on it is worth a look.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(60);

const SYNCHRONISE: &str = "Synchronise this machine's clock: run chrony or systemd-timesyncd";

/// Judges what was measured. WeChat's clock decides, because it stamps the pushes; beside it,
/// Redis' own error shortens or lengthens only the minute in which a login can be completed again.
pub(super) fn judge(wechat: Option<ClockOffset>, redis: Option<ClockOffset>) -> Check {
    match (wechat, redis) {
        (Some(wechat), redis) => {
            let check = by(wechat, "WeChat's");
            match redis {
                Some(redis) if check.action.is_none() && redis.0.abs() > NOTICEABLE => Check::warn(
                    NAME,
                    format!("right by WeChat's, but {}", redis.words("Redis'")),
                    "Synchronise the clock of the machine that Redis runs on",
                ),
                _ => check,
            }
        }
        (None, Some(redis)) => by(redis, "Redis'"),
        (None, None) => Check::skip(NAME, "neither WeChat nor Redis reported the time"),
    }
}

fn by(offset: ClockOffset, whose: &str) -> Check {
    if offset.is_dangerous() {
        let detail = format!(
            "{}; pushes are refused beyond five minutes",
            offset.words(whose)
        );
        Check::fail(NAME, detail, SYNCHRONISE)
    } else if offset.0.abs() > NOTICEABLE {
        Check::warn(NAME, offset.words(whose), SYNCHRONISE)
    } else {
        Check::ok(NAME, format!("within a minute of {whose}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Status;

    fn judged(wechat: Option<i64>, redis: Option<i64>) -> Check {
        let offset = |seconds| ClockOffset(SignedDuration::from_secs(seconds));
        judge(wechat.map(offset), redis.map(offset))
    }

    #[test]
    fn wechats_clock_decides() {
        for (wechat, redis, expected) in [
            (Some(0), Some(0), Status::Ok),
            (Some(60), Some(-60), Status::Ok),
            (Some(-61), Some(0), Status::Warn),
            (Some(240), None, Status::Warn),
            (Some(241), Some(0), Status::Fail),
            (Some(-241), None, Status::Fail),
            (Some(0), Some(1000), Status::Warn),
            (None, Some(61), Status::Warn),
            (None, Some(-241), Status::Fail),
            (None, None, Status::Skip),
        ] {
            let check = judged(wechat, redis);
            assert_eq!(check.status, expected, "{wechat:?} {redis:?} {check:?}");
        }
    }

    #[test]
    fn the_direction_is_named() {
        assert!(
            judged(Some(300), None)
                .detail
                .starts_with("300 s behind WeChat's")
        );
        assert!(
            judged(Some(-300), None)
                .detail
                .starts_with("300 s ahead of WeChat's")
        );
        assert_eq!(
            judged(Some(1), Some(90)).detail,
            "right by WeChat's, but 90 s behind Redis'"
        );
    }
}
