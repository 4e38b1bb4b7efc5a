//! What the site's own metrics mean.

use service_kit::metric_family::Family;

/// All of them.
pub(crate) const FAMILIES: &[Family] = &[
    Family::counter(
        "logins_total",
        "Logins that were started or completed here, or refused before they began, by outcome.",
    ),
    Family::counter(
        "login_steps_total",
        "Steps that logins took at this service, by step, method and account.",
    ),
    Family::histogram(
        "login_scan_to_browser_seconds",
        "From the scan, or the confirmation on the phone, until the waiting browser was told.",
    ),
    Family::histogram(
        "login_scan_to_session_seconds",
        "From the scan, or the confirmation on the phone, until the browser had its session.",
    ),
    Family::counter(
        "login_proofs_total",
        "Logins whose browser had to do work first, and the proofs of it that came, by outcome.",
    ),
    Family::gauge(
        "login_streams_open",
        "Browsers that wait on an event stream for the scan.",
    ),
    Family::counter(
        "login_streams_refused_total",
        "Event streams that were refused, by the limit that was reached; such browsers poll.",
    ),
    Family::gauge(
        "session_streams_open",
        "Pages that watch on an event stream whether they are still signed in.",
    ),
    Family::counter(
        "session_streams_refused_total",
        "Such streams that were refused, by the limit that was reached.",
    ),
    Family::counter(
        "login_tickets_total",
        "Login tickets that backends redeemed, by outcome.",
    ),
    Family::counter(
        "login_returns_total",
        "Visitors who came back from WeChat's consent page, by outcome.",
    ),
    Family::counter(
        "forward_auth_total",
        "Requests of which a proxy asked whether the visitor is signed in, by outcome.",
    ),
    Family::counter(
        "forward_auth_returns_total",
        "Visitors who came back to another host with a one-time code, by outcome.",
    ),
    Family::counter(
        "oidc_codes_total",
        "Authorization codes that were issued, by client.",
    ),
    Family::counter(
        "oidc_tokens_total",
        "Answers of the token endpoint with tokens, by client and grant.",
    ),
    Family::counter(
        "oidc_refusals_total",
        "Requests of OpenID Connect that were refused, by endpoint and reason.",
    ),
    Family::counter(
        "oidc_logouts_told_total",
        "Back-channel logouts, by client and outcome.",
    ),
];
