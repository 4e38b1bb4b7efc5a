//! The site's own URL.

use url::Url;

/// `public.url`, as WeChat and browsers see it. Its path is in front of all of the site's own.
#[derive(Debug, Clone)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// The site at this URL.
    pub const fn new(url: Url) -> Self {
        Self(url)
    }

    /// The URL itself.
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// The URL of one of the site's own paths.
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&self.path_of(path));
        url
    }

    /// One of the site's own paths, as a browser has to ask for it.
    pub fn path_of(&self, path: &str) -> String {
        format!("{}{path}", self.0.path().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_path_is_in_front_of_the_sites_own() {
        for (url, at) in [
            ("https://example.com", "https://example.com/login"),
            ("https://example.com/", "https://example.com/login"),
            (
                "http://example.com:8080/passport/",
                "http://example.com:8080/passport/login",
            ),
        ] {
            let public_url = PublicUrl::new(Url::parse(url).unwrap());
            assert_eq!(public_url.at("/login").as_str(), at);
        }
    }
}
