//! Where a visitor goes on after a login that left the page.

use url::Url;

use crate::allowed_origins::AllowedOrigins;

/// The longest one that is carried through WeChat and back, in bytes.
const LONGEST: usize = 1024;

/// The longest one that leads to the hosted login page and on from there, in bytes.
const LONGEST_OF_PAGE: usize = 8192;

/// A path on this site or a URL of an allowed origin, perhaps with a query and a fragment, and
/// never a URL elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Parses what a page's own script sends: a path, or the URL of a page of an allowed origin.
    /// Anything else that a browser could interpret as a URL on another site, and anything that
    /// isn't visible ASCII, becomes `/`: browsers read `//` and `/\` as the start of a host, and
    /// strip tabs and line breaks first (<https://url.spec.whatwg.org/#url-parsing>).
    pub fn parse(text: &str, allowed: &AllowedOrigins) -> Self {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let plain = visible && !text.contains('\\') && text.len() <= LONGEST;
        let own = text.starts_with('/') && !text.starts_with("//");
        if plain && own && stays_here(text) {
            return Self(text.to_owned());
        }
        let elsewhere = plain.then(|| address_at(allowed, text)).flatten();
        Self(elsewhere.unwrap_or_else(|| "/".to_owned()))
    }

    /// Parses what leads to the hosted login page: also an absolute URL of the site's own origin, and
    /// longer ones, since they don't go through WeChat.
    pub fn of_page(text: &str, allowed: &AllowedOrigins, public_url: &Url) -> Self {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let plain = visible && !text.contains('\\') && text.len() <= LONGEST_OF_PAGE;
        let own = plain.then(|| own_address(public_url, text)).flatten();
        own.map_or_else(|| Self::parse(text, allowed), Self)
    }

    /// It as a redirect's `Location`. A browser keeps the fragment of the previous URL when the new
    /// one has none (RFC 9110, section 10.2.2), and WeChat's ends with `#wechat_redirect`: an empty
    /// fragment keeps that off the page.
    pub fn location(&self) -> String {
        if self.0.contains('#') {
            self.0.clone()
        } else {
            format!("{}#", self.0)
        }
    }

    /// The path or the URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a browser makes of it, on some site or other.
fn stays_here(path: &str) -> bool {
    let Ok(here) = Url::parse("https://here.invalid/login/wechat") else {
        return false;
    };
    here.join(path)
        .is_ok_and(|there| there.origin() == here.origin())
}

/// What follows the site's own origin in this URL, as a browser would parse it.
fn own_address(public_url: &Url, text: &str) -> Option<String> {
    let address = Url::parse(text).ok()?;
    let nobody = address.username().is_empty() && address.password().is_none();
    // A `blob:` URL has the origin that created it, and a path with two slashes is another host's.
    let own = address.origin() == public_url.origin()
        && address.scheme() == public_url.scheme()
        && !address.path().starts_with("//")
        && nobody;
    own.then(|| address[url::Position::BeforePath..].to_owned())
}

