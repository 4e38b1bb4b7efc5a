//! The login attempt's state machine.
//!
//! Rust defines the transitions here. Redis makes each one atomic: the scripts in [`crate::steps`]
//! implement the same rules, and a test runs both against each other.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an attempt stands. The text form is the one that browsers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// The QR code is on show; nobody has scanned it.
    Pending,
    /// Someone scanned it and has yet to confirm on the phone (tap mode only).
    Scanned,
    /// The person is known and agreed: the browser may redeem the attempt.
    Confirmed,
    /// The person who scanned said no, or is banned.
    Denied,
    /// It expired, or the visitor closed the modal: its key no longer exists.
    Expired,
    /// The browser redeemed it.
    Consumed,
}

impl AttemptStatus {
    /// All of them, in the order in which an attempt can pass through them.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Scanned,
        Self::Confirmed,
        Self::Denied,
        Self::Expired,
        Self::Consumed,
    ];

    /// The form that Redis, events and browsers carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Scanned => "scanned",
            Self::Confirmed => "confirmed",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Consumed => "consumed",
        }
    }

    /// Whether no later status matters to a waiting browser. `Confirmed` is not final: it becomes
    /// `Consumed`.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Denied | Self::Expired | Self::Consumed)
    }

    /// The status after a transition.
    ///
    /// # Errors
    ///
    /// When there is no such transition: the attempt stays as it is.
    pub const fn after(self, step: Move) -> Result<Self, IllegalMove> {
        match (self, step) {
            (Self::Pending, Move::Scan(Approval::Scan)) | (Self::Scanned, Move::Confirm) => {
                Ok(Self::Confirmed)
            }
            (Self::Pending, Move::Scan(Approval::Tap)) => Ok(Self::Scanned),
            (Self::Scanned, Move::Deny)
            | (Self::Pending | Self::Scanned | Self::Confirmed, Move::Refuse) => Ok(Self::Denied),
            (Self::Confirmed, Move::Redeem) => Ok(Self::Consumed),
            (Self::Pending | Self::Scanned | Self::Confirmed | Self::Denied, Move::Cancel) => {
                Ok(Self::Expired)
            }
            (
                Self::Pending | Self::Scanned | Self::Confirmed | Self::Denied | Self::Consumed,
                Move::Expire,
            ) => Ok(Self::Expired),
            (from, step) => Err(IllegalMove { from, step }),
        }
    }

    /// Whether an attempt can get from `self` to `later` by any number of transitions. A reader
    /// uses it to ignore status changes that are older than what it knows.
    pub const fn may_become(self, later: Self) -> bool {
        match self {
            Self::Pending => !matches!(later, Self::Pending),
            Self::Scanned => matches!(
                later,
                Self::Confirmed | Self::Denied | Self::Expired | Self::Consumed
            ),
            Self::Confirmed => matches!(later, Self::Denied | Self::Consumed | Self::Expired),
            Self::Denied | Self::Consumed => matches!(later, Self::Expired),
            Self::Expired => false,
        }
    }
}

impl fmt::Display for AttemptStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for AttemptStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

/// A status that this version doesn't know.
#[derive(Debug, thiserror::Error)]
#[error("unknown attempt status")]
pub struct UnknownStatus;

/// What can happen to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Somebody scanned the QR code.
    Scan(Approval),
    /// The person who scanned confirmed on the phone.
    Confirm,
    /// The person who scanned refused on the phone.
    Deny,
    /// The owner banned the person who scanned.
    Refuse,
    /// The browser that started the attempt takes its session.
    Redeem,
    /// The modal was closed.
    Cancel,
    /// The lifetime ran out.
    Expire,
}

/// What makes a scan a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// The scan alone.
    #[default]
    Scan,
    /// A confirm button on the phone as well.
    Tap,
}

impl Approval {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Scan, Self::Tap];

    /// The form that settings and records carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Tap => "tap",
        }
    }
}

impl FromStr for Approval {
    type Err = UnknownApproval;

    fn from_str(text: &str) -> Result<Self, UnknownApproval> {
        Self::ALL
            .into_iter()
            .find(|approval| approval.as_str() == text)
            .ok_or(UnknownApproval)
    }
}

/// The text names no approval.
#[derive(Debug, thiserror::Error)]
#[error("must be scan or tap")]
pub struct UnknownApproval;

/// There is no such transition from this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an attempt that is {from} doesn't allow {step:?}")]
pub struct IllegalMove {
    /// Where the attempt stands.
    pub from: AttemptStatus,
    /// What was tried.
    pub step: Move,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVES: [Move; 8] = [
        Move::Scan(Approval::Scan),
        Move::Scan(Approval::Tap),
        Move::Confirm,
        Move::Deny,
        Move::Refuse,
        Move::Redeem,
        Move::Cancel,
        Move::Expire,
    ];

    #[test]
    fn only_a_confirmed_attempt_can_be_redeemed() {
        for status in AttemptStatus::ALL {
            assert_eq!(
                status.after(Move::Redeem).is_ok(),
                status == AttemptStatus::Confirmed,
                "{status}"
            );
        }
    }

    #[test]
    fn an_attempt_can_be_scanned_once() {
        for status in AttemptStatus::ALL {
            for approval in [Approval::Scan, Approval::Tap] {
                assert_eq!(
                    status.after(Move::Scan(approval)).is_ok(),
                    status == AttemptStatus::Pending
                );
            }
        }
    }

    #[test]
    fn reachability_is_the_closure_of_the_moves() {
        for from in AttemptStatus::ALL {
            let mut reached = Vec::new();
            let mut frontier = vec![from];
            while let Some(status) = frontier.pop() {
                for next in MOVES.into_iter().filter_map(|step| status.after(step).ok()) {
                    if !reached.contains(&next) {
                        reached.push(next);
                        frontier.push(next);
                    }
                }
            }
            for later in AttemptStatus::ALL {
                assert_eq!(
                    from.may_become(later),
                    reached.contains(&later),
                    "{from} to {later}"
                );
            }
        }
    }

    #[test]
    fn the_text_form_is_read_back() {
        for status in AttemptStatus::ALL {
            assert_eq!(status.as_str().parse::<AttemptStatus>().unwrap(), status);
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("gone".parse::<AttemptStatus>().is_err());
        for approval in Approval::ALL {
            assert_eq!(approval.as_str().parse::<Approval>().unwrap(), approval);
        }
        assert!("Tap".parse::<Approval>().is_err());
    }
}
