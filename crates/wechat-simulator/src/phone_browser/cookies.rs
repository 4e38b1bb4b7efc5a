//! One browser's cookies: as much of RFC 6265 as pages on a phone need.

use actix_web::cookie::Cookie;
use actix_web::cookie::time::{OffsetDateTime, SignedDuration as Duration};
use jiff::Timestamp;
use url::Url;

use super::local_host::is_local;

/// How many cookies one browser keeps.
const CAPACITY: usize = 200;

/// The longest life of a cookie, in seconds: 400 days, as browsers have it.
const LONGEST_AGE: i64 = 34_560_000;

/// The cookies that servers set.
#[derive(Debug, Default)]
pub(super) struct CookieJar {
    cookies: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    host: String,
    path: String,
    name: String,
    value: String,
    secure: bool,
    ends: Option<Timestamp>,
}

impl CookieJar {
    /// Keeps what a `Set-Cookie` header says, or forgets what it expires. Ports don't tell cookies
    /// apart. A `Domain` is ignored: each cookie belongs to the host that set it.
    pub(super) fn store(&mut self, url: &Url, header: &str) {
        let Ok(cookie) = Cookie::parse(header) else {
            return;
        };
        let now = Timestamp::now();
        let host = url.host_str().unwrap_or_default();
        let path = cookie.path().filter(|path| path.starts_with('/'));
        let path = path.map_or_else(|| default_path(url), str::to_owned);
        let max_age = cookie.max_age().map(Duration::whole_seconds);
        let expires = cookie
            .expires_datetime()
            .map(OffsetDateTime::unix_timestamp);
        let ends = max_age.map_or(expires, |seconds| {
            Some(
                now.as_second()
                    .saturating_add(seconds.clamp(0, LONGEST_AGE)),
            )
        });
        let ends = ends.and_then(|at| Timestamp::from_second(at).ok());
        self.cookies.retain(|kept| {
            kept.ends.is_none_or(|ends| ends > now)
                && (kept.host != host || kept.path != path || kept.name != cookie.name())
        });
        if ends.is_some_and(|ends| ends <= now) {
            return;
        }
        if self.cookies.len() >= CAPACITY {
            self.cookies.remove(0);
        }
        self.cookies.push(Kept {
            host: host.to_owned(),
            path,
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            secure: cookie.secure().unwrap_or_default(),
            ends,
        });
    }

    /// The `Cookie` header for an address, if any cookie goes there.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let now = Timestamp::now();
        // Browsers treat loopback addresses as secure.
        let secure = url.scheme() == "https" || is_local(url);
        let sent: Vec<_> = self
            .cookies
            .iter()
            .filter(|kept| Some(kept.host.as_str()) == url.host_str())
            .filter(|kept| path_matches(url.path(), &kept.path))
            .filter(|kept| !kept.secure || secure)
            .filter(|kept| kept.ends.is_none_or(|ends| ends > now))
            .map(|kept| format!("{}={}", kept.name, kept.value))
            .collect();
        (!sent.is_empty()).then(|| sent.join("; "))
    }
}

/// The directory of the address (RFC 6265, 5.1.4).
fn default_path(url: &Url) -> String {
    match url.path().rsplit_once('/') {
        Some((directory, _)) if !directory.is_empty() => directory.to_owned(),
        _ => "/".to_owned(),
    }
}

fn path_matches(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie_path.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_and_path_until_it_expires() {
        let mut jar = CookieJar::default();
        let set = url("http://127.0.0.1:8081/wechat/oauth/return");
        jar.store(&set, "__Host-a=1; Path=/; Secure; HttpOnly");
        jar.store(&set, "b=2; Max-Age=60");
        assert_eq!(jar.header(&set).as_deref(), Some("__Host-a=1; b=2"));
        let elsewhere = url("http://127.0.0.1:8080/wechat/oauthentic");
        assert_eq!(jar.header(&elsewhere).as_deref(), Some("__Host-a=1"));
        assert_eq!(jar.header(&url("http://localhost:8081/")), None);
        jar.store(&set, "b=; Max-Age=0");
        assert_eq!(jar.header(&set).as_deref(), Some("__Host-a=1"));
    }
}
