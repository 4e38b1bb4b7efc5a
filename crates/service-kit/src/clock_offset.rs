//! How far this machine's clock is from another one.

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

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
    pub async fn measure<E>(
        clock: Clock,
        ask: impl Future<Output = Result<Timestamp, E>>,
    ) -> Result<Self, E> {
        let before = clock.now();
        let theirs = ask.await?;
        let middle = before + clock.now().duration_since(before) / 2;
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
    async fn the_other_clocks_time_is_that_of_the_middle_of_the_question() {
        let noon: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let seconds = SignedDuration::from_secs;
        let (clock, hands) = Clock::standing(noon);
        let told = async {
            hands.put(noon + seconds(4));
            Ok::<_, ()>(noon + seconds(602))
        };
        let offset = ClockOffset::measure(clock, told).await;
        assert_eq!(offset, Ok(ClockOffset(seconds(600))));
    }

    #[tokio::test]
    async fn a_clock_that_cannot_be_read_has_no_offset() {
        let read = ClockOffset::measure(Clock::system(), async { Err(7) }).await;
        assert_eq!(read, Err(7));
    }
}
