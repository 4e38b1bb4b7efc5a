//! The other origins whose pages may use the login.

use actix_web::http::header::{HeaderMap, HeaderValue, ORIGIN};
use url::{Host, Origin, Url};

/// Origins other than the site's own, such as `https://www.example.com`. None unless a setting
/// names them.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<Allowed>);

#[derive(Debug, Clone)]
struct Allowed {
    url: Url,
    origin: Origin,
    header: HeaderValue,
}

impl AllowedOrigins {
    /// Reads origins that are separated by commas.
    ///
    /// # Errors
    ///
    /// When one isn't written as browsers send it
    /// (<https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin>): such a one would never
    /// be met. `*` and `null` are every page there is.
    pub fn parse(list: &str) -> Result<Self, String> {
        let entries = list.split(',').map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty()).map(|entry| {
            read(entry).ok_or_else(|| {
                format!("must be scheme, host and optionally a port, in lower case, and nothing else: {entry:?}")
            })
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// What is wrong with the list for a site at this URL. Whoever can alter a page in transit
    /// could act as its visitor, so pages without TLS may not use a login that has it, except those
    /// on localhost.
    pub fn complaint(&self, public_url: &Url) -> Option<String> {
        let exposed = |url: &&Url| url.scheme() == "http" && !is_loopback(url);
        let urls = self.0.iter().map(|allowed| &allowed.url);
        let found = urls.clone().find(exposed)?;
        (public_url.scheme() == "https").then(|| {
            let origin = found.origin().ascii_serialization();
            format!("must be https, because public.url is https: {origin:?}")
        })
    }

    /// Whether nothing but the site's own pages may use the login.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The origin of the page that sent these headers, if it is one of these, letter for letter.
    pub fn sender(&self, headers: &HeaderMap) -> Option<&HeaderValue> {
        let sender = headers.get(ORIGIN)?;
        let mut known = self.0.iter().map(|allowed| &allowed.header);
        known.find(|known| *known == sender)
    }

    /// Whether this is the URL of a page of one of these. (A `blob:` URL has the origin that
    /// created it, and isn't a page's.)
    pub fn have(&self, address: &Url) -> bool {
        let origin = address.origin();
        matches!(address.scheme(), "http" | "https")
            && self.0.iter().any(|allowed| allowed.origin == origin)
    }
}

fn read(entry: &str) -> Option<Allowed> {
    let url = Url::parse(entry).ok()?;
    let origin = url.origin();
    let web = matches!(url.scheme(), "http" | "https");
    // A host may hold an asterisk for a URL's parser.
    let exact = origin.ascii_serialization() == entry && !entry.contains('*');
    (web && exact).then_some(())?;
    Some(Allowed {
        header: HeaderValue::from_str(entry).ok()?,
        url,
        origin,
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_send_them() {
        let list = "https://www.example.com, http://127.0.0.1:3000,http://[::1]:3000,https://xn--fsq.example,";
        assert_eq!(AllowedOrigins::parse(list).unwrap().0.len(), 4);
        assert!(AllowedOrigins::parse("").unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_refused() {
        for entry in [
            "*",
            "null",
            "www.example.com",
            "https://",
            "https://*",
            "https://*.example.com",
            "https://www.example.com/",
            "https://www.example.com/shop",
            "https://www.example.com?a",
            "https://www.example.com#a",
            "https://www.example.com:443",
            "https://user@www.example.com",
            "https://user:password@www.example.com",
            "HTTPS://WWW.EXAMPLE.COM",
            "https:\\\\www.example.com",
            "https://花.example",
            "https://www.example.com https://shop.example.com",
            "ftp://www.example.com",
            "wss://www.example.com",
            "blob:https://www.example.com",
            "file://",
        ] {
            let list = format!("https://www.example.com, {entry}");
            let complaint = AllowedOrigins::parse(&list).err();
            let complaint = complaint.unwrap_or_else(|| panic!("{entry} is taken"));
            assert!(complaint.contains(&format!("{entry:?}")), "{complaint}");
        }
    }

    #[test]
    fn pages_without_tls_have_no_part_in_a_login_that_has_it() {
        let complaint = |list: &str, public: &str| {
            let origins = AllowedOrigins::parse(list).unwrap();
            origins.complaint(&Url::parse(public).unwrap())
        };
        let login = "https://login.example.com";
        let both = "https://www.example.com, http://www.example.com";
        assert!(
            complaint(both, login)
                .unwrap()
                .contains("\"http://www.example.com\"")
        );
        assert!(complaint("http://localhost.example.com", login).is_some());
        assert_eq!(complaint(both, "http://login.example.com"), None);
        assert_eq!(complaint("https://www.example.com", login), None);
        let own = "http://localhost:3000, http://a.localhost, http://127.0.0.1, http://[::1]:3000";
        assert_eq!(complaint(own, login), None);
    }

    #[test]
    fn only_pages_of_the_exact_origin_are_theirs() {
        let origins = AllowedOrigins::parse("https://www.example.com").unwrap();
        let have = |address: &str| origins.have(&Url::parse(address).unwrap());
        assert!(have("https://www.example.com/a?b#c"));
        for address in [
            "http://www.example.com/",
            "https://www.example.com:8443/",
            "https://www.example.com./",
            "https://www.example.com.evil.example/",
            "https://www.example.com@evil.example/",
            "https://example.com/",
            "https://evil.example/https://www.example.com/",
            "blob:https://www.example.com/1",
            "javascript:alert(1)",
            "data:text/html,a",
            "file:///a",
        ] {
            assert!(!have(address), "{address}");
        }
    }
}
