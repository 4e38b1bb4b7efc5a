//! The faults that a test or a developer asked for, by API path.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// How many rules may be set at once.
pub(crate) const RULES: usize = 100;

/// A fault and the path that it hits.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct FaultRule {
    /// The path, such as `/cgi-bin/user/info`.
    path: String,
    /// For how many calls; absent: until the rules are replaced.
    #[serde(default)]
    times: Option<u32>,
    /// What goes wrong.
    #[serde(flatten)]
    fault: Fault,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// HTTP 200 with this error code.
    Errcode {
        /// WeChat's code.
        errcode: i64,
    },
    /// HTTP 502 with a proxy's HTML page.
    Html,
    /// HTTP 200 with an empty body.
    Empty,
    /// This HTTP status with an empty body.
    Status {
        /// The status, 200 to 599.
        status: u16,
    },
    /// The right answer, but late.
    Slow {
        /// How late, in milliseconds.
        delay_ms: u64,
    },
    /// The connection ends without an answer.
    HangUp,
    /// HTTP 200 with this body.
    Body(FaultBody),
}

/// A body to answer with: text, or bytes that text cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum FaultBody {
    /// The body as text.
    Text {
        /// The text.
        body: String,
    },
    /// The body as standard base64, for broken UTF-8.
    Base64 {
        /// The encoded bytes.
        base64: String,
    },
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Vec<FaultRule>>,
}

impl Faults {
    /// Replaces all rules.
    pub(crate) fn replace(&self, rules: Vec<FaultRule>) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// The rules in force.
    pub(crate) fn all(&self) -> Vec<FaultRule> {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The first fault that hits this call; using it up counts down its rule.
    pub(crate) fn take(&self, path: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let index = rules.iter().position(|rule| rule.path == path)?;
        let rule = &mut rules[index];
        let fault = rule.fault.clone();
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                rules.remove(index);
            }
        }
        Some(fault)
    }
}

impl FaultRule {
    /// What is wrong with the rule itself, in words for the person who wrote it.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        match &self.fault {
            _ if !self.path.starts_with('/') => Some("path must start with a slash"),
            _ if self.times == Some(0) => Some("times must be at least 1, or null"),
            Fault::Status { status } if !(200..=599).contains(status) => {
                Some("status must be from 200 to 599")
            }
            Fault::Slow { delay_ms } if *delay_ms > 600_000 => {
                Some("delay_ms must be at most 600000")
            }
            Fault::Body(FaultBody::Base64 { base64 }) if STANDARD.decode(base64).is_err() => {
                Some("base64 must be standard base64")
            }
            _ => None,
        }
    }
}

impl Fault {
    /// How long the answer is to be held back.
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self {
            Self::Slow { delay_ms } => Some(Duration::from_millis(*delay_ms)),
            _ => None,
        }
    }
}

impl FaultBody {
    /// The bytes to send.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text { body } => body.clone().into_bytes(),
            Self::Base64 { base64 } => STANDARD.decode(base64).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_used_up_in_order_and_only_for_their_path() {
        let faults = Faults::default();
        let rules = r#"[
            {"path": "/cgi-bin/user/info", "times": 1, "kind": "errcode", "errcode": 40001},
            {"path": "/cgi-bin/user/info", "times": null, "kind": "body", "body": "{"}
        ]"#;
        faults.replace(serde_json::from_str(rules).expect("the rules are well formed"));
        assert_eq!(faults.take("/cgi-bin/token"), None);
        let first = faults.take("/cgi-bin/user/info");
        assert_eq!(first, Some(Fault::Errcode { errcode: 40001 }));
        for _ in 0..2 {
            assert!(matches!(
                faults.take("/cgi-bin/user/info"),
                Some(Fault::Body(_))
            ));
        }
    }
}
