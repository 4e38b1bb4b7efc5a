//! Parameters of an address that came through a visitor's hands: it may say anything, and is answered with a
//! page all the same.

use actix_web::HttpRequest;
use url::form_urlencoded;

/// A parameter of the query; empty without it.
pub(super) fn parameter(request: &HttpRequest, name: &str) -> String {
    values(request, name).next().unwrap_or_default()
}

/// A parameter that WeChat appended to the address that it was given: the last one of this name, whatever
/// that address held already; empty without it.
pub(super) fn appended(request: &HttpRequest, name: &str) -> String {
    values(request, name).last().unwrap_or_default()
}

fn values<'a>(request: &'a HttpRequest, name: &'a str) -> impl Iterator<Item = String> + 'a {
    form_urlencoded::parse(request.query_string().as_bytes())
        .filter(move |(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
