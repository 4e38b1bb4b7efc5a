//! What the gateway's own metrics mean.

use service_kit::metric_family::Family;

/// All of them. Those of an account have the label `account`.
pub(crate) const FAMILIES: &[Family] = &[
    Family::counter(
        "login_steps_total",
        "Steps that logins took at this service, by step, method and account.",
    ),
    Family::counter(
        "wechat_pushes_total",
        "WeChat's pushes, by event and by what became of them.",
    ),
    Family::counter(
        "relayed_pushes_total",
        "Pushes that were passed on to the owner's backend, by kind and outcome.",
    ),
    Family::counter(
        "wechat_api_calls_total",
        "Calls to WeChat, by call and by outcome: ok, WeChat's error code, or what went wrong.",
    ),
    Family::histogram(
        "wechat_api_call_duration_seconds",
        "From a call to WeChat until its answer was read, or the call failed.",
    ),
    Family::gauge(
        "wechat_access_token_expiry_timestamp_seconds",
        "When the access token that this gateway holds ends, in seconds since 1970; 0 without one.",
    ),
    Family::gauge(
        "wechat_qr_codes_left",
        "QR codes left of the day's limit, for all gateways together.",
    ),
    Family::gauge("wechat_qr_codes_per_day", "The day's limit of QR codes."),
    Family::counter(
        "wechat_qr_codes_refused_total",
        "Logins that got no QR code, because the day's are used up or the client had many.",
    ),
    Family::gauge(
        "logins_without_qr_codes",
        "1 while WeChat gives the account no QR codes and sites with the method auto do without.",
    ),
    Family::counter(
        "login_decisions_total",
        "Decisions of people who were asked on the phone, by outcome.",
    ),
    Family::counter(
        "profiles_shown_total",
        "People who showed nickname and avatar on WeChat's consent page.",
    ),
    Family::counter(
        "wechat_web_logins_total",
        "Logins inside WeChat that reached the gateway, by outcome.",
    ),
    Family::counter(
        "wechat_stray_codes_total",
        "Authorisation codes that belonged to no login and were made invalid, by outcome.",
    ),
    Family::counter(
        "login_guesses_total",
        "Messages of digits while attempts had digits, by outcome.",
    ),
    Family::counter(
        "compat_codes_total",
        "Questions in wechat-server's protocol, by outcome.",
    ),
    Family::counter(
        "webhook_deliveries_total",
        "Posts of an event to a webhook, by result.",
    ),
    Family::gauge(
        "webhook_lag_events",
        "Events that a webhook hasn't got yet; the same at every gateway.",
    ),
    Family::gauge(
        "webhook_lag_seconds",
        "How long the oldest event that a webhook hasn't got has been waiting.",
    ),
    Family::gauge(
        "webhook_dead_letters",
        "Events that were given up for a webhook and can be redelivered.",
    ),
    Family::gauge(
        "webhook_switched_off",
        "1 while nothing is posted to a webhook, because it answered 410.",
    ),
];
