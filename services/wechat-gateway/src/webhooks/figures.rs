//! Metrics of webhooks.

use login_protocol::webhook::WebhookName;

use super::report::Report;

/// Counts what became of sending an event once.
pub(super) fn count(webhook: &WebhookName, result: &'static str) {
    let webhook = webhook.label();
    metrics::counter!("webhook_deliveries_total", "webhook" => webhook, "result" => result)
        .increment(1);
}

/// Shows how far a receiver is.
#[expect(
    clippy::cast_precision_loss,
    reason = "a metric is a floating-point number"
)]
pub(super) fn show(report: &Report) {
    let gauge = |name: &'static str, value: f64| {
        let webhook = report.name.clone();
        metrics::gauge!(name, "webhook" => webhook).set(value);
    };
    gauge("webhook_lag_events", report.lag_events as f64);
    gauge("webhook_lag_seconds", report.lag_seconds as f64);
    gauge("webhook_dead_letters", report.dead_letters as f64);
    let off = report.switched_off_at.is_some();
    gauge("webhook_switched_off", f64::from(u8::from(off)));
}
