//! What is kept about a follower.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::OpenId;

/// The profile that WeChat told us, or as much of it as WeChat still tells.
///
/// Since 2021-12-27 `user/info` returns neither nickname nor avatar; an empty string counts as
/// absent.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The UnionID, when the account is bound to an Open Platform account.
    pub unionid: Option<String>,
    /// The nickname that the person chose.
    pub nickname: Option<String>,
    /// The avatar's address; it dies when the person changes the avatar.
    pub avatar_url: Option<String>,
    /// Country, province and city as far as they are known, in words.
    pub location: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Profile(…)")
    }
}

/// A stored member, as `GET /v1/members/{openid}` returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The person towards this account.
    pub openid: OpenId,
    /// The person across the accounts of one Open Platform account.
    pub unionid: Option<String>,
    /// The nickname that the person chose.
    pub nickname: Option<String>,
    /// The avatar's address.
    pub avatar_url: Option<String>,
    /// Country, province and city in words.
    pub location: Option<String>,
    /// Whether the person follows the account now.
    pub subscribed: bool,
    /// When the account's first event about this person happened.
    pub first_seen_at: Timestamp,
    /// When the latest one happened.
    pub last_seen_at: Timestamp,
    /// When WeChat last told us the profile.
    pub profile_at: Option<Timestamp>,
    /// When the person last showed nickname and avatar, by web authorisation.
    pub shown_at: Option<Timestamp>,
}
