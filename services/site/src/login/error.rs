//! Why a login doesn't begin, or isn't completed.

use std::time::Duration;

use login_protocol::attempt::AttemptStatus;
use service_kit::{random::NoRandomness, redis::StoreError, subjects::SubjectError};

use super::proof_of_work::Challenge;
use crate::gateway_client::GatewayError;

/// Why no login began.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The site doesn't offer this way to log in.
    #[error("the site doesn't offer this method")]
    MethodNotOffered,
    /// This client began too many.
    #[error("this client started too many logins")]
    TooManyOfClient {
        /// Until it may begin another one.
        retry_after: Duration,
    },
    /// Logins begin too fast for people, and this one's browser didn't do the work for it.
    #[error("the browser has to do some work first")]
    WorkRequired {
        /// The work.
        challenge: Challenge,
        /// Until it would begin without; `None` if this client has to work all day.
        room_after: Option<Duration>,
    },
    /// This process began too many by web authorisation, whoever asked.
    #[error("too many logins were started by web authorisation")]
    TooManyWebAuthorizations {
        /// Until another one may begin.
        retry_after: Duration,
    },
    /// The gateway failed or refused.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no secret to be had.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// Why a login isn't completed.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// The attempt isn't confirmed, or is over.
    #[error("the attempt is {}", .0.as_str())]
    NotRedeemable(AttemptStatus),
    /// Its person signed out everywhere after confirming it.
    #[error("the user signed out everywhere")]
    SignedOutEverywhere,
    /// Its person doesn't follow the account, and the site asks for that.
    #[error("the user doesn't follow the account")]
    FollowingRequired,
    /// The owner banned its person.
    #[error("the user is banned")]
    Banned,
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no session to be had.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl From<SubjectError> for CompleteError {
    fn from(error: SubjectError) -> Self {
        match error {
            SubjectError::Store(error) => Self::Store(error),
            SubjectError::Randomness(error) => Self::Randomness(error),
        }
    }
}
