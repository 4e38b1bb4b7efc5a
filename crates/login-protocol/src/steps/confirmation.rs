//! Confirming a scan on the phone (tap mode).

use std::time::Duration;

use jiff::Timestamp;

use super::{Asker, AtomicScript, Operation, REDEMPTION_WINDOW, Step, UnexpectedReply, words};
use crate::{
    account::{self, AccountName},
    attempt::AttemptStatus,
    identity::{AppId, MemberId, OpenId},
    method::Method,
    redis_keys,
    scene::Scene,
    status_change::CHANNEL,
};

static DECIDE: AtomicScript = AtomicScript::new(include_str!("attempt_decide.lua"));

/// How long the phone's page can be used: as long as an attempt lives by default.
const CONFIRMATION_LIFETIME: Duration = Duration::from_mins(5);

/// How long a phone may read the decision: a press whose response got lost is repeated.
const OUTCOME_LIFETIME: Duration = Duration::from_mins(1);

/// What the record of a ticket says in the end when its person has decided.
const DECIDED: &str = "decided";

/// Who scanned an attempt, and who asks to be logged in.
#[derive(Debug, Clone)]
pub struct ReadScan {
    /// The attempt's scene.
    pub scene: Scene,
    /// The account that acts.
    pub account: AccountName,
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
    /// What people call the site that asks, where it says so.
    pub site_name: Option<String>,
    /// How the visitor logs in; nothing in records of a version that didn't say, or for a method
    /// that this one doesn't know.
    pub method: Option<Method>,
    /// Whether only followers of the account log in.
    pub require_following: bool,
}

impl Step for ReadScan {
    /// `None`: the attempt is over, or another account's.
    type Outcome = Option<Scan>;

    fn operation(&self) -> Operation {
        let fields = [
            "status",
            "app_id",
            "openid",
            "asker",
            "asker_address",
            "opened_at_ms",
            "site_name",
            "method",
            "require_following",
            "account",
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
            [.., account] if account.unwrap_or(account::DEFAULT) != self.account.as_str() => {
                Ok(None)
            }
            [
                Some(status),
                app_id,
                openid,
                Some(description),
                Some(address),
                Some(opened_at_ms),
                site_name,
                method,
                require_following,
                _,
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
                    site_name: site_name.map(str::to_owned),
                    method: method.and_then(Method::parse),
                    require_following: require_following.is_some(),
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
    /// The account that acts.
    pub account: AccountName,
    /// Who decides.
    pub member: MemberId,
    /// What.
    pub decision: Decision,
}

/// The outcome of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionEffect {
    /// This is the attempt's status now, perhaps by an earlier decision of the same person.
    Stands(AttemptStatus),
    /// Somebody else scanned it.
    NotTheirs,
    /// It is over, or another account's.
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
                self.account.as_str().to_owned(),
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

/// What a ticket stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The attempt's scene.
    pub scene: Scene,
    /// Whose phone it is.
    pub member: MemberId,
    /// The browser that the ticket was given to, as a digest without spaces of what its cookie
    /// holds. `None` in tickets of versions that bound them to no browser.
    pub browser: Option<String>,
    /// Whether the person has decided: the ticket then only shows the outcome, for a moment.
    pub decided: bool,
}

impl Confirmation {
    /// Older versions read the first three words and leave out the others.
    fn to_record(&self) -> String {
        let MemberId { app_id, openid } = &self.member;
        let mut words = vec![self.scene.as_str(), app_id.as_str(), openid.as_str()];
        words.extend(self.browser.as_deref());
        if self.decided {
            words.push(DECIDED);
        }
        words.join(" ")
    }

    fn of_record(record: &str) -> Option<Self> {
        let mut words = record.split(' ');
        let scene = Scene::parse(words.next()?).ok()?;
        let member = member(words.next()?, words.next()?)?;
        let mut words = words.peekable();
        let browser = words.next_if(|word| *word != DECIDED).map(str::to_owned);
        Some(Self {
            scene,
            member,
            browser,
            decided: words.next().is_some(),
        })
    }
}

/// Lets a recognised phone decide about one attempt.
#[derive(Debug, Clone)]
pub struct IssueConfirmation {
    /// Random text that only this phone gets.
    pub ticket: String,
    /// What it stands for.
    pub confirmation: Confirmation,
}

impl Step for IssueConfirmation {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "SET",
            key: redis_keys::confirmation(&self.ticket),
            arguments: vec![
                self.confirmation.to_record(),
                "PX".to_owned(),
                CONFIRMATION_LIFETIME.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// The person has decided. What is left of the ticket ends soon.
#[derive(Debug, Clone)]
pub struct SpendConfirmation {
    /// The ticket.
    pub ticket: String,
    /// What it stood for.
    pub confirmation: Confirmation,
}

impl Step for SpendConfirmation {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let decided = Confirmation {
            decided: true,
            ..self.confirmation.clone()
        };
        Operation::Command {
            name: "SET",
            key: redis_keys::confirmation(&self.ticket),
            arguments: vec![
                decided.to_record(),
                // An expired ticket stays expired.
                "XX".to_owned(),
                "PX".to_owned(),
                OUTCOME_LIFETIME.as_millis().to_string(),
            ],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}

/// What does a ticket stand for?
#[derive(Debug, Clone)]
pub struct ReadConfirmation {
    /// The ticket that the phone holds.
    pub ticket: String,
}

impl Step for ReadConfirmation {
    /// `None`: no such ticket, or its time ran out.
    type Outcome = Option<Confirmation>;

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
        let read = Confirmation::of_record(record);
        read.map(Some).ok_or(UnexpectedReply {
            step: "ReadConfirmation",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmation(browser: Option<&str>, decided: bool) -> Confirmation {
        Confirmation {
            scene: Scene::parse(&format!("login_{}", "a".repeat(43))).unwrap(),
            member: member("wx1111111111111111", "oSim000000000000000000000001").unwrap(),
            browser: browser.map(str::to_owned),
            decided,
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_also_by_an_older_version_and_of_one() {
        for browser in [None, Some("aGFzaA")] {
            for decided in [false, true] {
                let written = confirmation(browser, decided);
                let record = written.to_record();
                assert_eq!(Confirmation::of_record(&record), Some(written));
                let words: Vec<_> = record.split(' ').collect();
                assert!(words[0].starts_with("login_") && words[2].starts_with("oSim"));
            }
        }
        let old = format!(
            "login_{} wx1111111111111111 oSim000000000000000000000001",
            "a".repeat(43)
        );
        assert_eq!(
            Confirmation::of_record(&old),
            Some(confirmation(None, false))
        );
        assert_eq!(Confirmation::of_record("login_ wx o"), None);
    }
}
