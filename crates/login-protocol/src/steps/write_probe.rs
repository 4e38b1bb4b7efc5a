//! Whether Redis takes writes, as an operator's readiness check asks.

use jiff::Timestamp;

use super::{AtomicScript, Operation, Step, UnexpectedReply, words};
use crate::redis_keys;

static PROBE: AtomicScript = AtomicScript::new(include_str!("write_probe.lua"));

/// For how long the probe's key stays, in milliseconds.
const LIFE_MS: u32 = 1000;

/// Writes a key that expires by itself, in the same way as the other steps: a Redis that is full,
/// read-only, can't save or is older than 5.0 rejects it as it would reject a login.
#[derive(Debug, Clone)]
pub struct ProbeWrites {
    /// Whose probe it is; 1 to 64 characters without braces. In a Cluster it decides which node is
    /// asked.
    pub prober: String,
}

impl Step for ProbeWrites {
    /// What time Redis has.
    type Outcome = Timestamp;

    fn operation(&self) -> Operation {
        Operation::Script {
            script: &PROBE,
            key: redis_keys::write_probe(&self.prober),
            arguments: vec![LIFE_MS.to_string()],
        }
    }

    fn outcome(&self, reply: &[Option<String>]) -> Result<Timestamp, UnexpectedReply> {
        let time = match words(reply).as_slice() {
            [Some("written"), Some(now_ms)] => now_ms.parse().ok(),
            _ => None,
        };
        time.and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .ok_or(UnexpectedReply {
                step: "ProbeWrites",
            })
    }
}

/// Writes without a script. Before 7.0, a script may write where a command of its own may not: with
/// fewer replicas than `min-replicas-to-write` asks for.
#[derive(Debug, Clone)]
pub struct ProbePlainWrites {
    /// Whose probe it is, as that of [`ProbeWrites`].
    pub prober: String,
}

impl Step for ProbePlainWrites {
    type Outcome = ();

    fn operation(&self) -> Operation {
        Operation::Command {
            name: "PEXPIRE",
            key: redis_keys::write_probe(&self.prober),
            arguments: vec![LIFE_MS.to_string()],
        }
    }

    fn outcome(&self, _reply: &[Option<String>]) -> Result<(), UnexpectedReply> {
        Ok(())
    }
}
