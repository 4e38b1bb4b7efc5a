//! Forward authentication: a proxy asks about a request, and is told who sent it or where they log
//! in. This module decides what a request is about; it asks nobody.

use login_protocol::steps::ForwardAuthGrant;
use service_kit::client_address::Forwarded;
use url::Url;

use crate::{
    allowed_origins::AllowedOrigins, forward_auth::marks::BrowserMark, public_url::PublicUrl,
};

pub mod marks;

/// The page that leads on to where a visitor wanted to go: back, once they are signed in.
pub const LOGIN: &str = "/login/forward-auth";

/// The page that begins a login and comes back to `return_to`.
const HOSTED_LOGIN: &str = "/login";

/// The path of other hosts where their visitors come back with a code.
pub const RETURN: &str = "/.wechat-login/return";

/// The longest path and query that visitors come back to, in bytes; nginx takes lines of 8 KiB.
const LONGEST_URI: usize = 4096;

/// What the settings say about forward authentication.
#[derive(Debug, Clone)]
pub struct ForwardAuthSettings {
    /// The origins beside the site's own that may ask.
    pub origins: AllowedOrigins,
    /// The domain of the addresses in `Remote-Email`.
    pub email_domain: Option<String>,
    /// Whether only followers of the account get through.
    pub require_following: bool,
}

/// Which hosts may ask, and where their visitors log in.
#[derive(Debug, Clone)]
pub struct ForwardAuth {
    settings: ForwardAuthSettings,
    public_url: PublicUrl,
}

/// The host that a request was for isn't named in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the settings don't name this host")]
pub struct UnknownHost;

/// Where a visitor wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    is_own: bool,
}

impl Target {
    /// The URL, on the site's own origin or a named one.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Its origin, as browsers write it.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether it is on the site's own origin.
    pub const fn is_own(&self) -> bool {
        self.is_own
    }

    /// Whether its cookies are `Secure`.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether a cookie of another host was given for it.
    pub fn fits(&self, grant: &ForwardAuthGrant) -> bool {
        !self.is_own && grant.origin == self.origin()
    }
}

impl ForwardAuth {
    /// For the site at this URL.
    pub const fn new(settings: ForwardAuthSettings, public_url: PublicUrl) -> Self {
        Self {
            settings,
            public_url,
        }
    }

    /// Whether only followers get through.
    pub const fn requires_following(&self) -> bool {
        self.settings.require_following
    }

    /// The domain of the addresses in `Remote-Email`.
    pub fn email_domain(&self) -> Option<&str> {
        self.settings.email_domain.as_deref()
    }

    /// Where the request wanted to go that a proxy asks about. A request that no trusted proxy
    /// speaks of is one for the site's own origin.
    ///
    /// # Errors
    ///
    /// The settings don't name the host.
    pub fn asked(&self, forwarded: Option<&Forwarded<'_>>) -> Result<Target, UnknownHost> {
        match forwarded {
            Some(forwarded) => {
                let uri = forwarded.uri.unwrap_or("/");
                self.on_host(forwarded.protocol, forwarded.host, uri)
            }
            None => Ok(Target {
                url: self.public_url.url().clone(),
                is_own: true,
            }),
        }
    }

    /// A path on a host. One that can't be come back to is the host's front page.
    ///
    /// # Errors
    ///
    /// The settings don't name the host.
    pub fn on_host(&self, protocol: &str, host: &str, uri: &str) -> Result<Target, UnknownHost> {
        // A parser would take what is in front of an `@`, or behind a slash, for something else.
        let plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']')
        };
        if !host.bytes().all(plain) {
            return Err(UnknownHost);
        }
        let front = Url::parse(&format!("{protocol}://{host}/")).map_err(|_| UnknownHost)?;
        let front = self.target(front)?;
        let visible = uri.bytes().all(|byte| byte.is_ascii_graphic());
        if !uri.starts_with('/') || !visible || uri.len() > LONGEST_URI {
            return Ok(front);
        }
        let origin = front.origin();
        let url = Url::parse(&format!("{origin}{uri}")).ok();
        let url = url.filter(|url| url.origin() == front.url.origin());
        Ok(url.map_or(front.clone(), |url| Target { url, ..front }))
    }

    /// A URL that a visitor comes with.
    ///
    /// # Errors
    ///
    /// It isn't one of an origin that the settings name.
    pub fn returning_to(&self, text: &str) -> Result<Target, UnknownHost> {
        let url = Url::parse(text).map_err(|_| UnknownHost)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UnknownHost);
        }
        self.target(url)
    }

    fn target(&self, url: Url) -> Result<Target, UnknownHost> {
        let own = self.public_url.url();
        // A `blob:` URL has the origin that created it, and is no page's.
        let is_own = url.origin() == own.origin() && url.scheme() == own.scheme();
        if is_own || self.settings.origins.have(&url) {
            Ok(Target { url, is_own })
        } else {
            Err(UnknownHost)
        }
    }

    /// Where a visitor who isn't signed in begins a login and comes back to their target.
    pub fn login_url(&self, target: &Target, mark: Option<&BrowserMark>) -> Url {
        match mark {
            Some(mark) => self.way_on(target, Some(&mark.sha256())),
            None => self.hosted_login(target.url()),
        }
    }

    /// The page that leads on to a target, or says what keeps its visitor from it.
    pub fn way_on(&self, target: &Target, browser_sha256: Option<&str>) -> Url {
        let mut url = self.public_url.at(LOGIN);
        let mut query = url.query_pairs_mut();
        query.append_pair("return_to", target.url.as_str());
        if let Some(browser_sha256) = browser_sha256 {
            query.append_pair("browser", browser_sha256);
        }
        drop(query);
        url
    }

    /// The page that begins a login and comes back to this URL of the site's own.
    pub fn hosted_login(&self, return_to: &Url) -> Url {
        let mut url = self.public_url.at(HOSTED_LOGIN);
        url.query_pairs_mut()
            .append_pair("return_to", return_to.as_str());
        url
    }
}

