//! How far this machine's clock is from another one.

use jiff::{SignedDuration, Timestamp};

/// Pushes that are five minutes off are refused, so this leaves a minute.
const DANGEROUS: SignedDuration = SignedDuration::from_secs(240);

/// A clock elsewhere, less this machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOffset(pub SignedDuration);

impl ClockOffset {
    /// Reads another clock. Its time is taken for that of the middle of the question.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub async fn measure<E>(ask: impl Future<Output = Result<Timestamp, E>>) -> Result<Self, E> {
        let before = Timestamp::now();
        let theirs = ask.await?;
        let middle = before + Timestamp::now().duration_since(before) / 2;
        Ok(Self(theirs.duration_since(middle)))
    }

    /// Whether the services can't work with it.
    pub fn is_dangerous(self) -> bool {
        self.0.abs() > DANGEROUS
    }

    /// This machine's clock beside the other one, such as `300 s behind WeChat's`.
    pub fn words(self, whose: &str) -> String {
        let seconds = self.0.as_secs();
        let direction = if seconds > 0 { "behind" } else { "ahead of" };
        format!("{} s {direction} {whose}", seconds.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_is_named() {
        for (seconds, words, is_dangerous) in [
            (300, "300 s behind WeChat's", true),
            (-300, "300 s ahead of WeChat's", true),
            (241, "241 s behind WeChat's", true),
            (240, "240 s behind WeChat's", false),
            (-240, "240 s ahead of WeChat's", false),
        ] {
            let offset = ClockOffset(SignedDuration::from_secs(seconds));
            assert_eq!(offset.words("WeChat's"), words);
            assert_eq!(offset.is_dangerous(), is_dangerous, "{seconds}");
        }
    }

    #[tokio::test]
    async fn a_clock_that_cannot_be_read_has_no_offset() {
        assert_eq!(ClockOffset::measure(async { Err(7) }).await, Err(7));
        let told = async { Ok::<_, ()>(Timestamp::now() + SignedDuration::from_secs(600)) };
        let offset = ClockOffset::measure(told).await.unwrap();
        let error = offset.0 - SignedDuration::from_secs(600);
        assert!(error.abs() < SignedDuration::from_secs(10), "{error:?}");
    }
}
