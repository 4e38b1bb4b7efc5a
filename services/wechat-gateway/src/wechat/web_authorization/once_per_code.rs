//! Codes that are submitted more than once. WeChat accepts each once, so everybody who submits it
//! gets the first outcome, at whichever replica.

use std::{future::pending, panic::resume_unwind, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use login_protocol::steps::{Claim, ClaimCode, ReleaseCode, ResolveCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use service_kit::{random, redis::StoreError, request_id};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};

use super::{AuthorizationError, WebAuthorization};

/// How often to look whether another request is done with the same code.
const CLAIM_POLL: Duration = Duration::from_millis(100);

/// How long to look: longer than an exchange lasts with all its repeats and what follows it, and
/// shorter than the site waits for the gateway.
const CLAIM_WAIT: Duration = Duration::from_millis(8800);

/// What Redis keeps of a code, as JSON: `"spent"`, or `{"outcome": …}`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record<Outcome> {
    /// It had no outcome, and WeChat no longer accepts it.
    #[serde(alias = "!")]
    Spent,
    /// Its outcome.
    Outcome(Outcome),
}

impl<Outcome: DeserializeOwned> Record<Outcome> {
    /// Reads what a gateway wrote, of this version or of the one before: that one kept bare words,
    /// which an outcome's serde names or aliases repeat. Anything else counts as a used code.
    fn read(stored: &str) -> Self {
        if let Ok(record) = serde_json::from_str(stored) {
            return record;
        }
        let word = Value::String(stored.to_owned());
        match serde_json::from_value(word.clone()) {
            Ok(record) => record,
            Err(_) => serde_json::from_value(word).map_or(Self::Spent, Self::Outcome),
        }
    }
}

/// Whether WeChat could have made this code; anything else isn't worth a call.
fn is_well_formed(code: &str) -> bool {
    (1..=128).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl WebAuthorization {
    /// Runs `exchange` once for a code, however often and at however many replicas it arrives.
    /// Everybody who submits it for the same purpose gets the same outcome; for another purpose it
    /// counts as used.
    ///
    /// An exchange that started runs to its end, whoever hangs up meanwhile: a browser that WeChat
    /// redirects twice aborts its first request, and by then WeChat may have used up the code.
    ///
    /// # Errors
    ///
    /// Those of `exchange`. After a failure of WeChat or Redis the code can be submitted again.
    pub async fn once_per_code<Outcome>(
        self: &Arc<Self>,
        purpose: &str,
        code: &str,
        exchange: impl Future<Output = Result<Outcome, AuthorizationError>> + Send + 'static,
    ) -> Result<Outcome, AuthorizationError>
    where
        Outcome: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        if !is_well_formed(code) {
            return Err(AuthorizationError::SpentCode);
        }
        let code_sha256 = URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{purpose}\0{code}")));
        let this = Arc::clone(self);
        let claimed = async move { this.claim_and(code_sha256, exchange).await };
        match tokio::spawn(request_id::carried(claimed)).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime is ending, and this task with it.
                Err(_) => pending().await,
            },
        }
    }

    async fn claim_and<Outcome: Serialize + DeserializeOwned + Sync>(
        &self,
        code_sha256: String,
        exchange: impl Future<Output = Result<Outcome, AuthorizationError>> + Send,
    ) -> Result<Outcome, AuthorizationError> {
        let claim = ClaimCode {
            code_sha256,
            holder: random::name()?,
        };
        let deadline = Instant::now() + CLAIM_WAIT;
        loop {
            match self.store.run(&claim).await? {
                Claim::Resolved(stored) => {
                    return match Record::read(&stored) {
                        Record::Outcome(outcome) => Ok(outcome),
                        Record::Spent => Err(AuthorizationError::SpentCode),
                    };
                }
                Claim::InProgress if Instant::now() < deadline => sleep(CLAIM_POLL).await,
                Claim::InProgress => return Err(AuthorizationError::SpentCode),
                Claim::Claimed => {
                    let exchanged = exchange.await;
                    self.settle(claim, &exchanged).await?;
                    return exchanged;
                }
            }
        }
    }

    /// Records the outcome of a code, or releases it if WeChat refused or failed without using it
    /// up: a transient outage doesn't cost a person's consent, and submitting the code again
    /// reports what is wrong then. If WeChat did use it up, it says so itself.
    async fn settle<Outcome: Serialize + Sync>(
        &self,
        claim: ClaimCode,
        exchanged: &Result<Outcome, AuthorizationError>,
    ) -> Result<(), StoreError> {
        let ClaimCode {
            code_sha256,
            holder,
        } = claim;
        let record = match exchanged {
            Ok(outcome) => Record::Outcome(outcome),
            Err(
                AuthorizationError::Wechat(_)
                | AuthorizationError::Store(_)
                | AuthorizationError::Randomness(_)
                | AuthorizationError::TooMany { .. },
            ) => {
                let release = ReleaseCode {
                    code_sha256,
                    holder,
                };
                return self.store.run(&release).await;
            }
            Err(
                AuthorizationError::SpentCode
                | AuthorizationError::Snapshot
                | AuthorizationError::ConsentMissing,
            ) => Record::Spent,
        };
        let resolve = ResolveCode {
            code_sha256,
            // Values without maps can be written; what can't be read is a spent code.
            outcome: serde_json::to_string(&record).unwrap_or_default(),
        };
        self.store.run(&resolve).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Outcome {
        Confirmed,
        #[serde(alias = "../thanks")]
        Kept,
        Ticket(String),
    }

    #[test]
    fn what_is_written_is_read() {
        for (record, written) in [
            (Record::Spent, r#""spent""#),
            (
                Record::Outcome(Outcome::Confirmed),
                r#"{"outcome":"confirmed"}"#,
            ),
            (
                Record::Outcome(Outcome::Ticket("a".to_owned())),
                r#"{"outcome":{"ticket":"a"}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&record).unwrap(), written);
            assert_eq!(Record::read(written), record);
        }
    }

    #[test]
    fn what_the_version_before_wrote_is_read() {
        for (written, record) in [
            ("!", Record::Spent),
            ("confirmed", Record::Outcome(Outcome::Confirmed)),
            ("../thanks", Record::Outcome(Outcome::Kept)),
        ] {
            assert_eq!(Record::read(written), record, "{written}");
        }
    }

    #[test]
    fn what_nobody_wrote_is_a_spent_code() {
        for written in [
            "",
            "decision?ticket=a",
            "{",
            r#"{"outcome":"unheard_of"}"#,
            "[]",
        ] {
            assert_eq!(Record::<Outcome>::read(written), Record::Spent, "{written}");
        }
    }
}
