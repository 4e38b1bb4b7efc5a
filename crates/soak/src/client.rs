//! A client of the OpenID Connect provider, for a share of the logins: a code, its exchange, and who
//! it is.

use harness::visitor::{Answer, Visitor};
use reqwest::{Method, header::LOCATION};

use crate::{
    login::{World, status_of},
    tally::Count,
};

/// Where codes go. Nobody listens there: the browser's redirect is read.
const CALLBACK: &str = "https://wiki.example.com/callback";

const SECRET: &str = "the-soaks-client-secret-0123456789";

/// One login in so many tries its code a second time.
const EXCHANGED_AGAIN: u64 = 10;

/// The settings of a site with this client.
pub(crate) const SETTINGS: [(&str, &str); 3] = [
    (
        "SITE__OIDC__SECRET",
        "the-soaks-oidc-secret-0123456789abcdef",
    ),
    ("SITE__CLIENT__WIKI__SECRET", SECRET),
    ("SITE__CLIENT__WIKI__REDIRECT_URIS", CALLBACK),
];

impl World {
    /// Somebody who is signed in opens the client's link, and the client learns who it is. A code
    /// whose exchange wasn't answered is given up, and the link opened again.
    pub(crate) async fn visit_client(&self, visitor: &mut Visitor, openid: &str, number: u64) {
        let mut backend = self.visitor(number);
        loop {
            let Some(code) = self.code(visitor).await else {
                return;
            };
            let answer = self.exchange(&mut backend, &code).await;
            match (status_of(answer.as_ref()), &answer) {
                (200, Some(answer)) => {
                    if number.is_multiple_of(EXCHANGED_AGAIN) {
                        return self.exchange_again(&mut backend, &code).await;
                    }
                    let token = answer.json["access_token"].as_str().unwrap_or_default();
                    return self.look_who(&mut backend, token, openid).await;
                }
                (400, _) => return self.tally.add(Count::CodeRefused),
                _ => self.wait_as_told(answer.as_ref()).await,
            }
        }
    }

    /// A code for whoever is signed in.
    async fn code(&self, visitor: &mut Visitor) -> Option<String> {
        let link = format!(
            "/oidc/authorize?client_id=wiki&response_type=code&scope=openid+wechat&redirect_uri={CALLBACK}"
        );
        loop {
            let answer = visitor.try_call(Method::GET, &link).await;
            let (303, Some(found)) = (status_of(answer.as_ref()), &answer) else {
                self.wait_as_told(answer.as_ref()).await;
                continue;
            };
            let code = code_of(found);
            if code.is_none() {
                self.tally.add(Count::CodeRefused);
            }
            return code;
        }
    }

    async fn exchange(&self, backend: &mut Visitor, code: &str) -> Option<Answer> {
        let form = format!(
            "grant_type=authorization_code&client_id=wiki&client_secret={SECRET}&code={code}&redirect_uri={CALLBACK}"
        );
        backend.try_post_form("/oidc/token", form).await
    }

    /// A code that was exchanged brings nothing at any replica.
    async fn exchange_again(&self, backend: &mut Visitor, code: &str) {
        loop {
            let answer = self.exchange(backend, code).await;
            match status_of(answer.as_ref()) {
                400 => return self.tally.add(Count::AtClient),
                200 => return self.tally.add(Count::CodeExchangedTwice),
                _ => self.wait_as_told(answer.as_ref()).await,
            }
        }
    }

    async fn look_who(&self, backend: &mut Visitor, token: &str, openid: &str) {
        let form = format!("access_token={token}");
        loop {
            let answer = backend.try_post_form("/oidc/userinfo", form.clone()).await;
            match (status_of(answer.as_ref()), &answer) {
                (200, Some(answer)) if answer.json["wechat_openid"] == *openid => {
                    return self.tally.add(Count::AtClient);
                }
                (200, _) => return self.tally.add(Count::WrongPerson),
                (400 | 401, _) => return self.tally.add(Count::CodeRefused),
                _ => self.wait_as_told(answer.as_ref()).await,
            }
        }
    }
}

/// What the browser would take to the client.
fn code_of(answer: &Answer) -> Option<String> {
    let address = answer.headers.get(LOCATION)?.to_str().ok()?;
    let query = address.strip_prefix(CALLBACK)?.strip_prefix('?')?;
    let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
    code.map(str::to_owned)
}