/// This URL as a browser would parse it, if it belongs to an allowed origin and has no credentials.
fn address_at(allowed: &AllowedOrigins, text: &str) -> Option<String> {
    let address = Url::parse(text).ok()?;
    let nobody = address.username().is_empty() && address.password().is_none();
    (nobody && allowed.have(&address)).then(|| address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, origins: &str) -> String {
        let allowed = AllowedOrigins::parse(origins).unwrap();
        ReturnTo::parse(text, &allowed).as_str().to_owned()
    }

    #[test]
    fn a_path_of_this_site_stays_as_it_is() {
        for path in [
            "/",
            "/a/b?c=d&e=%2F%2Fevil.example#f",
            "/?next=https://evil.example/",
            "/%E8%8A%B1",
        ] {
            assert_eq!(read(path, ""), path);
        }
    }

    #[test]
    fn everything_else_is_the_front_page() {
        let long = format!("/{}", "a".repeat(LONGEST));
        for hostile in [
            "",
            "a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\..\\..\\b",
            "/\t/evil.example",
            "/\r\nSet-Cookie: a=b",
            "https://evil.example/",
            "https:evil.example",
            "javascript:alert(1)",
            " //evil.example",
            "/花",
            "/a b",
            "/\u{7f}",
            "?a",
            "#a",
            &long,
        ] {
            for origins in ["", "https://www.example.com"] {
                assert_eq!(read(hostile, origins), "/", "{hostile:?}");
            }
        }
    }

    #[test]
    fn an_address_of_an_allowed_origin_is_kept_as_a_browser_reads_it() {
        for (address, kept) in [
            (
                "https://www.example.com/a?b=c#d",
                "https://www.example.com/a?b=c#d",
            ),
            ("https://www.example.com", "https://www.example.com/"),
            (
                "HTTPS://WWW.EXAMPLE.COM:443/a/../B",
                "https://www.example.com/B",
            ),
            ("https:www.example.com/a", "https://www.example.com/a"),
            (
                "https://www.example.com/\"<",
                "https://www.example.com/%22%3C",
            ),
        ] {
            assert_eq!(read(address, "https://www.example.com"), kept);
            assert_eq!(read(address, ""), "/");
        }
    }

    #[test]
    fn the_login_page_is_led_to_by_the_sites_own_addresses_too() {
        let public_url = Url::parse("https://login.example.com/passport").unwrap();
        let allowed = AllowedOrigins::parse("https://www.example.com").unwrap();
        let read = |text: &str| {
            let read = ReturnTo::of_page(text, &allowed, &public_url);
            read.as_str().to_owned()
        };
        let long = format!("https://login.example.com/{}", "a".repeat(4000));
        for (address, kept) in [
            ("https://login.example.com/a?b=c&d#e", "/a?b=c&d#e"),
            ("HTTPS://LOGIN.example.com:443", "/"),
            ("https://login.example.com/a/../b", "/b"),
            (&long, &long[25..]),
            ("/a", "/a"),
            ("https://www.example.com/a", "https://www.example.com/a"),
        ] {
            assert_eq!(read(address), kept);
        }
        for hostile in [
            "https://login.example.com//evil.example/",
            "https://login.example.com/\\evil.example/",
            "https://login.example.com/a/..//evil.example/",
            "https://login.example.com@evil.example/",
            "https://a@login.example.com/",
            "http://login.example.com/",
            "https://login.example.com:8443/",
            "https://evil.example/",
            "blob:https://login.example.com/1",
            "javascript:alert(1)",
        ] {
            assert_eq!(read(hostile), "/", "{hostile}");
        }
    }

    #[test]
    fn an_address_that_only_looks_like_an_allowed_origins_is_the_front_page() {
        let long = format!("https://www.example.com/{}", "a".repeat(LONGEST));
        for hostile in [
            "http://www.example.com/",
            "//www.example.com/",
            "https://www.example.com:8443/",
            "https://www.example.com./",
            "https://www.example.com.evil.example/",
            "https://www.example.com@evil.example/",
            "https://www.example.com:a@evil.example/",
            "https://evil.example@www.example.com/",
            "https://:a@www.example.com/",
            "https://evil.example\\@www.example.com/",
            "https://evil.example/\\www.example.com",
            "https:\\\\www.example.com/",
            "https://www.example.com\\.evil.example/",
            "https://www.example.com%2eevil.example/",
            "https://www.example.com%00.evil.example/",
            "https://evil.example?https://www.example.com",
            "https://evil.example#https://www.example.com",
            "https://www.ex\tample.com/",
            " https://www.example.com/",
            "\thttps://www.example.com/",
            "https://www.example.com/\r\nSet-Cookie: a=b",
            "https://www.example.com/花",
            "https://www。example。com/",
            "https://ｗｗｗ.example.com/",
            "https://www.xn--exmple-cua.com/",
            "blob:https://www.example.com/1",
            "view-source:https://www.example.com/",
            "javascript://www.example.com/%0aalert(1)",
            "data:text/html,https://www.example.com",
            &long,
        ] {
            assert_eq!(read(hostile, "https://www.example.com"), "/", "{hostile:?}");
        }
    }
}
