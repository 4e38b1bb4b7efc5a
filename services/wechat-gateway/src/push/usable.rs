//! Whether anything can be done with a push that is WeChat's beyond doubt.

use jiff::{SignedDuration, Timestamp};
use login_protocol::identity::OpenId;
use wechat_wire::{message_crypto::DecryptError, push::Push, xml::XmlError};

/// How far from this server's clock a push may have been signed, and its event may have happened.
/// WeChat delivers an event at once and again within about 15 seconds, with the same `CreateTime`;
/// the rest is for clocks.
pub const FRESHNESS: SignedDuration = SignedDuration::from_mins(5);

/// A push that was read, of somebody with an openid, about something that happened just now.
#[derive(Clone)]
pub struct UsablePush {
    /// What WeChat says.
    pub push: Push,
    /// Whom it is about.
    pub openid: OpenId,
    /// When it happened.
    pub at: Timestamp,
}

/// Why nothing can be done with a push, although WeChat sent it. It is the owner's all the same: it
/// goes to their backend, and WeChat needn't send it again. Nothing of the push is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is no push, or one that two readers could understand differently.
    #[error("{0}")]
    Unreadable(#[from] XmlError),
    /// What was signed is no ciphertext under any key.
    #[error("{0}")]
    Ciphertext(DecryptError),
    /// It comes from nobody.
    #[error("<FromUserName> is no openid")]
    Sender,
    /// Its event is from another time. Timestamp and nonce can be swapped under the same signature,
    /// so an old push whose nonce looks like a future time is fresh again; its event is not. And
    /// nothing from the future may outdate what really happens later.
    #[error("<CreateTime> is more than five minutes from this server's clock")]
    Stale,
}

impl Unusable {
    /// The `outcome` in the metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unreadable(XmlError::NotUtf8) => "not_utf8",
            Self::Unreadable(
                XmlError::Nul
                | XmlError::Malformed { .. }
                | XmlError::DocumentType
                | XmlError::UnknownEntity
                | XmlError::TooDeep
                | XmlError::Root,
            ) => "not_xml",
            Self::Unreadable(XmlError::Missing { .. }) => "missing_element",
            Self::Unreadable(XmlError::Duplicate { .. }) => "duplicate_element",
            Self::Unreadable(XmlError::Integer { .. }) => "not_an_integer",
            Self::Ciphertext(_) => "damaged_ciphertext",
            Self::Sender => "invalid_openid",
            Self::Stale => "stale",
        }
    }
}

impl UsablePush {
    /// Reads the clear XML of a push that arrives at `now`.
    ///
    /// # Errors
    ///
    /// When it can't be read, or not acted on.
    pub fn read(document: &[u8], now: Timestamp) -> Result<Self, Unusable> {
        let push = Push::parse(document)?;
        let openid = OpenId::parse(&push.from_user_name).map_err(|_| Unusable::Sender)?;
        let at = near(push.create_time, now).ok_or(Unusable::Stale)?;
        Ok(Self { push, openid, at })
    }
}

/// This second of Unix time, if it is near enough to now.
pub fn near(second: i64, now: Timestamp) -> Option<Timestamp> {
    let at = Timestamp::from_second(second).ok()?;
    (now.duration_since(at).abs() <= FRESHNESS).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_near_in_both_directions() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let is_near = |second: i64| near(second, now).is_some();
        for offset in [0, 1, 300] {
            assert!(is_near(1_700_000_000 - offset) && is_near(1_700_000_000 + offset));
        }
        for far in [1_699_999_699, 1_700_000_301, 0, -1, i64::MIN, i64::MAX] {
            assert!(!is_near(far), "{far}");
        }
    }
}
