//! How pushes are counted.

use login_protocol::account::AccountName;

/// Counts a push in `wechat_pushes_total`. `event` is what it is about, `refused` if it isn't WeChat's, or
/// `ignored` if nothing can be done with it; `outcome` is what came of it, or why nothing did.
pub fn count(account: &AccountName, event: &'static str, outcome: &'static str) {
    let account = account.label();
    metrics::counter!("wechat_pushes_total", "event" => event, "outcome" => outcome, "account" => account)
        .increment(1);
}
