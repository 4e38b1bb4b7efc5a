//! Doubled and trailing slashes in paths are ignored. Reverse proxies and people add them to
//! correct URLs. It isn't done by a redirect, since WeChat follows none.

use actix_web::{
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Uri,
        header::{HeaderValue, LOCATION},
        uri::PathAndQuery,
    },
};

/// Beyond this many trailing slashes no relative link is adjusted: no proxy adds so many.
const MOST_STEPS: usize = 8;

/// Takes a request to the plain path, with its query. Nothing but slashes is looked at: what is
/// encoded stays so, and dots mean nothing. Returns how many slashes were at the end.
pub(crate) fn tidy(request: &mut ServiceRequest) -> usize {
    let path = request.path();
    if is_tidy(path) {
        return 0;
    }
    let at_the_end = path.len() - path.trim_end_matches('/').len();
    if let Some(uri) = tidied(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    at_the_end
}

fn is_tidy(path: &str) -> bool {
    let mut before = 0;
    for byte in path.bytes() {
        if byte == b'/' && before == b'/' {
            return false;
        }
        before = byte;
    }
    // What doesn't begin with a slash is no path, as in `OPTIONS *`.
    before != b'/' || path.len() == 1 || !path.starts_with('/')
}

fn tidied(uri: &Uri) -> Option<Uri> {
    let mut target = String::with_capacity(uri.path_and_query()?.as_str().len());
    for segment in uri.path().split('/').filter(|segment| !segment.is_empty()) {
        target.push('/');
        target.push_str(segment);
    }
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = uri.query() {
        target.push('?');
        target.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

/// Lets a redirect that is relative to the plain path lead to the same place from the path that the
/// browser knows, which has slashes at its end.
pub(crate) fn mend_redirect<B>(response: &mut ServiceResponse<B>, at_the_end: usize) {
    if !(1..=MOST_STEPS).contains(&at_the_end) {
        return;
    }
    let location = response.headers().get(LOCATION);
    let Some(location) = location.and_then(|location| location.to_str().ok()) else {
        return;
    };
    let first = location.find(['/', ':', '?', '#']);
    let delimiter = first.map(|at| (at, location.as_bytes()[at]));
    if matches!(delimiter, Some((0, b'/') | (_, b':'))) {
        return;
    }
    let mended = format!("{}{location}", "../".repeat(at_the_end));
    if let Ok(mended) = HeaderValue::try_from(mended) {
        response.headers_mut().insert(LOCATION, mended);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpResponse, test::TestRequest};

    use super::*;

    fn tidied(target: &str) -> (String, usize) {
        let mut request = TestRequest::with_uri(target).to_srv_request();
        let at_the_end = tidy(&mut request);
        (request.uri().to_string(), at_the_end)
    }

    #[test]
    fn slashes_lead_to_the_plain_path_and_the_query_stays() {
        for (target, plain, at_the_end) in [
            ("/", "/", 0),
            ("/?a=b", "/?a=b", 0),
            ("/a/b", "/a/b", 0),
            ("/a/b/", "/a/b", 1),
            ("//", "/", 2),
            ("//a", "/a", 0),
            ("//a//b///", "/a/b", 3),
            ("/a/?c=//d/", "/a?c=//d/", 1),
            ("/a/b?", "/a/b?", 0),
            ("/a/b/?", "/a/b?", 1),
            ("//evil.example/a", "/evil.example/a", 0),
            ("http://localhost//a/?b", "http://localhost/a?b", 1),
        ] {
            assert_eq!(tidied(target), (plain.to_owned(), at_the_end), "{target}");
        }
    }

    #[test]
    fn nothing_else_is_read_into_a_path() {
        for target in [
            "/a/..%2f",
            "/a/%2e%2e/b",
            "/a/../b",
            "/a%2F%2Fb",
            "/a/.",
            "/a/\\\\b",
        ] {
            assert_eq!(tidied(target), (target.to_owned(), 0));
        }
        assert_eq!(tidied("//a/..%2f/").0, "/a/..%2f");
        assert_eq!(tidied("//a/..//v1").0, "/a/../v1");
    }

    fn mended(location: &'static str, at_the_end: usize) -> String {
        let request = TestRequest::default().to_http_request();
        let response = HttpResponse::SeeOther()
            .insert_header((LOCATION, location))
            .finish();
        let mut response = ServiceResponse::new(request, response);
        mend_redirect(&mut response, at_the_end);
        let location = response.headers().get(LOCATION).unwrap();
        location.to_str().unwrap().to_owned()
    }

    #[test]
    fn only_relative_redirects_are_mended() {
        assert_eq!(
            mended("decision?ticket=a:b/c", 1),
            "../decision?ticket=a:b/c"
        );
        assert_eq!(mended("wechat/stopped?a", 2), "../../wechat/stopped?a");
        assert_eq!(mended("decision", 0), "decision");
        for location in ["/a/b#", "//a", "https://www.example.com/#"] {
            assert_eq!(mended(location, 1), location);
        }
    }
}
