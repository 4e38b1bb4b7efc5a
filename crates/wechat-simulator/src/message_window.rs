//! How many customer messages (`message/custom/send`) the account may send to one person.
//!
//! Since 2021 a follow or a scan opens three messages for one minute, a message from the person
//! five for 48 hours (developers.weixin.qq.com/doc/service, customer service messages).

use jiff::{SignedDuration, Timestamp};

/// The allowances that are open towards one person, newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageWindow {
    allowances: Vec<Allowance>,
}

#[derive(Clone, Debug)]
struct Allowance {
    until: Timestamp,
    remaining: u32,
}

/// Why a customer message may not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageRefused {
    /// No allowance is open: errcode 45015.
    OutOfTime,
    /// An allowance is open and used up: errcode 45047.
    UsedUp,
}

impl MessageWindow {
    /// The person followed or scanned.
    pub(crate) fn open_for_scan(&mut self, now: Timestamp) {
        self.open(now, SignedDuration::from_secs(60), 3);
    }

    /// The person wrote.
    pub(crate) fn open_for_message(&mut self, now: Timestamp) {
        self.open(now, SignedDuration::from_hours(48), 5);
    }

    /// Uses one message of an open allowance, the one that ends first.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), MessageRefused> {
        self.allowances.retain(|allowance| allowance.until > now);
        if self.allowances.is_empty() {
            return Err(MessageRefused::OutOfTime);
        }
        let usable = self
            .allowances
            .iter_mut()
            .filter(|allowance| allowance.remaining > 0);
        let first = usable.min_by_key(|allowance| allowance.until);
        let allowance = first.ok_or(MessageRefused::UsedUp)?;
        allowance.remaining -= 1;
        Ok(())
    }

    fn open(&mut self, now: Timestamp, lasts: SignedDuration, remaining: u32) {
        self.allowances.retain(|allowance| allowance.until > now);
        // Within a window only the newest of its kind counts, so the list stays this short.
        self.allowances.truncate(8);
        self.allowances.push(Allowance {
            until: now + lasts,
            remaining,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_allows_three_messages_for_a_minute() {
        let now = Timestamp::UNIX_EPOCH;
        let mut window = MessageWindow::default();
        assert_eq!(window.take(now), Err(MessageRefused::OutOfTime));
        window.open_for_scan(now);
        for _ in 0..3 {
            assert_eq!(window.take(now), Ok(()));
        }
        assert_eq!(window.take(now), Err(MessageRefused::UsedUp));
        let later = now + SignedDuration::from_secs(60);
        assert_eq!(window.take(later), Err(MessageRefused::OutOfTime));
    }
}
