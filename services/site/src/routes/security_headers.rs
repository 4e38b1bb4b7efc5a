//! Security headers of responses.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY,
    CROSS_ORIGIN_RESOURCE_POLICY, HeaderMap, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_FRAME_OPTIONS,
};
use url::Url;

/// Nothing but the site's own scripts and styles. Avatars come from WeChat's hosts, over http or
/// https; the QR code is a data: picture.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: https: http:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What a browser remembers of a host that is reached by https: a year of nothing else.
const HTTPS_ONLY: &str = "max-age=31536000";

/// Adds those of a page of ours: its opener can't access it. No other response has this, since on a
/// redirect it would also separate the target page from its opener.
pub(super) fn add_for_page(headers: &mut HeaderMap) {
    headers.insert(
        CROSS_ORIGIN_OPENER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
}

/// Adds those of the front page. It alone speaks for the host: if the site has only some paths of a
/// host, giving up http there is up to the host's owner.
pub(super) fn add_for_front_page(headers: &mut HeaderMap, public_url: &Url) {
    add_for_page(headers);
    add_for_host(headers, public_url);
}

/// Adds what the front page says of its host.
pub(super) fn add_for_host(headers: &mut HeaderMap, public_url: &Url) {
    if public_url.scheme() == "https" && public_url.path() == "/" {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(HTTPS_ONLY),
        );
    }
}

/// Adds those of every answer. Answers that say nothing of caching aren't kept anywhere, and those
/// that say nothing of other origins are embedded by none. (Pages of a named origin that ask for
/// the API aren't concerned: CORS is for them.)
pub(super) fn add(headers: &mut HeaderMap) {
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // A page with a form says something else.
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key(CROSS_ORIGIN_RESOURCE_POLICY) {
        headers.insert(
            CROSS_ORIGIN_RESOURCE_POLICY,
            HeaderValue::from_static("same-origin"),
        );
    }
}
