//! What is counted of the logins at this site, for each account.

use std::collections::BTreeMap;

use login_protocol::account::AccountName;
use metrics::Histogram;
use service_kit::login_steps::{LoginStep, StepCounters};

/// The counters of each account.
pub(super) struct LoginSteps {
    own: AccountSteps,
    /// Those of the accounts that clients name.
    others: BTreeMap<AccountName, AccountSteps>,
}

/// The counters of one account.
pub(super) struct AccountSteps {
    pub(super) shown: StepCounters,
    pub(super) completed: StepCounters,
    pub(super) expired: StepCounters,
    pub(super) cancelled: StepCounters,
    /// From the confirmation until the waiting browser was told.
    pub(super) told: Histogram,
    /// From the confirmation until the browser had its session or ticket.
    pub(super) signed_in: Histogram,
}

impl LoginSteps {
    /// Nothing is counted yet.
    pub(super) fn new(own: &AccountName, others: &[AccountName]) -> Self {
        let others = others.iter();
        Self {
            own: AccountSteps::new(own),
            others: others
                .map(|account| (account.clone(), AccountSteps::new(account)))
                .collect(),
        }
    }

    /// Those of an account; of no other than the settings name.
    pub(super) fn of(&self, account: &AccountName) -> &AccountSteps {
        self.others.get(account).unwrap_or(&self.own)
    }
}

impl AccountSteps {
    fn new(account: &AccountName) -> Self {
        let counters = |step| StepCounters::new(step, account);
        Self {
            shown: counters(LoginStep::Shown),
            completed: counters(LoginStep::Completed),
            expired: counters(LoginStep::Expired),
            cancelled: counters(LoginStep::Cancelled),
            told: metrics::histogram!(
                "login_scan_to_browser_seconds", "account" => account.label()
            ),
            signed_in: metrics::histogram!(
                "login_scan_to_session_seconds", "account" => account.label()
            ),
        }
    }
}
