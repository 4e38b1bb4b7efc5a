//! The attempts of a person, for the owner who bans or erases them: an index beside the attempts
//! themselves, which alone decide whose they are.

use std::time::Duration;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{identity::MemberId, redis_keys, scene::Scene, status_change::CHANNEL};

static NOTE: AtomicScript = AtomicScript::new(include_str!("attempts_note.lua"));
static REFUSE: AtomicScript = AtomicScript::new(include_str!("attempt_refuse.lua"));
static ERASE: AtomicScript = AtomicScript::new(include_str!("attempt_erase.lua"));

/// For how long it is kept which attempts somebody scanned: longer than most sites let one live.
/// Those that live longer are found out when they are confirmed or redeemed.
const NOTED_FOR: Duration = Duration::from_hours(1);

/// Keeps that somebody scanned an attempt. It goes in front of the scan.
#[derive(Debug, Clone)]
pub struct NoteAttempt {
    /// Who.
    pub member: MemberId,
    /// The attempt.
    pub scene: Scene,
}

impl Step for NoteAttempt {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &NOTE,
            key: redis_keys::attempts_of(&self.member),
            arguments: vec![
                self.scene.as_str().to_owned(),
                NOTED_FOR.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Which attempts did somebody scan lately? Some may be over, or another person's.
#[derive(Debug, Clone)]
pub struct ReadPersonsAttempts {
    /// Who.
    pub member: MemberId,
}

impl Step for ReadPersonsAttempts {
    type Outcome = Vec<Scene>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "SMEMBERS",
            key: redis_keys::attempts_of(&self.member),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Vec<Scene>, UnexpectedReply> {
        let scenes = reply.iter().flatten().map(|scene| Scene::parse(scene));
        scenes
            .collect::<Result<_, _>>()
            .map_err(|_| UnexpectedReply {
                step: "ReadPersonsAttempts",
            })
    }
}

/// Forgets which attempts somebody scanned.
#[derive(Debug, Clone)]
pub struct ForgetPersonsAttempts {
    /// Who.
    pub member: MemberId,
}

impl Step for ForgetPersonsAttempts {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "DEL",
            key: redis_keys::attempts_of(&self.member),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

fn on_attempt(script: &'static AtomicScript, scene: &Scene, member: &MemberId) -> Operation {
    Operation::Script {
        script,
        key: redis_keys::attempt(scene),
        arguments: vec![
            member.app_id.as_str().to_owned(),
            member.openid.as_str().to_owned(),
            CHANNEL.to_owned(),
            scene.as_str().to_owned(),
        ],
    }
}

/// Denies an attempt of somebody who was banned, if it is theirs and wasn't redeemed.
#[derive(Debug, Clone)]
pub struct RefuseAttempt {
    /// The attempt.
    pub scene: Scene,
    /// Who.
    pub member: MemberId,
}

impl Step for RefuseAttempt {
    /// Whether it was denied now.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        on_attempt(&REFUSE, &self.scene, &self.member)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("denied")] => Ok(true),
            [Some("stands" | "not_theirs")] => Ok(false),
            _ => Err(UnexpectedReply {
                step: "RefuseAttempt",
            }),
        }
    }
}

/// Erases an attempt, if it is this person's.
#[derive(Debug, Clone)]
pub struct EraseAttempt {
    /// The attempt.
    pub scene: Scene,
    /// Who.
    pub member: MemberId,
}

impl Step for EraseAttempt {
    type Outcome = ();

    fn operation(&self) -> Operation {
        on_attempt(&ERASE, &self.scene, &self.member)
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
