//! Random bytes of the operating system. Both services get all of theirs here, so that there is a
//! single error for a machine that has none.

use std::time::Duration;

use actix_web::http::StatusCode;
use login_protocol::problem::ProblemCode;

use crate::problem::Problem;

/// The operating system provides no random bytes. Nothing unguessable can be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the operating system provides no random bytes: {0} (does a seccomp profile forbid getrandom?)"
)]
pub struct NoRandomness(getrandom::Error);

/// `N` random bytes.
///
/// # Errors
///
/// The operating system provides none.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// A unique, unguessable name: 128 random bits in hexadecimal digits.
///
/// # Errors
///
/// The operating system provides no random bytes.
pub fn name() -> Result<String, NoRandomness> {
    Ok(format!("{:032x}", u128::from_be_bytes(bytes()?)))
}

impl NoRandomness {
    /// Logs that a request failed because of it.
    pub fn log(&self) {
        tracing::error!(error = %self, "a request can't be served");
    }
}

impl From<NoRandomness> for Problem {
    /// What a client reads. The log has the details.
    fn from(error: NoRandomness) -> Self {
        error.log();
        let detail = "Something went wrong here. Try again later.";
        Self::new(ProblemCode::Internal, detail)
            .with_status(StatusCode::SERVICE_UNAVAILABLE)
            .retry_after(Duration::from_secs(5))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;

    use super::*;

    #[test]
    fn names_differ_and_need_no_escaping() {
        let (one, other) = (name().unwrap(), name().unwrap());
        assert_ne!(one, other);
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        assert!(one.len() == 32 && one.bytes().all(is_digit), "{one}");
    }

    #[test]
    fn a_machine_without_random_bytes_is_a_failure_that_may_pass() {
        let problem = Problem::from(NoRandomness(getrandom::Error::UNSUPPORTED));
        let response = problem.error_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers().get("retry-after").unwrap(), "5");
    }
}
