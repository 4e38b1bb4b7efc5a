//! Changes of a person's sessions, published in Redis by the steps themselves.

use crate::identity::{AppId, InvalidIdentifier, MemberId, OpenId};

/// The Redis channel on which it is published that sessions of somebody ended, or that they left
/// their account, on which sessions may depend. What became of which session, whoever wants to know
/// reads. A message is the AppID and the openid, with a colon between them.
pub const CHANNEL: &str = "wechat-login:sessions";

/// What is published of somebody.
pub(crate) fn message(member: &MemberId) -> String {
    format!("{}:{}", member.app_id.as_str(), member.openid.as_str())
}

/// Whose sessions a message on [`CHANNEL`] is about.
///
/// # Errors
///
/// The message isn't one of ours.
pub fn parse(message: &str) -> Result<MemberId, InvalidIdentifier> {
    let (app_id, openid) = message.split_once(':').ok_or(InvalidIdentifier)?;
    Ok(MemberId {
        app_id: AppId::parse(app_id)?,
        openid: OpenId::parse(openid)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis_keys;

    fn person() -> MemberId {
        MemberId {
            app_id: AppId::parse("wx1111111111111111").unwrap(),
            openid: OpenId::parse("oSim000000000000000000000001").unwrap(),
        }
    }

    #[test]
    fn a_message_says_whose_sessions() {
        let message = message(&person());
        assert_eq!(message, "wx1111111111111111:oSim000000000000000000000001");
        assert_eq!(parse(&message).unwrap(), person());
        for other in [
            "",
            "wx1111111111111111",
            "wx1111111111111111:",
            ":o1",
            "a:b:c",
        ] {
            assert!(parse(other).is_err(), "{other}");
        }
    }

    /// The scripts that know a person by the key of the member.
    #[test]
    fn a_members_key_holds_the_message() {
        let key = redis_keys::member(&person());
        let publish = format!("'PUBLISH', '{CHANNEL}', string.sub(KEYS[1], 22, -2)");
        for script in [
            include_str!("steps/member_unfollow.lua"),
            include_str!("steps/member_visit.lua"),
        ] {
            assert!(script.contains(&publish));
        }
        // Lua counts from one.
        assert_eq!(key.get(21..key.len() - 1), Some(&*message(&person())));
    }

    #[test]
    fn other_scripts_are_told_the_message() {
        let publish = format!("'PUBLISH', '{CHANNEL}', ARGV[");
        for script in [
            include_str!("steps/session_end.lua"),
            include_str!("steps/sessions_end.lua"),
        ] {
            assert!(script.contains(&publish));
        }
    }
}
