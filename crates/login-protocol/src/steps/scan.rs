//! Confirming an attempt for a person, or letting them decide on it: what the gateway does after a
//! scan or a consent.

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::{
    account::AccountName,
    attempt::{Approval, AttemptStatus},
    identity::MemberId,
    redis_keys,
    scene::Scene,
};

/// It holds the constants of this crate that others are told as arguments, and takes the scene out
/// of the key: each argument costs Redis a third of a microsecond, and each command inside a script
/// more than one.
static SCAN: AtomicScript = AtomicScript::new(include_str!("attempt_scan.lua"));

/// The script's argument for somebody who has already agreed.
const AGREED: &str = "agreed";

/// The script's argument for somebody who is banned.
const BANNED: &str = "banned";

/// Somebody scanned. Recording the same scan again, on any replica, changes nothing.
#[derive(Debug, Clone)]
pub struct RecordScan {
    /// The scene of the scanned code.
    pub scene: Scene,
    /// The account that received the scan.
    pub account: AccountName,
    /// Who scanned.
    pub member: MemberId,
    /// What makes a scan a login where the attempt's site says nothing.
    pub approval: Approval,
}

/// Somebody agreed to log in, without a scan that has yet to be confirmed: their phone is the one
/// that asks. Recording it again changes nothing.
#[derive(Debug, Clone)]
pub struct ConfirmAttempt {
    /// The attempt's scene.
    pub scene: Scene,
    /// The account that identified them.
    pub account: AccountName,
    /// Who agreed.
    pub member: MemberId,
}

/// Somebody scanned whom the owner banned: the attempt is denied. Recording it again changes nothing.
#[derive(Debug, Clone)]
pub struct RefuseScan {
    /// The scene of the scanned code.
    pub scene: Scene,
    /// The account that received the scan.
    pub account: AccountName,
    /// Who scanned.
    pub member: MemberId,
}

impl Step for RefuseScan {
    type Outcome = ScanOutcome;

    fn operation(&self) -> Operation {
        operation(&self.scene, &self.account, &self.member, BANNED)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<ScanOutcome, UnexpectedReply> {
        outcome(reply).ok_or(UnexpectedReply { step: "RefuseScan" })
    }
}

/// The outcome of a scan, and the site that it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanOutcome {
    /// The outcome.
    pub effect: ScanEffect,
    /// What people call the site that asks, where it says so.
    pub site_name: Option<String>,
}

/// The outcome of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanEffect {
    /// The attempt is now this person's.
    Accepted(AttemptStatus),
    /// It already was this person's: a second delivery, or a second scan.
    Repeated(AttemptStatus),
    /// Somebody else scanned first.
    Taken,
    /// The attempt belongs to another account. Nothing changed.
    Elsewhere,
    /// There is no such attempt any more.
    Gone,
}

fn operation(scene: &Scene, account: &AccountName, member: &MemberId, approval: &str) -> Operation {
    Operation::Script {
        script: &SCAN,
        key: redis_keys::attempt(scene),
        arguments: vec![
            account.as_str().to_owned(),
            approval.to_owned(),
            member.app_id.as_str().to_owned(),
            member.openid.as_str().to_owned(),
        ],
    }
}

fn outcome(reply: &[Option<String>]) -> Option<ScanOutcome> {
    let (effect, site_name) = match words(reply).as_slice() {
        [Some("accepted"), Some(after), name] => (ScanEffect::Accepted(after.parse().ok()?), *name),
        [Some("repeated"), Some(now), name] => (ScanEffect::Repeated(now.parse().ok()?), *name),
        [Some("taken"), Some(_), name] => (ScanEffect::Taken, *name),
        [Some("elsewhere")] => (ScanEffect::Elsewhere, None),
        [Some("gone")] => (ScanEffect::Gone, None),
        _ => return None,
    };
    Some(ScanOutcome {
        effect,
        site_name: site_name.map(str::to_owned),
    })
}

impl Step for RecordScan {
    type Outcome = ScanOutcome;

    fn operation(&self) -> Operation {
        operation(
            &self.scene,
            &self.account,
            &self.member,
            self.approval.as_str(),
        )
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<ScanOutcome, UnexpectedReply> {
        outcome(reply).ok_or(UnexpectedReply { step: "RecordScan" })
    }
}

impl Step for ConfirmAttempt {
    type Outcome = ScanOutcome;

    fn operation(&self) -> Operation {
        operation(&self.scene, &self.account, &self.member, AGREED)
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<ScanOutcome, UnexpectedReply> {
        outcome(reply).ok_or(UnexpectedReply {
            step: "ConfirmAttempt",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{scene::BrowserSecret, status_change::CHANNEL, steps::REDEMPTION_WINDOW};

    #[test]
    fn the_script_has_the_constants_of_this_crate() {
        let script = SCAN.source();
        assert!(script.contains(&format!("'PUBLISH', '{CHANNEL}', ")));
        let window = REDEMPTION_WINDOW.as_millis();
        assert!(script.contains(&format!("('PTTL', KEYS[1]) < {window} ")));
        assert!(script.contains(&format!("'PEXPIRE', KEYS[1], {window})")));
        let scene = BrowserSecret::from_random([3; 32]).scene();
        let key = redis_keys::attempt(&scene);
        // Lua counts from one.
        assert!(script.contains("string.sub(KEYS[1], 23, -2)"));
        assert_eq!(key.get(22..key.len() - 1), Some(scene.as_str()));
    }
}
