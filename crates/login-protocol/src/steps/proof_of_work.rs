//! The proofs of work that browsers do before a login begins. Each is good once.

use std::time::Duration;

use super::{Operation, Step, UnexpectedReply};
use crate::{redis_keys, site::SiteId};

/// Spends a proof. Asking again, as after a lost answer, finds it spent: the browser is given other
/// work then, which is a fraction of a second.
#[derive(Debug, Clone)]
pub struct SpendProof {
    /// Where the login is to begin.
    pub site: SiteId,
    /// The challenge that was met: 64 hexadecimal digits.
    pub challenge: String,
    /// For how long the proof is good, at least.
    pub lifetime: Duration,
}

impl Step for SpendProof {
    /// Whether it was unspent.
    type Outcome = bool;

    fn operation(&self) -> Operation {
        let milliseconds = self.lifetime.as_millis().to_string();
        Operation::Command {
            name: "SET",
            key: redis_keys::spent_proof(&self.site, &self.challenge),
            arguments: ["1", "NX", "PX", &milliseconds].map(str::to_owned).to_vec(),
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<bool, UnexpectedReply> {
        match reply {
            [Some(_)] => Ok(true),
            [None] => Ok(false),
            _ => Err(UnexpectedReply { step: "SpendProof" }),
        }
    }
}
