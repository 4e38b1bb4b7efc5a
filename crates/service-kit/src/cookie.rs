//! Reading one cookie of ours among those of others.

use actix_web::{HttpRequest, http::header::COOKIE};

/// The value of a cookie (RFC 6265, 5.4). Ours contain no characters that need quoting or encoding,
/// so this doesn't decode any, and it doesn't parse all cookies of a large website, whose malformed
/// ones are none of our business.
pub fn value<'request>(request: &'request HttpRequest, name: &str) -> Option<&'request str> {
    request
        .headers()
        .get_all(COOKIE)
        // Bytes, since other cookies may contain anything.
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .find_map(|pair| {
            let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
            str::from_utf8(value.strip_prefix(b"=")?).ok()
        })
}