/// Where a code brings a visitor back to another host.
pub fn return_url(target: &Target, code: &str) -> Url {
    let mut url = target.url.clone();
    let mut uri = url.path().to_owned();
    if let Some(query) = url.query() {
        uri.push('?');
        uri.push_str(query);
    }
    url.set_path(RETURN);
    url.set_fragment(None);
    url.query_pairs_mut()
        .clear()
        .append_pair("code", code)
        .append_pair("return_to", &uri);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward_auth(public_url: &str) -> ForwardAuth {
        let settings = ForwardAuthSettings {
            origins: AllowedOrigins::parse(
                "https://wiki.example.com,http://wiki.example.com:8080,https://[2001:db8::1]",
            )
            .unwrap(),
            email_domain: None,
            require_following: false,
        };
        ForwardAuth::new(settings, PublicUrl::new(Url::parse(public_url).unwrap()))
    }

    fn asked(protocol: &'static str, host: &str, uri: Option<&str>) -> Result<String, UnknownHost> {
        let forwarded = Forwarded {
            protocol,
            host,
            method: None,
            uri,
        };
        let target = forward_auth("https://login.example.com/passport").asked(Some(&forwarded))?;
        Ok(target.url().as_str().to_owned())
    }

    #[test]
    fn hosts_are_compared_as_origins() {
        for (protocol, host) in [
            ("https", "wiki.example.com"),
            ("https", "WIKI.example.com:443"),
            ("http", "wiki.example.com:8080"),
            ("https", "[2001:DB8::1]"),
            ("https", "login.example.com"),
        ] {
            assert!(asked(protocol, host, None).is_ok(), "{protocol}://{host}");
        }
        for (protocol, host) in [
            ("http", "wiki.example.com"),
            ("http", "login.example.com"),
            ("https", "wiki.example.com:8080"),
            ("https", "wiki.example.com."),
            ("https", "wiki.example.com.evil.example"),
            ("https", "evil.example"),
            ("https", "evil.example/@wiki.example.com"),
            ("https", "evil@wiki.example.com"),
            ("https", "wiki.example.com@evil.example"),
            ("https", "wiki.example.com/"),
            ("https", "wiki.example.com#"),
            ("https", "wiki.exa\tmple.com"),
            ("https", "wiki.example.com:99999"),
            ("https", ""),
        ] {
            assert_eq!(asked(protocol, host, None), Err(UnknownHost), "{host:?}");
        }
    }

    #[test]
    fn a_target_is_on_the_host_that_was_asked_whatever_the_path() {
        let at = |uri: &str| asked("https", "wiki.example.com", Some(uri)).unwrap();
        assert_eq!(
            at("/a,b/c?d=e&f=%2F"),
            "https://wiki.example.com/a,b/c?d=e&f=%2F"
        );
        assert_eq!(
            at("//evil.example/"),
            "https://wiki.example.com//evil.example/"
        );
        assert_eq!(
            at("/\\evil.example"),
            "https://wiki.example.com//evil.example"
        );
        let long = format!("/{}", "a".repeat(LONGEST_URI));
        for unusable in [
            "",
            "@evil.example/",
            ".evil.example",
            ":8080/",
            "/花",
            "/a b",
            &long,
        ] {
            assert_eq!(at(unusable), "https://wiki.example.com/", "{unusable:?}");
        }
    }

    #[test]
    fn without_a_trusted_proxy_it_is_the_sites_own_origin() {
        let target = forward_auth("https://login.example.com/passport")
            .asked(None)
            .unwrap();
        assert!(target.is_own());
        assert_eq!(target.url().as_str(), "https://login.example.com/passport");
    }

    #[test]
    fn visitors_come_back_to_named_origins_alone() {
        let forward_auth = forward_auth("https://login.example.com");
        for good in [
            "https://wiki.example.com/a?b=c",
            "https://login.example.com/",
            "HTTPS://wiki.example.com:443",
        ] {
            assert!(forward_auth.returning_to(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "https://evil.example/",
            "https://wiki.example.com@evil.example/",
            "https://a:b@wiki.example.com/",
            "javascript:alert(1)",
            "blob:https://wiki.example.com/1",
            "blob:https://login.example.com/1",
            "data:text/html,a",
        ] {
            assert_eq!(forward_auth.returning_to(bad), Err(UnknownHost), "{bad}");
        }
    }

    #[test]
    fn a_login_comes_back_whole() {
        let forward_auth = forward_auth("https://login.example.com/passport/");
        let own = forward_auth
            .on_host("https", "login.example.com", "/a?b=c&d")
            .unwrap();
        assert_eq!(
            forward_auth.login_url(&own, None).as_str(),
            "https://login.example.com/passport/login?return_to=https%3A%2F%2Flogin.example.com%2Fa%3Fb%3Dc%26d"
        );
        let wiki = forward_auth
            .on_host("https", "wiki.example.com", "/a?b=c&d")
            .unwrap();
        let mark = BrowserMark::from_random([3; 32]);
        let url = forward_auth.login_url(&wiki, Some(&mark));
        assert_eq!(url.path(), "/passport/login/forward-auth");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs[0].1, "https://wiki.example.com/a?b=c&d");
        assert_eq!(pairs[1].1, mark.sha256());
        assert_eq!(
            return_url(&wiki, "code").as_str(),
            "https://wiki.example.com/.wechat-login/return?code=code&return_to=%2Fa%3Fb%3Dc%26d"
        );
    }
}
