//! Confirming a scan on the phone (tap mode).

use std::time::Duration;

use jiff::Timestamp;

use super::{Asker, AtomicScript, Operation, REDEMPTION_WINDOW, Step, UnexpectedReply, words};
use crate::{
    attempt::AttemptStatus,
    identity::{AppId, MemberId, OpenId},
    redis_keys,
    scene::Scene,
    status_change::CHANNEL,
};

static DECIDE: AtomicScript = AtomicScript::new(include_str!("attempt_decide.lua"));

/// How long the phone's page can be used: as long as an attempt lives by default.
const CONFIRMATION_LIFETIME: Duration = Duration::from_mins(5);

/// Who scanned an attempt, and who asks to be logged in.
#[derive(Debug, Clone)]
pub struct ReadScan {
    /// The attempt's scene.
    pub scene: Scene,
}

/// A scanned attempt, as the phone's page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Where the attempt stands.
    pub status: AttemptStatus,
    /// Who scanned it; nobody yet while it is pending.
    pub member: Option<MemberId>,
    /// Which browser asks.
    pub asker: Asker,
    /// Since when.
    pub opened_at: Timestamp,
}

impl Step for ReadScan {
    /// `None`: the attempt is over.
    type Outcome = Option<Scan>;

    fn operation(&self) -> Operation {
        let fields = [
            "status",
            "app_id",
            "openid",
            "asker",
            "asker_address",
            "opened_at_ms",
        ];
        Operation::Command {
            name: "HMGET",
            key: redis_keys::attempt(&self.scene),
            arguments: fields.map(str::to_owned).to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let unexpected = || UnexpectedReply { step: "ReadScan" };
        match words(reply).as_slice() {
            [None, ..] => Ok(None),
            [
                Some(status),
                app_id,
                openid,
                Some(description),
                Some(address),
                Some(opened_at_ms),
            ] => {
                let opened_at = opened_at_ms
                    .parse()
                    .ok()
                    .and_then(|ms| Timestamp::from_millisecond(ms).ok());
                let member = match (app_id, openid) {
                    (Some(app_id), Some(openid)) => {
                        Some(member(app_id, openid).ok_or_else(unexpected)?)
                    }
                    _ => None,
                };
                Ok(Some(Scan {
                    status: status.parse().map_err(|_| unexpected())?,
                    member,
                    asker: Asker {
                        description: (*description).to_owned(),
                        address: (*address).to_owned(),
                    },
                    opened_at: opened_at.ok_or_else(unexpected)?,
                }))
            }
            _ => Err(unexpected()),
        }
    }
}

fn member(app_id: &str, openid: &str) -> Option<MemberId> {
    Some(MemberId {
        app_id: AppId::parse(app_id).ok()?,
        openid: OpenId::parse(openid).ok()?,
    })
}

/// What the person presses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Log that browser in.
    Confirm,
    /// Don't.
    Deny,
}

/// The person who scanned decides. The first decision stands.
#[derive(Debug, Clone)]
pub struct Decide {
    /// The attempt's scene.
    pub scene: Scene,
    /// Who decides.
    pub member: MemberId,
    /// What.
    pub decision: Decision,
}

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionEffect {
    /// The attempt stands here now; an earlier decision of the same person may have brought it here.
    Stands(AttemptStatus),
    /// Somebody else scanned it.
    NotTheirs,
    /// It is over.
    Gone,
}

impl Step for Decide {
    type Outcome = DecisionEffect;

    fn operation(&self) -> Operation {
        let after = match self.decision {
            Decision::Confirm => AttemptStatus::Confirmed,
            Decision::Deny => AttemptStatus::Denied,
        };
        Operation::Script {
            script: &DECIDE,
            key: redis_keys::attempt(&self.scene),
            arguments: vec![
                after.as_str().to_owned(),
                self.member.app_id.as_str().to_owned(),
                self.member.openid.as_str().to_owned(),
                REDEMPTION_WINDOW.as_millis().to_string(),
                CHANNEL.to_owned(),
                self.scene.as_str().to_owned(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<DecisionEffect, UnexpectedReply> {
        let unexpected = || UnexpectedReply { step: "Decide" };
        match words(reply).as_slice() {
            [Some("stands"), Some(status)] => Ok(DecisionEffect::Stands(
                status.parse().map_err(|_| unexpected())?,
            )),
            [Some("not_theirs")] => Ok(DecisionEffect::NotTheirs),
            [Some("gone")] => Ok(DecisionEffect::Gone),
            _ => Err(unexpected()),
        }
    }
}

/// Lets a phone that proved whose it is decide about one attempt.
#[derive(Debug, Clone)]
pub struct IssueConfirmation {
    /// Random text that only this phone gets.
    pub ticket: String,
    /// The attempt's scene.
    pub scene: Scene,
    /// Whose phone it is.
    pub member: MemberId,
}

impl Step for IssueConfirmation {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let MemberId { app_id, openid } = &self.member;
        Operation::Command {
            name: "SET",
            key: redis_keys::confirmation(&self.ticket),
            arguments: vec![
                format!(
                    "{} {} {}",
                    self.scene.as_str(),
                    app_id.as_str(),
                    openid.as_str()
                ),
                "PX".to_owned(),
                CONFIRMATION_LIFETIME.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// Which attempt and whose phone does a ticket stand for?
#[derive(Debug, Clone)]
pub struct ReadConfirmation {
    /// The ticket that the phone holds.
    pub ticket: String,
}

impl Step for ReadConfirmation {
    /// `None`: no such ticket, or its time ran out.
    type Outcome = Option<(Scene, MemberId)>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "GET",
            key: redis_keys::confirmation(&self.ticket),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        let [Some(record)] = reply else {
            return Ok(None);
        };
        let mut parts = record.split(' ');
        let (scene, app_id, openid) = (parts.next(), parts.next(), parts.next());
        let read = || {
            let scene = Scene::parse(scene?).ok()?;
            Some((scene, member(app_id?, openid?)?))
        };
        read().map(Some).ok_or(UnexpectedReply {
            step: "ReadConfirmation",
        })
    }
}
