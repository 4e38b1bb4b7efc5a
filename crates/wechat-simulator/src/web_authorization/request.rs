//! The address that sends a phone to web authorisation. WeChat compares its parameters as text:
//! their order is part of it.

use std::net::IpAddr;

use url::{Host, Url, form_urlencoded};

use super::access::Scope;
use super::error_page::ErrorPage;

/// The parameters in the order that they must have.
const ORDER: [&str; 5] = ["appid", "redirect_uri", "response_type", "scope", "state"];

/// What may follow them.
const OPTIONS: [&str; 3] = ["forcePopup", "forceSnapShot", "connect_redirect"];

/// The longest state, in bytes.
const LONGEST_STATE: usize = 128;

/// A well-formed address of `/connect/oauth2/authorize`.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizeRequest {
    /// The AppID, as it stands there.
    pub(crate) app_id: String,
    /// What the page wants to know.
    pub(crate) scope: Scope,
    /// `forceSnapShot=true`: opens as a snapshot, to try that.
    pub(crate) force_snapshot: bool,
    /// `connect_redirect=1`: no second call of the return address (GitHub thread
    /// chanxuehong/wechat#226).
    pub(crate) connect_redirect: bool,
    redirect_uri: Url,
    state: Option<String>,
}

impl AuthorizeRequest {
    /// Reads the query of the address.
    pub(crate) fn parse(query: &str) -> Result<Self, ErrorPage> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let value = |name: &str| {
            let found = pairs.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str())
        };
        let required = |name: &str, missing: ErrorPage| {
            value(name).filter(|value| !value.is_empty()).ok_or(missing)
        };
        let app_id = required("appid", ErrorPage::NoAppId)?;
        let redirect_uri = required("redirect_uri", ErrorPage::NoRedirectUri)?;
        let scope = required("scope", ErrorPage::NoScope)?;
        if !in_order(&pairs) || value("response_type") != Some("code") {
            return Err(ErrorPage::Parameters);
        }
        let redirect_uri = Url::parse(redirect_uri).map_err(|_| ErrorPage::RedirectUri)?;
        if !matches!(redirect_uri.scheme(), "http" | "https") {
            return Err(ErrorPage::RedirectUri);
        }
        let state = value("state").map(str::to_owned);
        if state.as_deref().is_some_and(|state| !is_state(state)) {
            return Err(ErrorPage::Parameters);
        }
        Ok(Self {
            app_id: app_id.to_owned(),
            scope: Scope::parse(scope).ok_or(ErrorPage::Scope)?,
            force_snapshot: value("forceSnapShot") == Some("true"),
            connect_redirect: value("connect_redirect") == Some("1"),
            redirect_uri,
            state,
        })
    }

    /// Whether the return address is on one of these hosts, or on a loopback host when there is no
    /// list. A host covers neither its parent nor its children.
    pub(super) fn returns_to_one_of(&self, hosts: Option<&[String]>) -> bool {
        match hosts {
            Some(hosts) => hosts
                .iter()
                .any(|host| Some(host.as_str()) == self.redirect_uri.host_str()),
            None => is_loopback(&self.redirect_uri),
        }
    }

    /// The return address with a code.
    pub(super) fn return_address(&self, code: &str) -> Url {
        let mut url = self.redirect_uri.clone();
        let state = self.state.as_deref().unwrap_or_default();
        url.query_pairs_mut()
            .append_pair("code", code)
            .append_pair("state", state);
        url
    }

    /// The host that the consent page names.
    pub(super) fn host(&self) -> &str {
        self.redirect_uri.host_str().unwrap_or_default()
    }
}

fn in_order(pairs: &[(String, String)]) -> bool {
    let mut names = pairs.iter().map(|(name, _)| name.as_str()).peekable();
    for name in ORDER {
        // The state alone may be missing.
        if names.next_if_eq(&name).is_none() && name != "state" {
            return false;
        }
    }
    names.all(|name| OPTIONS.contains(&name))
}

/// `a-zA-Z0-9`, at most 128 bytes.
fn is_state(state: &str) -> bool {
    state.len() <= LONGEST_STATE && state.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "appid=wx1&redirect_uri=http%3A%2F%2F127.0.0.1%3A8081%2Fr%3Fa%3D1\
        &response_type=code&scope=snsapi_base&state=abc1";

    #[test]
    fn the_right_order_leads_back_with_code_and_state() {
        let request = AuthorizeRequest::parse(RIGHT).unwrap();
        assert_eq!(
            request.return_address("C").as_str(),
            "http://127.0.0.1:8081/r?a=1&code=C&state=abc1"
        );
        assert!(AuthorizeRequest::parse(&format!("{RIGHT}&connect_redirect=1")).is_ok());
    }

    #[test]
    fn another_order_or_an_unknown_parameter_is_refused() {
        let reordered = "redirect_uri=http%3A%2F%2Flocalhost%2F&appid=wx1&response_type=code\
            &scope=snsapi_base&state=abc1";
        let wrong = [
            reordered.to_owned(),
            format!("{RIGHT}&extra=1"),
            RIGHT.replace("abc1", "a-b"),
            RIGHT.replace("=code", "=token"),
        ];
        for query in wrong {
            let refused = AuthorizeRequest::parse(&query);
            assert!(matches!(refused, Err(ErrorPage::Parameters)), "{query}");
        }
        let scope = AuthorizeRequest::parse(&RIGHT.replace("snsapi_base", "snsapi_login"));
        assert!(matches!(scope, Err(ErrorPage::Scope)));
    }

    #[test]
    fn a_host_covers_neither_its_parent_nor_its_children() {
        let request = |host: &str| AuthorizeRequest::parse(&RIGHT.replace("127.0.0.1", host));
        let listed = ["www.example.com".to_owned()];
        let allowed = |host: &str| request(host).unwrap().returns_to_one_of(Some(&listed));
        assert!(allowed("www.example.com"));
        assert!(!allowed("example.com") && !allowed("a.www.example.com"));
        assert!(request("localhost").unwrap().returns_to_one_of(None));
        assert!(!request("example.com").unwrap().returns_to_one_of(None));
    }
}
