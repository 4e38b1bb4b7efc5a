//! Who may begin a login, and what is counted of those who do.

use std::{net::IpAddr, time::Duration};

use super::{BeginError, Logins, proof_of_work::SPENT_FOR};
use crate::gateway_client::GatewayError;
use login_protocol::{
    gateway_api::ClientLogins,
    steps::{AdmitLogin, GiveBackLogin, GivenBack, LoginAdmission, SpendProof},
};
use service_kit::random::NoRandomness;
use tokio::time::Instant;

/// What is known of a client whose login may begin.
pub(super) struct Admitted {
    logins: ClientLogins,
    /// It begins more than people do.
    is_hasty: bool,
}

fn count_work(outcome: &'static str) {
    metrics::counter!("login_proofs_total", "outcome" => outcome).increment(1);
}

impl Logins {
    /// Counts a login that is about to start, and asks for work where they start too fast for
    /// people; one that goes on was counted when it started. Returns how many the client has started
    /// lately, unless limits are off.
    ///
    /// # Errors
    ///
    /// It had too many, its browser has to do work first, or Redis is unavailable.
    pub(super) async fn admit(
        &self,
        client: IpAddr,
        proof: &str,
    ) -> Result<Option<ClientLogins>, BeginError> {
        if self.per_minute == 0 || !self.work.is_on() {
            let admission = self.admit_client(client).await?;
            return Ok(admission.map(|admission| admission.logins));
        }
        let spend = self.met_by(proof);
        if !proof.is_empty() && spend.is_none() {
            count_work("refused");
        }
        // Whoever floods the site is answered without Redis.
        if let Err(room_after) = self.work.begin(Instant::now(), spend.is_some()) {
            return Err(self.ask_for_work(Some(room_after))?);
        }
        let admitted = self.admit_worked(client, spend).await;
        if admitted.is_err() {
            self.work.forget();
        }
        admitted
    }

    /// The same for a login that is counted, and of whose proof it is known what it spends.
    async fn admit_worked(
        &self,
        client: IpAddr,
        spend: Option<SpendProof>,
    ) -> Result<Option<ClientLogins>, BeginError> {
        let Some(admission) = self.admit_client(client).await? else {
            return Ok(None);
        };
        let refused = match spend {
            Some(spend) if self.store.run(&spend).await? => {
                count_work("done");
                false
            }
            Some(_) => {
                count_work("refused");
                true
            }
            None => admission.is_hasty,
        };
        if refused {
            let error = self.ask_for_work(None)?;
            return Err(self.could_not_begin(client, error).await);
        }
        Ok(Some(admission.logins))
    }

    /// What a proof spends, if it is one.
    fn met_by(&self, proof: &str) -> Option<SpendProof> {
        Some(SpendProof {
            site: self.site.realm.site.clone(),
            challenge: self.work.met_by(proof)?,
            lifetime: SPENT_FOR,
        })
    }

    /// The refusal that asks a browser for work, and says when it would begin without.
    fn ask_for_work(&self, room_after: Option<Duration>) -> Result<BeginError, NoRandomness> {
        count_work("required");
        Ok(BeginError::WorkRequired {
            challenge: self.work.challenge()?,
            room_after,
        })
    }

    /// Counts a login of a client's; `None` where limits are off.
    ///
    /// # Errors
    ///
    /// It had too many, or Redis is unavailable.
    pub(super) async fn admit_client(
        &self,
        client: IpAddr,
    ) -> Result<Option<Admitted>, BeginError> {
        if self.per_minute == 0 {
            return Ok(None);
        }
        let step = AdmitLogin {
            site: self.site.realm.site.clone(),
            client,
            per_minute: self.per_minute,
        };
        match self.store.run(&step).await? {
            LoginAdmission::Admitted(logins) => Ok(Some(Admitted {
                logins,
                is_hasty: false,
            })),
            LoginAdmission::Hasty => Ok(Some(Admitted {
                logins: ClientLogins::Many,
                is_hasty: true,
            })),
            LoginAdmission::Refused { retry_after } => {
                metrics::counter!("logins_total", "outcome" => "rate_limited").increment(1);
                Err(BeginError::TooManyOfClient { retry_after })
            }
        }
    }

    /// The step that takes a login out of its client's counts, unless nobody is counted.
    pub(super) fn give_back(&self, client: IpAddr, because: GivenBack) -> Option<GiveBackLogin> {
        (self.per_minute > 0).then(|| GiveBackLogin {
            site: self.site.realm.site.clone(),
            client,
            because,
        })
    }

    /// Takes a login out of the counts that was admitted and then couldn't begin: an outage of
    /// WeChat's mustn't use up the day of an office that keeps trying.
    pub(super) async fn could_not_begin(&self, client: IpAddr, error: BeginError) -> BeginError {
        if matches!(
            error,
            BeginError::TooManyWebAuthorizations { .. }
                | BeginError::Gateway(GatewayError::TooManyLogins { .. })
        ) {
            metrics::counter!("logins_total", "outcome" => "held_back").increment(1);
        }
        if let Some(step) = self.give_back(client, GivenBack::NotBegun)
            && let Err(error) = self.store.run(&step).await
        {
            tracing::warn!(%error, "couldn't give back a login that never started; it counts against its client");
        }
        error
    }
}
