//! Query parameters of a URL that the visitor controls: it may contain anything, and is answered
//! with a page nevertheless.

use actix_web::HttpRequest;
use url::form_urlencoded;

/// A parameter of the query; empty without it.
pub(super) fn parameter(request: &HttpRequest, name: &str) -> String {
    values(request, name).next().unwrap_or_default()
}

/// A parameter that WeChat appended to the redirect URI: the last one of this name, whatever the
/// URI contained already; empty without it.
pub(super) fn appended(request: &HttpRequest, name: &str) -> String {
    values(request, name).last().unwrap_or_default()
}

fn values<'a>(request: &'a HttpRequest, name: &'a str) -> impl Iterator<Item = String> + 'a {
    form_urlencoded::parse(request.query_string().as_bytes())
        .filter(move |(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
