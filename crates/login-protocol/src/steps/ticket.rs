//! Login tickets: what a page hands to its own backend, which redeems it once and learns who logged
//! in. Redis knows a ticket by its SHA-256: who reads Redis can redeem nobody's.

use std::time::Duration;

use super::{AtomicScript, Operation, Session, Step, UnexpectedReply, words};
use crate::{redis_keys, site::SiteId};

static ISSUE: AtomicScript = AtomicScript::new(include_str!("ticket_issue.lua"));
static TAKE: AtomicScript = AtomicScript::new(include_str!("ticket_take.lua"));
static REDEEM: AtomicScript = AtomicScript::new(include_str!("ticket_redeem.lua"));

/// How long a ticket can be redeemed.
pub const TICKET_LIFETIME: Duration = Duration::from_mins(1);

/// How long a redemption may be repeated: the answer may have got lost.
pub const TICKET_REPEATS: Duration = Duration::from_secs(10);

/// How long a ticket that is of no use any more is told apart from one that never was.
const REMEMBERED: Duration = Duration::from_mins(10);

/// The name of the taker of a ticket that no browser has to come back for. No browser's is one
/// character.
const IN_THE_ANSWER: &str = "-";

fn milliseconds(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// How a ticket reaches its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketDelivery {
    /// In the answer that completes the login.
    InTheAnswer,
    /// The browser is redirected, and asks for it afterwards.
    OnReturn,
}

/// Issues a ticket, or the same one again with all of its time, unless it was redeemed.
#[derive(Debug, Clone)]
pub struct IssueTicket {
    /// Where it is good.
    pub site: SiteId,
    /// The SHA-256 of the ticket, in base64url.
    pub ticket_sha256: String,
    /// The login that it stands for.
    pub login: Session,
    /// How it reaches its page.
    pub delivery: TicketDelivery,
}

impl Step for IssueTicket {
    type Outcome = ();

    fn operation(&self) -> Operation {
        let taker = match self.delivery {
            TicketDelivery::InTheAnswer => IN_THE_ANSWER,
            TicketDelivery::OnReturn => "",
        };
        Operation::Script {
            script: &ISSUE,
            key: redis_keys::ticket(&self.site, &self.ticket_sha256),
            arguments: vec![
                self.login.to_record(),
                taker.to_owned(),
                milliseconds(TICKET_LIFETIME),
                milliseconds(REMEMBERED),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("issued")] => Ok(()),
            _ => Err(UnexpectedReply {
                step: "IssueTicket",
            }),
        }
    }
}

/// Asks whether a ticket waits for this browser, which gets it once.
#[derive(Debug, Clone)]
pub struct TakeTicket {
    /// Where it is good.
    pub site: SiteId,
    /// The SHA-256 of the ticket, in base64url.
    pub ticket_sha256: String,
    /// A name that no other caller has, of more than one character.
    pub taker: String,
}

impl Step for TakeTicket {
    /// Whether the asker has it now.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &TAKE,
            key: redis_keys::ticket(&self.site, &self.ticket_sha256),
            arguments: vec![
                self.taker.clone(),
                milliseconds(TICKET_LIFETIME),
                milliseconds(REMEMBERED),
            ],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("taken")] => Ok(true),
            [Some("none")] => Ok(false),
            _ => Err(UnexpectedReply { step: "TakeTicket" }),
        }
    }
}

/// The owner's backend redeems a ticket.
#[derive(Debug, Clone)]
pub struct RedeemTicket {
    /// Where it must be good.
    pub site: SiteId,
    /// The SHA-256 of the ticket, in base64url.
    pub ticket_sha256: String,
}

/// What came of redeeming a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketRedemption {
    /// It stands for this login: now, or by the same step within the last ten seconds.
    Redeemed(Box<Session>),
    /// It was redeemed before.
    Used,
    /// Nobody redeemed it in time.
    Expired,
    /// There is no such ticket, or its end was so long ago that it is forgotten.
    Unknown,
}

impl Step for RedeemTicket {
    type Outcome = TicketRedemption;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &REDEEM,
            key: redis_keys::ticket(&self.site, &self.ticket_sha256),
            arguments: vec![milliseconds(TICKET_REPEATS)],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<TicketRedemption, UnexpectedReply> {
        match words(reply).as_slice() {
            [Some("redeemed"), Some(record)] => {
                let login = Session::of_record(record)?;
                // Another version's login can't be told, and whoever has it logs in again.
                Ok(login.map_or(TicketRedemption::Unknown, |login| {
                    TicketRedemption::Redeemed(Box::new(login))
                }))
            }
            [Some("used")] => Ok(TicketRedemption::Used),
            [Some("expired")] => Ok(TicketRedemption::Expired),
            [Some("unknown")] => Ok(TicketRedemption::Unknown),
            _ => Err(UnexpectedReply {
                step: "RedeemTicket",
            }),
        }
    }
}
