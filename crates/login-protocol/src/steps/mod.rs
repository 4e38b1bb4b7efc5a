//! What the services ask of Redis, one atomic step at a time.
//!
//! Every step touches one key, so it works on Redis Cluster as it does on a single server. A step
//! says what to send and what the reply means; it does no I/O.

use std::sync::OnceLock;

use sha1::{Digest as _, Sha1};

mod access_token;
mod admission;
mod attempt;
mod attempt_life;
mod authorization_code;
mod ban;
mod code_budget;
mod compat;
mod confirmation;
mod console;
mod digits;
mod erase;
mod events;
mod exchange;
mod forward_auth;
mod history;
mod member;
mod member_index;
mod member_indexing;
mod migration;
mod net_shares;
pub mod oidc;
mod persons_attempts;
mod proof_of_work;
mod scan;
mod session;
mod session_index;
mod subject;
mod ticket;
pub mod webhooks;
mod write_probe;

pub use access_token::{
    ForceTokenRefresh, ForcedRefresh, LockTokenRefresh, ReadAccessToken, ReleaseTokenRefresh,
    ReplaceLegacyToken, StoreAccessToken, StoredAccessToken,
};
pub use admission::{AdmitLogin, GiveBackLogin, GivenBack, LoginAdmission};
pub use attempt::{
    Asker, CancelAttempt, ForgetRedemption, Identified, OpenAttempt, OpenedAttempt, Progress,
    Purpose, REDEMPTION_WINDOW, ReadAttempt, ReadProgress, ReadStatus, RedeemAttempt, Redemption,
    ShownCode, ShownDigits,
};
pub use attempt_life::{AttemptExists, ReadRemainingLife};
pub use authorization_code::{Claim, ClaimCode, ReleaseCode, ResolveCode};
pub use ban::{BanKey, BanMember, BansRead, DrawBanKey, LiftBan, ReadBans};
pub use code_budget::{CodesTaken, ReadCodesTaken, TakeCodes};
pub use compat::{GiveBackCompatCode, GiveCompatCode, ReserveCompatCode, TakeCompatCode};
pub use confirmation::{
    Confirmation, Decide, Decision, DecisionEffect, IssueConfirmation, ReadConfirmation, ReadScan,
    Scan, SpendConfirmation,
};
pub use console::{
    AdmitConsoleSignIn, CONSOLE_SESSION_LIFETIME, ConsoleSignIn, ConsoleSignInBy,
    EndConsoleSession, GiveBackConsoleSignIn, OpenConsoleSession, ReadConsoleSession,
};
pub use digits::{
    AreDigitsGiven, BindDigits, JudgeGuess, Judged, ReadDigits, ReserveDigits, Verdict,
};
pub use erase::{EraseMember, EraseSessionsEnd, EraseSubject, EraseUnion, ForgetGuesses};
pub use events::{
    AppendEvent, Appended, BlankEvent, CloseEvents, CountEvents, Denial, EndingSession, FillEvent,
    FoundActs, OpenEvents, ReadActs, ReadEvent, ReadEvents, ReadEventsClock, ReadNewestEvent,
    ReadOldestEvent, TrimEvents,
};
pub use exchange::{Admission, Exchanger, GiveBackExchange, ReserveExchange};
pub use forward_auth::{
    ForwardAuthGrant, GrantForwardAuth, IssueReturnCode, RETURN_CODE_LIFETIME, ReadForwardAuth,
    RedeemReturnCode, ReturnCodeRedemption,
};
pub use history::{NoteHour, ReadHour};
pub use member::{
    ReadMember, ReadUnfollow, RecordFollow, RecordProfile, RecordUnfollow, RecordVisit,
    STRANGERS_ARE_KEPT,
};
pub use member_index::{
    CountMembers, DropPlace, IndexMember, ListMembers, MemberPlace, UnindexMember,
};
pub use member_indexing::{
    FinishIndexing, IndexingTurn, MEMBER_KEYS, NoteIndexing, ReadFirstSeen, TakeIndexing,
    member_of_key,
};
pub use migration::{ForgetMigration, KeepMigration, MoveMember, ReadMigration};
pub use persons_attempts::{
    EraseAttempt, ForgetPersonsAttempts, NoteAttempt, ReadPersonsAttempts, RefuseAttempt,
};
pub use proof_of_work::SpendProof;
pub use scan::{ConfirmAttempt, RecordScan, RefuseScan, ScanEffect, ScanOutcome};
pub use session::{
    CreateSession, EndAllSessions, EndSession, LookAtSession, ReadOlderSession, ReadSession,
    ReadSessionsEnd, SeenSession, Session, SessionLifetime, SessionPlace,
};
pub use session_index::{DropFromIndex, IndexSession, IndexedSession, ReadSessionIndex};
pub use subject::{ClaimUnion, GiveSubject, GivenSubject, NoteUnion, ReadSubject, ReadUnion};
pub use ticket::{
    IssueTicket, RedeemTicket, TICKET_LIFETIME, TICKET_REPEATS, TakeTicket, TicketDelivery,
    TicketRedemption,
};
pub use write_probe::{ProbePlainWrites, ProbeWrites};

/// One atomic operation on one key.
pub trait Step {
    /// The outcome.
    type Outcome;

    /// What to send to Redis.
    fn operation(&self) -> Operation;

    /// What the reply means: the elements of Redis' answer in order, a nil as `None`. A single
    /// value is a list of one.
    ///
    /// # Errors
    ///
    /// When the reply isn't one that this version's scripts give.
    fn outcome(&self, reply: &[Option<String>]) -> Result<Self::Outcome, UnexpectedReply>;
}

/// What Redis is asked. Both forms can be repeated: the effect is that of asking once.
#[derive(Debug)]
pub enum Operation {
    /// A plain command on one key.
    Command {
        /// The command's name.
        name: &'static str,
        /// The key.
        key: String,
        /// What follows the key.
        arguments: Vec<String>,
    },
    /// A script on one key.
    Script {
        /// The script.
        script: &'static AtomicScript,
        /// `KEYS[1]`.
        key: String,
        /// `ARGV`.
        arguments: Vec<String>,
    },
}

/// A Lua script that Redis runs in one piece.
#[derive(Debug)]
pub struct AtomicScript {
    source: &'static str,
    sha1: OnceLock<String>,
}

impl AtomicScript {
    const fn new(source: &'static str) -> Self {
        Self {
            source,
            sha1: OnceLock::new(),
        }
    }

    /// The source, for `EVAL`.
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// The name under which Redis caches it, for `EVALSHA`: the source's SHA-1 in lower-case
    /// hexadecimal.
    pub fn sha1(&self) -> &str {
        self.sha1.get_or_init(|| {
            let mut hexadecimal = String::with_capacity(40);
            for byte in Sha1::digest(self.source) {
                let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
                hexadecimal.extend([digit(byte >> 4), digit(byte & 15)]);
            }
            hexadecimal
        })
    }
}

/// Redis answered something that no version of ours stores or returns: another program wrote to the
/// key, or the services' versions are too far apart.
#[derive(Debug, thiserror::Error)]
#[error("unexpected reply from Redis to {step}")]
pub struct UnexpectedReply {
    /// The step that was run.
    pub step: &'static str,
}

/// A reply's elements as borrowed strings, to match on.
fn words(reply: &[Option<String>]) -> Vec<Option<&str>> {
    reply.iter().map(Option::as_deref).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_named_by_its_sha_1() {
        // FIPS 180-2, appendix A.1.
        let script = AtomicScript::new("abc");
        assert_eq!(script.sha1(), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
