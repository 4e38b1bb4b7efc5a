//! A site: its identity, and what it says about itself.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{account::AccountName, attempt::Approval};

/// How much of the URL's hash is kept: 96 bits, so that no two sites of an owner collide.
const BYTES: usize = 12;

/// Which site, in keys and records: 16 characters of base64url, a hash of its public URL. The
/// replicas of one site have the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct SiteId(Arc<str>);

impl From<String> for SiteId {
    /// One that was read from a record.
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<SiteId> for String {
    fn from(site: SiteId) -> Self {
        site.as_str().to_owned()
    }
}

impl SiteId {
    /// The site at this public URL. A trailing slash, the default port and the case of the host
    /// name make no difference.
    pub fn of(public_url: &Url) -> Self {
        let mut digest = Sha256::new();
        digest.update(public_url.origin().ascii_serialization());
        digest.update(public_url.path().trim_end_matches('/'));
        Self(URL_SAFE_NO_PAD.encode(&digest.finalize()[..BYTES]).into())
    }

    /// One that was read from a record.
    pub(crate) fn read(text: &str) -> Self {
        Self(text.into())
    }

    /// The form in keys and records.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SiteId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What people call the site of this name, or without one its URL's host.
pub fn called(name: Option<&str>, public_url: &Url) -> String {
    let host = || public_url.host_str().unwrap_or_default();
    name.unwrap_or_else(host).to_owned()
}

/// What an attempt or a session belongs to: the site that began it, and the account that it logs in
/// to. Anywhere else its cookie is nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// The site.
    pub site: SiteId,
    /// The account.
    pub account: AccountName,
}

impl Realm {
    /// Whether a record with these fields belongs here. One of a version that knew no sites belongs
    /// to any site, and to the account that needs no name.
    pub(crate) fn has(&self, site: Option<&str>, account: Option<&str>) -> bool {
        site.is_none_or(|site| site == self.site.as_str())
            && account.unwrap_or(crate::account::DEFAULT) == self.account.as_str()
    }
}

/// What a site says of itself. It travels with each attempt, so that sites of different rules share
/// a gateway.
#[derive(Debug, Clone)]
pub struct Site {
    /// Which site, and the account that its visitors log in to.
    pub realm: Realm,
    /// What people call it; the gateway's own word where it says nothing.
    pub name: Option<String>,
    /// What makes a scan a login; the gateway's own rule where it says nothing.
    pub approval: Option<Approval>,
    /// Whether only followers of the account log in.
    pub require_following: bool,
    /// The client that visitors go on to, by its name in the settings; `None`: the site itself.
    pub client: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(url: &str) -> SiteId {
        SiteId::of(&Url::parse(url).unwrap())
    }

    #[test]
    fn an_address_makes_one_site_however_it_is_written() {
        let site = id("https://www.example.com/shop");
        assert_eq!(site.as_str().len(), 16);
        for same in [
            "https://www.example.com/shop/",
            "https://WWW.example.com:443/shop",
        ] {
            assert_eq!(id(same), site, "{same}");
        }
        for other in [
            "http://www.example.com/shop",
            "https://www.example.com",
            "https://www.example.com:8443/shop",
            "https://example.com/shop",
            "https://www.example.com/shops",
        ] {
            assert_ne!(id(other), site, "{other}");
        }
    }

    #[test]
    fn a_record_belongs_to_the_site_and_the_account_that_it_names() {
        let shop = Realm {
            site: id("https://shop.example.com"),
            account: AccountName::parse("shop").unwrap(),
        };
        let plain = Realm {
            account: AccountName::default(),
            ..shop.clone()
        };
        let own = Some(shop.site.as_str());
        assert!(shop.has(own, Some("shop")));
        assert!(!shop.has(own, Some("default")));
        assert!(!shop.has(Some("another"), Some("shop")));
        assert!(plain.has(None, None), "what an older version wrote");
        assert!(!shop.has(None, None), "it knew one account alone");
    }
}
