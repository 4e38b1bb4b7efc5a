//! Reading one cookie of ours among those of others.

use actix_web::{HttpRequest, http::header::COOKIE};

/// The value of a cookie (RFC 6265, 5.4). Ours contain no characters that need quoting or encoding,
/// so this doesn't decode any, and it doesn't parse all cookies of a large website, whose malformed
/// ones are none of our business.
pub fn value<'request>(request: &'request HttpRequest, name: &str) -> Option<&'request str> {
    values(request, name).next()
}

/// What a browser has under a cookie's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'request> {
    /// Nothing.
    Nothing,
    /// One cookie.
    One(&'request str),
    /// Several, of which all but one were set by somebody else: software on another port of the same
    /// host, say, whose cookie for a longer path comes first (RFC 6265, 5.4).
    Several,
}

/// The cookie of this name, unless there are several.
pub fn find<'request>(request: &'request HttpRequest, name: &str) -> Found<'request> {
    let mut values = values(request, name);
    match (values.next(), values.next()) {
        (None, _) => Found::Nothing,
        (Some(value), None) => Found::One(value),
        (Some(_), Some(_)) => Found::Several,
    }
}

fn values<'request>(
    request: &'request HttpRequest,
    name: &str,
) -> impl Iterator<Item = &'request str> {
    request
        .headers()
        .get_all(COOKIE)
        // Bytes, since other cookies may contain anything.
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
            str::from_utf8(value.strip_prefix(b"=")?).ok()
        })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn two_cookies_of_a_name_are_none_of_ours() {
        for (sent, found) in [
            (&[][..], Found::Nothing),
            (&["ours2=b; o=c"], Found::Nothing),
            (&["other=a; ours=b"], Found::One("b")),
            (&["ours=a; ours=b"], Found::Several),
            (&["ours=a; other=b", "ours=a"], Found::Several),
        ] {
            let mut request = TestRequest::get();
            for line in sent {
                request = request.append_header((COOKIE, *line));
            }
            let request = request.to_http_request();
            assert_eq!(find(&request, "ours"), found, "{sent:?}");
        }
    }
}
