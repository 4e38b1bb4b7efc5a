//! Whether this machine's clock is right: by WeChat's, or else by Redis'.

use jiff::{SignedDuration, Timestamp};

use super::report::Check;

const NAME: &str = "clock";

/// From here on it is worth a look.
const NOTICEABLE: SignedDuration = SignedDuration::from_secs(60);

/// Pushes that are five minutes off are refused, so this leaves a minute.
const DANGEROUS: SignedDuration = SignedDuration::from_secs(240);

const SYNCHRONISE: &str = "Synchronise this machine's clock: run chrony or systemd-timesyncd";

/// A clock elsewhere, less this machine's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offset(SignedDuration);

impl Offset {
    /// Reads another clock. Its time is taken for that of the middle of the question.
    pub(super) async fn measure<E>(
        ask: impl Future<Output = Result<Option<Timestamp>, E>>,
    ) -> Option<Self> {
        let before = Timestamp::now();
        let theirs = ask.await.ok()??;
        let middle = before + Timestamp::now().duration_since(before) / 2;
        Some(Self(theirs.duration_since(middle)))
    }
}

/// Judges what was measured. WeChat's clock decides, because it stamps the pushes; beside it, Redis'
/// own error shortens or lengthens only the minute in which a login can be completed again.
pub(super) fn judge(wechat: Option<Offset>, redis: Option<Offset>) -> Check {
    match (wechat, redis) {
        (Some(wechat), redis) => {
            let check = by(wechat, "WeChat's");
            match redis {
                Some(redis) if check.action.is_none() && redis.0.abs() > NOTICEABLE => Check::warn(
                    NAME,
                    format!("right by WeChat's, but {}", difference(redis, "Redis'")),
                    "Synchronise the clock of the machine that Redis runs on",
                ),
                _ => check,
            }
        }
        (None, Some(redis)) => by(redis, "Redis'"),
        (None, None) => Check::skip(NAME, "neither WeChat nor Redis told the time"),
    }
}

fn by(offset: Offset, whose: &str) -> Check {
    if offset.0.abs() > DANGEROUS {
        let detail = format!(
            "{}; pushes are refused beyond five minutes",
            difference(offset, whose)
        );
        Check::fail(NAME, detail, SYNCHRONISE)
    } else if offset.0.abs() > NOTICEABLE {
        Check::warn(NAME, difference(offset, whose), SYNCHRONISE)
    } else {
        Check::ok(NAME, format!("within a minute of {whose}"))
    }
}

fn difference(offset: Offset, whose: &str) -> String {
    let seconds = offset.0.as_secs();
    let direction = if seconds > 0 { "behind" } else { "ahead of" };
    format!("{} s {direction} {whose}", seconds.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::report::Status;

    fn judged(wechat: Option<i64>, redis: Option<i64>) -> Check {
        let offset = |seconds| Offset(SignedDuration::from_secs(seconds));
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

    #[tokio::test]
    async fn a_clock_that_cannot_be_read_has_no_offset() {
        assert!(Offset::measure(async { Err(()) }).await.is_none());
        assert!(Offset::measure(async { Ok::<_, ()>(None) }).await.is_none());
        let told = async { Ok::<_, ()>(Some(Timestamp::now())) };
        let offset = Offset::measure(told).await.unwrap();
        assert!(offset.0.abs() < NOTICEABLE);
    }
}
