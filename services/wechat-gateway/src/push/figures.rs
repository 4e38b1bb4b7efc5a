//! How pushes are counted.

/// Counts a push in `wechat_pushes_total`. `event` is what it is about, `refused` if it isn't WeChat's, or
/// `ignored` if nothing can be done with it; `outcome` is what came of it, or why nothing did.
pub fn count(event: &'static str, outcome: &'static str) {
    metrics::counter!("wechat_pushes_total", "event" => event, "outcome" => outcome).increment(1);
}
