//! Where on this site a visitor goes on after a login that left the page.

use url::Url;

/// The longest path that is carried through WeChat and back, in bytes.
const LONGEST: usize = 1024;

/// A path on this site, perhaps with a query and a fragment, and never an address elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// Reads a path as a page's own script sends it. Anything that a browser could take for an address
    /// on another site, and anything that isn't visible ASCII, becomes `/`: browsers read `//` and `/\`
    /// as the beginning of a host, and drop tabs and line breaks before they look
    /// (<https://url.spec.whatwg.org/#url-parsing>).
    pub fn parse(text: &str) -> Self {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let own = text.starts_with('/') && !text.starts_with("//") && !text.contains('\\');
        if own && visible && text.len() <= LONGEST && stays_here(text) {
            Self(text.to_owned())
        } else {
            Self("/".to_owned())
        }
    }

    /// The path as a redirect's `Location`. A browser keeps the fragment of the address before when the
    /// new one has none (RFC 9110, section 10.2.2), and WeChat's ends with `#wechat_redirect`: an empty
    /// fragment keeps that off the page.
    pub fn location(&self) -> String {
        if self.0.contains('#') {
            self.0.clone()
        } else {
            format!("{}#", self.0)
        }
    }

    /// The path.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_site_stays_as_it_is() {
        for path in [
            "/",
            "/a/b?c=d&e=%2F%2Fevil.example#f",
            "/?next=https://evil.example/",
            "/%E8%8A%B1",
        ] {
            assert_eq!(ReturnPath::parse(path).as_str(), path);
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
            assert_eq!(ReturnPath::parse(hostile).as_str(), "/", "{hostile:?}");
        }
    }
}
