//! The attempt's moves. Rules that every script keeps are tested against
//! [`AttemptStatus::after`](crate::attempt::AttemptStatus::after) on a real Redis.

use std::time::Duration;

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    attempt::{Approval, AttemptStatus},
    identity::{AppId, MemberId, OpenId},
    redis_keys,
    scene::Scene,
    status_change::CHANNEL,
};

/// How long a confirmed attempt waits for its browser at least, and how long after redeeming the
/// same browser may ask again.
pub const REDEMPTION_WINDOW: Duration = Duration::from_mins(1);

static OPEN: AtomicScript = AtomicScript::new(include_str!("attempt_open.lua"));
static SCAN: AtomicScript = AtomicScript::new(include_str!("attempt_scan.lua"));
static REDEEM: AtomicScript = AtomicScript::new(include_str!("attempt_redeem.lua"));
static FORGET: AtomicScript = AtomicScript::new(include_str!("attempt_forget.lua"));
static CANCEL: AtomicScript = AtomicScript::new(include_str!("attempt_cancel.lua"));

fn unexpected(step: &'static str) -> UnexpectedReply {
    UnexpectedReply { step }
}

fn status(text: &str, step: &'static str) -> Result<AttemptStatus, UnexpectedReply> {
    text.parse().map_err(|_| unexpected(step))
}

fn time(milliseconds: &str, step: &'static str) -> Result<Timestamp, UnexpectedReply> {
    let parsed = milliseconds.parse().ok();
    let time = parsed.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
    time.ok_or_else(|| unexpected(step))
}

/// The browser that asks to be logged in, as a person can recognise it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Browser and system, such as `Chrome · Windows`.
    pub description: String,
    /// Its address, shortened to its network, such as `203.0.113.x`.
    pub address: String,
}

/// Writes a pending attempt together with the QR code that the browser shows, so that a reload can
/// show the same one.
#[derive(Debug, Clone)]
pub struct OpenAttempt {
    /// The attempt's scene.
    pub scene: Scene,
    /// How long it lives unless somebody scans.
    pub lifetime: Duration,
    /// What the QR code encodes; empty for a login inside WeChat, which has no code.
    pub content: String,
    /// WeChat's own picture of it; empty without a code.
    pub image_url: String,
    /// Which browser asks, for the person who is asked to confirm.
    pub asker: Asker,
}

impl Step for OpenAttempt {
    /// When the code stops being good, by Redis' clock, to the millisecond.
    type Outcome = Timestamp;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &OPEN,
            key: redis_keys::attempt(&self.scene),
            arguments: [
                self.lifetime.as_millis().to_string(),
                "content".to_owned(),
                self.content.clone(),
                "image_url".to_owned(),
                self.image_url.clone(),
                "asker".to_owned(),
                self.asker.description.clone(),
                "asker_address".to_owned(),
                self.asker.address.clone(),
            ]
            .into(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Timestamp, UnexpectedReply> {
        match words(reply).as_slice() {
            // `exists` is this very step, sent again after its answer was lost.
            [Some("opened" | "exists"), Some(expires_at_ms)] => time(expires_at_ms, "OpenAttempt"),
            _ => Err(unexpected("OpenAttempt")),
        }
    }
}

/// Reads all that a browser needs to show the attempt.
#[derive(Debug, Clone)]
pub struct ReadAttempt {
    /// The attempt's scene.
    pub scene: Scene,
}

/// An attempt as Redis holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedAttempt {
    /// Where it stands.
    pub status: AttemptStatus,
    /// When its code stops being good, by Redis' clock.
    pub expires_at: Timestamp,
    /// What the QR code encodes; empty for a login inside WeChat, which has no code.
    pub content: String,
    /// WeChat's own picture of it; empty without a code.
    pub image_url: String,
}

impl Step for ReadAttempt {
    /// `None`: it expired, or never was.
    type Outcome = Option<OpenedAttempt>;

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::attempt(&self.scene),
            arguments: ["status", "expires_at_ms", "content", "image_url"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        const STEP: &str = "ReadAttempt";
        match words(reply).as_slice() {
            [None, ..] => Ok(None),
            [
                Some(found),
                Some(expires_at_ms),
                Some(content),
                Some(image_url),
            ] => Ok(Some(OpenedAttempt {
                status: status(found, STEP)?,
                expires_at: time(expires_at_ms, STEP)?,
                content: (*content).to_owned(),
                image_url: (*image_url).to_owned(),
            })),
            _ => Err(unexpected(STEP)),
        }
    }
}

/// Reads where an attempt stands, and nothing else: what a waiting browser's stream needs.
#[derive(Debug, Clone)]
pub struct ReadStatus {
    /// The attempt's scene.
    pub scene: Scene,
}

