//! Status changes, published in Redis by the steps themselves.

use crate::{attempt::AttemptStatus, scene::Scene};

/// The Redis channel on which every change of every attempt is published. Redis' channels know no
/// database numbers; scenes are random, so sharing one does no harm.
pub const CHANNEL: &str = "wechat-login:attempts";

/// One message on [`CHANNEL`]: `<scene> <status>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Whose attempt.
    pub scene: Scene,
    /// What it became.
    pub status: AttemptStatus,
}

/// The message isn't one of ours.
#[derive(Debug, thiserror::Error)]
#[error("not a status change")]
pub struct InvalidStatusChange;

impl StatusChange {
    /// Reads a message.
    pub fn parse(message: &str) -> Result<Self, InvalidStatusChange> {
        let (scene, status) = message.split_once(' ').ok_or(InvalidStatusChange)?;
        Ok(Self {
            scene: Scene::parse(scene).map_err(|_| InvalidStatusChange)?,
            status: status.parse().map_err(|_| InvalidStatusChange)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::BrowserSecret;

    #[test]
    fn a_message_is_the_scene_and_the_status() {
        let scene = BrowserSecret::from_random([3; 32]).scene();
        let change = StatusChange::parse(&format!("{} confirmed", scene.as_str())).unwrap();
        assert_eq!(
            change,
            StatusChange {
                scene,
                status: AttemptStatus::Confirmed
            }
        );
    }

    #[test]
    fn other_messages_are_refused() {
        for message in ["", "x", "login_x confirmed", "110 confirmed"] {
            assert!(StatusChange::parse(message).is_err(), "{message}");
        }
    }
}
