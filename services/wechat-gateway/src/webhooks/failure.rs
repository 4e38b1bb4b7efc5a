//! Why a receiver didn't take an event, as Redis keeps it for the owner.

use super::receiver::SendError;

/// How much of a cause is kept, in characters.
const KEPT: usize = 200;

/// Why a receiver didn't take an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It answered this status.
    Status(u16),
    /// It can't be reached, its certificate is wrong, or it took too long; or the event can't be
    /// signed.
    Other(String),
}

impl Failure {
    pub(super) fn of(error: &SendError) -> Self {
        match error {
            SendError::Unwanted => Self::Status(410),
            SendError::Refused(status) | SendError::Redirected(status) => Self::Status(*status),
            SendError::Unreachable(_) | SendError::Unsigned(_) => {
                Self::Other(error.to_string().chars().take(KEPT).collect())
            }
        }
    }

    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Other(cause) => cause.clone(),
        }
    }

    pub(super) fn read(text: String) -> Self {
        match text.parse() {
            Ok(status) => Self::Status(status),
            Err(_) => Self::Other(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        for error in [
            SendError::Refused(503),
            SendError::Redirected(302),
            SendError::Unreachable("connection refused".to_owned()),
        ] {
            let failure = Failure::of(&error);
            assert_eq!(Failure::read(failure.to_text()), failure);
        }
        let long = Failure::of(&SendError::Unreachable("错".repeat(500)));
        assert_eq!(long.to_text().chars().count(), KEPT);
    }
}