impl Step for ReadStatus {
    /// The status, and the expiry unless it is [`AttemptStatus::Expired`].
    type Outcome = (AttemptStatus, Option<Timestamp>);

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "HMGET",
            key: redis_keys::attempt(&self.scene),
            arguments: ["status", "expires_at_ms"].map(str::to_owned).to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply> {
        const STEP: &str = "ReadStatus";
        match words(reply).as_slice() {
            [None, _] => Ok((AttemptStatus::Expired, None)),
            [Some(found), Some(expires_at_ms)] => {
                Ok((status(found, STEP)?, time(expires_at_ms, STEP).ok()))
            }
            _ => Err(unexpected(STEP)),
        }
    }
}

/// Somebody scanned. Recording the same scan again, on any replica, changes nothing.
#[derive(Debug, Clone)]
pub struct RecordScan {
    /// The scene of the scanned code.
    pub scene: Scene,
    /// Who scanned.
    pub member: MemberId,
    /// Whether the scan alone logs in.
    pub approval: Approval,
}

/// What a scan came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanEffect {
    /// The attempt is now this person's.
    Accepted(AttemptStatus),
    /// It already was this person's: a second delivery, or a second scan.
    Repeated(AttemptStatus),
    /// Somebody else scanned first.
    Taken,
    /// There is no such attempt any more.
    Gone,
}

impl Step for RecordScan {
    type Outcome = ScanEffect;

    fn operation(&self) -> Operation {
        let after = match self.approval {
            Approval::Scan => AttemptStatus::Confirmed,
            Approval::Tap => AttemptStatus::Scanned,
        };
        Operation::Script {
            script: &SCAN,
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

    fn outcome(&self, reply: &[Option<String>]) -> Result<ScanEffect, UnexpectedReply> {
        const STEP: &str = "RecordScan";
        match words(reply).as_slice() {
            [Some("accepted"), Some(after)] => Ok(ScanEffect::Accepted(status(after, STEP)?)),
            [Some("repeated"), Some(now)] => Ok(ScanEffect::Repeated(status(now, STEP)?)),
            [Some("taken"), Some(_)] => Ok(ScanEffect::Taken),
            [Some("gone")] => Ok(ScanEffect::Gone),
            _ => Err(unexpected(STEP)),
        }
    }
}

/// The browser takes its login. Only the holder of the secret can name the scene and ask.
#[derive(Debug, Clone)]
pub struct RedeemAttempt {
    /// The scene of the browser's secret.
    pub scene: Scene,
    /// Fresh random text. The first one to arrive is kept, and every repeat is answered with it.
    pub nonce: String,
}

/// What redeeming came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redemption {
    /// The browser is logged in, now or by the same step within the last minute.
    Redeemed(Identified),
    /// It isn't (or no longer) possible, because the attempt stands here.
    Refused(AttemptStatus),
}

/// Who logged in, and with which nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Who scanned.
    pub member: MemberId,
    /// The nonce of the first redemption.
    pub nonce: String,
    /// When the person confirmed, by Redis' clock, to the millisecond: whatever ends their sessions
    /// afterwards ends this one as well. Where an older version recorded the scan, when the attempt was
    /// redeemed.
    pub confirmed_at: Timestamp,
}

impl Step for RedeemAttempt {
    type Outcome = Redemption;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &REDEEM,
            key: redis_keys::attempt(&self.scene),
            arguments: vec![
                self.nonce.clone(),
                REDEMPTION_WINDOW.as_millis().to_string(),
                CHANNEL.to_owned(),
                self.scene.as_str().to_owned(),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Redemption, UnexpectedReply> {
        const STEP: &str = "RedeemAttempt";
        match words(reply).as_slice() {
            [
                Some("redeemed"),
                Some(app_id),
                Some(openid),
                Some(nonce),
                Some(redeemed_at_ms),
                confirmed_at_ms,
            ] => {
                let confirmed_at = time(confirmed_at_ms.unwrap_or(redeemed_at_ms), STEP)?;
                Ok(Redemption::Redeemed(Identified {
                    member: MemberId {
                        app_id: AppId::parse(app_id).map_err(|_| unexpected(STEP))?,
                        openid: OpenId::parse(openid).map_err(|_| unexpected(STEP))?,
                    },
                    nonce: (*nonce).to_owned(),
                    confirmed_at,
                }))
            }
            [Some(refused)] => Ok(Redemption::Refused(status(refused, STEP)?)),
            _ => Err(unexpected(STEP)),
        }
    }
}

/// The modal was closed. Cancelling what is gone or redeemed changes nothing.
#[derive(Debug, Clone)]
pub struct CancelAttempt {
    /// The scene of the browser's secret.
    pub scene: Scene,
}

impl Step for CancelAttempt {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &CANCEL,
            key: redis_keys::attempt(&self.scene),
            arguments: vec![CHANNEL.to_owned(), self.scene.as_str().to_owned()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("cancelled" | "expired" | "consumed")] => Ok(()),
            _ => Err(unexpected("CancelAttempt")),
        }
    }
}

/// The visitor signed out: repeating the redemption brings the session back no more.
#[derive(Debug, Clone)]
pub struct ForgetRedemption {
    /// The scene of the browser's secret.
    pub scene: Scene,
}

impl Step for ForgetRedemption {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &FORGET,
            key: redis_keys::attempt(&self.scene),
            arguments: Vec::new(),
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
