//! Other sites' pages may not act for a visitor.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use login_protocol::problem::ProblemCode;
use service_kit::problem::Problem;
use url::{Origin, Url};

/// The origin of the site's own pages.
#[derive(Debug)]
pub struct OwnOrigin {
    configured: Origin,
    scheme: String,
}

impl OwnOrigin {
    /// The origin of the site at this URL.
    pub fn new(public_url: &Url) -> Self {
        Self {
            configured: public_url.origin(),
            scheme: public_url.scheme().to_owned(),
        }
    }

    /// Whether a page of ours sent this, or no page at all. A page counts as ours when its origin
    /// is the configured one, or the host that it asks under the same scheme: both are this site.
    pub(super) fn sent(&self, headers: &HeaderMap) -> bool {
        let header = |name: &str| {
            headers
                .get(name)
                .map(|value| value.to_str().unwrap_or("unreadable"))
        };
        let Some(origin) = header(ORIGIN.as_str()) else {
            return !matches!(header("sec-fetch-site"), Some("cross-site" | "same-site"));
        };
        let Ok(origin) = Url::parse(origin).map(|origin| origin.origin()) else {
            return false;
        };
        let host = header(HOST.as_str()).unwrap_or_default();
        let asked = Url::parse(&format!("{}://{host}", self.scheme)).map(|asked| asked.origin());
        origin.is_tuple() && (origin == self.configured || asked.is_ok_and(|asked| asked == origin))
    }
}

/// The response to pages of other origins.
pub(super) fn refusal() -> Problem {
    let detail = "This request comes from another site's page. If it is your own, serve it from public.url, \
                  or add its origin to public.allowed_origins.";
    Problem::new(ProblemCode::ForeignOrigin, detail)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn sent(headers: &[(&'static str, &'static str)]) -> bool {
        sent_to("https://www.example.com/login", headers)
    }

    fn sent_to(public_url: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let own = OwnOrigin::new(&Url::parse(public_url).unwrap());
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        own.sent(&headers.collect())
    }

    #[test]
    fn own_pages_and_programs_pass() {
        assert!(sent(&[]));
        assert!(sent(&[("origin", "https://www.example.com")]));
        assert!(sent(&[
            ("origin", "https://login.example.com"),
            ("host", "login.example.com")
        ]));
        let by_address = [
            ("origin", "http://127.0.0.1:8080"),
            ("host", "127.0.0.1:8080"),
        ];
        assert!(sent_to("http://localhost:8080", &by_address));
        assert!(sent(&[("sec-fetch-site", "same-origin")]));
        assert!(sent(&[("sec-fetch-site", "none")]));
    }

    #[test]
    fn foreign_pages_are_refused() {
        for origin in [
            "https://evil.example",
            "http://www.example.com",
            "https://www.example.com:8443",
            "https://www.example.com.evil.example",
            "null",
            "",
            "file://",
        ] {
            assert!(
                !sent(&[("origin", origin), ("host", "www.example.com")]),
                "{origin}"
            );
        }
        assert!(!sent(&[("sec-fetch-site", "cross-site")]));
        assert!(!sent(&[("sec-fetch-site", "same-site")]));
    }
}
