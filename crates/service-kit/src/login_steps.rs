//! The steps of all logins, counted for Prometheus (`login_steps_total`) and, hour by hour, for the
//! owner's console. A component looks its counters up when it is made; to count is then an atomic
//! addition or two.

use login_protocol::{account::AccountName, history::Figure, method::Method};
use metrics::Counter;

use crate::history;

/// What a login comes to. Not every one takes each step, and none takes one twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginStep {
    /// A visitor was shown how to log in: a code of WeChat's or of ours, digits, or WeChat's consent
    /// page.
    Shown,
    /// It reached a phone.
    Scanned,
    /// Somebody who scanned began to follow the account by it.
    Followed,
    /// It was confirmed: by the scan, or on the phone.
    Confirmed,
    /// The browser has its session or ticket.
    Completed,
    /// The time was over while a browser was waiting.
    Expired,
    /// The person refused, or is banned.
    Denied,
    /// The visitor gave it up: the modal was closed, or another way was chosen.
    Cancelled,
}

impl LoginStep {
    /// The label's value.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Scanned => "scanned",
            Self::Followed => "followed",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
        }
    }

    /// Where the console counts it.
    const fn figure(self) -> Option<Figure> {
        match self {
            Self::Shown => Some(Figure::Shown),
            Self::Scanned => Some(Figure::Scanned),
            Self::Followed => Some(Figure::Followed),
            Self::Confirmed => Some(Figure::Confirmed),
            Self::Completed => Some(Figure::Completed),
            Self::Expired => Some(Figure::Expired),
            Self::Denied => Some(Figure::Denied),
            Self::Cancelled => None,
        }
    }
}

/// Counts a step of the logins at one account, by whichever method. Its series exist from the start,
/// at zero.
pub struct StepCounters([StepCounter; Method::ALL.len()]);

/// Counts a step of the logins by one method at one account.
#[derive(Clone)]
pub struct StepCounter {
    figure: Option<Figure>,
    counter: Counter,
}

impl StepCounters {
    /// Those of this step at this account.
    pub fn new(step: LoginStep, account: &AccountName) -> Self {
        Self(Method::ALL.map(|method| StepCounter {
            figure: step.figure(),
            counter: metrics::counter!(
                "login_steps_total",
                "step" => step.as_str(), "method" => method.as_str(), "account" => account.label()
            ),
        }))
    }

    /// The one of a method.
    pub const fn of(&self, method: Method) -> &StepCounter {
        &self.0[method as usize]
    }

    /// Counts one more by this method.
    pub fn count(&self, method: Method) {
        self.of(method).count();
    }
}

impl StepCounter {
    /// Counts one more.
    pub fn count(&self) {
        self.counter.increment(1);
        if let Some(figure) = self.figure {
            history::count(figure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_its_own_place() {
        for (place, method) in Method::ALL.into_iter().enumerate() {
            assert_eq!(method as usize, place);
        }
    }
}
