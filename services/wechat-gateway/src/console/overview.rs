//! How the installation stands.

use jiff::Timestamp;
use login_protocol::history::Replica;
use service_kit::redis::StoreError;

use super::{
    advice::{self, Trouble},
    history::{History, Past},
    language::Language,
};
use crate::{
    accounts::{Account, Accounts},
    webhooks::Report,
    wechat::{access_tokens::TokenStanding, code_refusals::Refusal},
};

/// All of it.
pub(crate) struct Overview {
    /// What needs attention, the serious first.
    pub(crate) troubles: Vec<Trouble>,
    /// The last 30 days.
    pub(crate) past: Past,
    /// The accounts.
    pub(crate) accounts: Vec<AccountStanding>,
}

/// How an account stands.
pub(crate) struct AccountStanding {
    /// What the owner calls it.
    pub(crate) name: String,
    /// Whether it has its token.
    pub(crate) token: TokenStanding,
    /// How many of the day's codes are left, and of how many.
    pub(crate) codes: Option<(u32, u32)>,
    /// Why there are none, and until when WeChat isn't asked for one.
    pub(crate) refused: Option<(Refusal, Timestamp)>,
    /// What needs attention.
    pub(crate) troubles: Vec<Trouble>,
}

impl Overview {
    /// Looks at everything.
    ///
    /// # Errors
    ///
    /// Redis failed.
    pub(crate) async fn read(
        history: &History,
        accounts: &Accounts,
        webhooks: &[Report],
        now: Timestamp,
        say: Language,
    ) -> Result<Self, StoreError> {
        let past = history.read(now).await?;
        let mut standings = Vec::new();
        for account in accounts.iter() {
            standings.push(AccountStanding::of(account, say).await);
        }
        let is_only = standings.len() == 1;
        let mut troubles: Vec<Trouble> = standings
            .iter()
            .flat_map(|standing| {
                standing.troubles.iter().cloned().map(|trouble| {
                    if is_only {
                        trouble
                    } else {
                        trouble.of_account(&standing.name)
                    }
                })
            })
            .collect();
        if past.replicas.is_empty() {
            troubles.push(advice::no_site(say));
        }
        troubles.extend(
            webhooks
                .iter()
                .filter_map(|report| advice::of_webhook(say, report)),
        );
        troubles.sort_by_key(|trouble| !trouble.is_serious);
        Ok(Self {
            troubles,
            past,
            accounts: standings,
        })
    }

    /// How many browsers wait for a scan.
    pub(crate) fn waiting(&self) -> u64 {
        self.past
            .replicas
            .iter()
            .map(|replica: &Replica| replica.waiting)
            .sum()
    }
}

impl AccountStanding {
    async fn of(account: &Account, say: Language) -> Self {
        let token = account.tokens.standing();
        let codes = account.code_budget.left().await;
        let refused = account.login_prompts.refusals.standing();
        let mut troubles = Vec::new();
        if let TokenStanding::Missing {
            why,
            asked_again_in,
        } = &token
        {
            troubles.push(advice::no_token(say, why, *asked_again_in));
        }
        if let Some((why, ..)) = refused {
            troubles.push(advice::no_codes(say, why));
        } else if let Some((left, per_day)) = codes.filter(|(left, per_day)| *left <= per_day / 10)
        {
            troubles.push(advice::few_codes(say, left, per_day));
        }
        Self {
            name: account.name.as_str().to_owned(),
            token,
            codes,
            refused: refused.map(|(why, until, _)| (why, until)),
            troubles,
        }
    }
}
