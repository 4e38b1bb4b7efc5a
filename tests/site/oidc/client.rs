//! A client of the provider, and a visitor's way through it.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::{Method, header::LOCATION};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use system_tests::{
    deadline::PATIENCE,
    simulator::Person,
    stack::{Plan, Stack},
    visitor::{Answer, Visitor},
};
use url::{Url, form_urlencoded};

pub(crate) const SECRET: &str = "wiki-secret-of-thirty-two-characters";
pub(crate) const OIDC_SECRET: &str = "oidc-secret-of-more-than-32-characters";
pub(crate) const CALLBACK: &str = "https://wiki.example.com/callback";
pub(crate) const APP_CALLBACK: &str = "http://127.0.0.1:7777/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A system with two clients: `wiki` with a secret, and `app` without.
pub(crate) fn plan() -> Plan {
    Plan::default()
        .site("SITE__OIDC__SECRET", OIDC_SECRET)
        .site("SITE__CLIENT__WIKI__SECRET", SECRET)
        .site("SITE__CLIENT__WIKI__REDIRECT_URIS", CALLBACK)
        .site("SITE__CLIENT__WIKI__SITE_NAME", "小林的维基")
        .site(
            "SITE__CLIENT__WIKI__POST_LOGOUT_REDIRECT_URIS",
            "https://wiki.example.com/bye",
        )
        .site("SITE__CLIENT__APP__REDIRECT_URIS", APP_CALLBACK)
        .site("SITE__CLIENT__APP__ID_TOKEN_ALG", "ES256")
}

pub(crate) type Fields<'a> = BTreeMap<&'a str, String>;

/// A request of `wiki`'s, to be changed.
pub(crate) fn of_wiki() -> Fields<'static> {
    BTreeMap::from([
        ("client_id", "wiki".to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("response_type", "code".to_owned()),
        ("scope", "openid profile".to_owned()),
        ("state", "the state".to_owned()),
        ("nonce", "n-1".to_owned()),
    ])
}

/// A request of `app`'s, with PKCE.
pub(crate) fn of_app() -> Fields<'static> {
    BTreeMap::from([
        ("client_id", "app".to_owned()),
        ("redirect_uri", APP_CALLBACK.to_owned()),
        ("response_type", "code".to_owned()),
        ("scope", "openid".to_owned()),
        ("code_challenge", challenge(VERIFIER)),
        ("code_challenge_method", "S256".to_owned()),
    ])
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

pub(crate) fn encoded<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

pub(crate) fn authorize_path(fields: &Fields<'_>) -> String {
    let fields = fields.iter().map(|(name, value)| (*name, value.clone()));
    format!("/oidc/authorize?{}", encoded(fields))
}

pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers[LOCATION]
        .to_str()
        .expect("it is plain")
        .to_owned()
}

/// The path and query of an address of the site, which tests reach under another name.
pub(crate) fn path(address: &str) -> String {
    let here = Url::parse("http://localhost/oidc/authorize").expect("an address");
    let url = here.join(address).expect("an address");
    assert_eq!(url.origin(), here.origin(), "{address}");
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// The query of an address that a client gets.
pub(crate) fn query(address: &str) -> BTreeMap<String, String> {
    Url::parse(address)
        .expect("an address")
        .query_pairs()
        .into_owned()
        .collect()
}

/// Sends a visitor to the provider who has to log in: the page's path.
pub(crate) async fn page_for(visitor: &mut Visitor, fields: &Fields<'_>) -> String {
    let answer = visitor.call(Method::GET, &authorize_path(fields)).await;
    let page = path(&location(&answer));
    assert!(page.starts_with("/oidc/login?request="), "{page}");
    page
}

/// Logs in on the page, and returns where its address leads afterwards.
pub(crate) async fn log_in(
    stack: &Stack,
    visitor: &mut Visitor,
    person: &Person,
    page: &str,
) -> Answer {
    let shown = visitor.call(Method::GET, page).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let request = page.split_once('?').expect("it has a query").1;
    let begun = visitor
        .call(Method::POST, &format!("/api/login?{request}"))
        .await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    let content = begun.json["qr"]["content"].as_str().expect("a code");
    stack.wechat.scan(person, content).await;
    visitor.complete().await;
    visitor.call(Method::GET, page).await
}

/// Logs somebody in by a request: what the client gets.
pub(crate) async fn authorized(
    stack: &Stack,
    visitor: &mut Visitor,
    person: &Person,
    fields: &Fields<'_>,
) -> BTreeMap<String, String> {
    let page = page_for(visitor, fields).await;
    let answer = log_in(stack, visitor, person, &page).await;
    query(&location(&answer))
}

/// A backend that speaks to the provider.
pub(crate) struct Client {
    http: reqwest::Client,
    site: String,
}

impl Client {
    pub(crate) fn of(stack: &Stack) -> Self {
        Self::at(&stack.sites[0].public)
    }

    pub(crate) fn at(site: &str) -> Self {
        Self {
            http: service_kit::http_client::build(PATIENCE).expect("a client"),
            site: site.to_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.http.get(format!("{}{path}", self.site))).await
    }

    pub(crate) async fn post<'a>(
        &self,
        path: &str,
        basic: Option<(&str, &str)>,
        fields: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Answer {
        let mut request = self
            .http
            .post(format!("{}{path}", self.site))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encoded(fields));
        if let Some((id, secret)) = basic {
            let credentials = STANDARD.encode(format!("{id}:{secret}"));
            request = request.header("authorization", format!("Basic {credentials}"));
        }
        read(request).await
    }

    /// `wiki` exchanges a code.
    pub(crate) async fn exchange(&self, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
        ];
        self.post("/oidc/token", Some(("wiki", SECRET)), fields)
            .await
    }

    /// `app` exchanges a code.
    pub(crate) async fn exchange_of_app(&self, code: &str, verifier: Option<&str>) -> Answer {
        let fields = [
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", "app".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", APP_CALLBACK.to_owned()),
        ];
        let verifier = verifier.map(|verifier| ("code_verifier", verifier.to_owned()));
        self.post("/oidc/token", None, fields.into_iter().chain(verifier))
            .await
    }

    pub(crate) async fn exchanged_by_app(&self, code: &str) -> Value {
        let answer = self.exchange_of_app(code, Some(VERIFIER)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// `wiki` uses a refresh token.
    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        let fields = [
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", token.to_owned()),
        ];
        self.post("/oidc/token", Some(("wiki", SECRET)), fields)
            .await
    }

    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let request = self
            .http
            .get(format!("{}/oidc/userinfo", self.site))
            .bearer_auth(token);
        read(request).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("the site answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("the answer has a body");
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        text,
        json,
    }
}

pub(crate) fn text(json: &Value, member: &str) -> String {
    let text = json[member].as_str();
    text.unwrap_or_else(|| panic!("{member} is a text in {json}"))
        .to_owned()
}

/// The claims of a token, whose signature another test looks at.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a JWT has three parts");
    json_of(payload)
}

pub(crate) fn header(token: &str) -> Value {
    json_of(token.split('.').next().expect("a JWT has three parts"))
}

fn json_of(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("it is base64url");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

#[track_caller]
pub(crate) fn assert_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.json["error"], error, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
}
