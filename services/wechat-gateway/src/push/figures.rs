//! How pushes are counted.

use login_protocol::account::AccountName;

/// Counts a push in `wechat_pushes_total`. `event` is its kind, `refused` if it isn't WeChat's, or
/// `ignored` if it is unusable; `outcome` is the result or the reason.
pub fn count(account: &AccountName, event: &'static str, outcome: &'static str) {
    let account = account.label();
    metrics::counter!("wechat_pushes_total", "event" => event, "outcome" => outcome, "account" => account)
        .increment(1);
}
