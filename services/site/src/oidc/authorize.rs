//! `GET`, `POST /oidc/authorize`: a client asks for a login (OpenID Connect Core 1.0, section
//! 3.1.2).

use std::{net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header::LOCATION},
    web::{Data, Payload},
};

use service_kit::client_address::TrustedProxies;
use tokio::time::Instant;

use super::{
    authorization::{AuthorizationError, Outcome},
    authorization_request::{self, AuthorizationRequest, ReturnAddress, Unservable},
    clients::Client,
    pages,
    parameters::Parameters,
    paths,
    provider::Provider,
    refusal::Refusal,
};
use crate::cookies::Cookies;

const ENDPOINT: &str = "authorize";

/// After this time some of what came of a session has ended.
const GRANTS_LIVE: Duration = Duration::from_mins(10);

/// Answers with a code, with a refusal, or with the way to the page on which to log in.
pub(super) async fn authorize(
    request: HttpRequest,
    body: Payload,
    provider: Data<Provider>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
) -> HttpResponse {
    let parameters = if request.method() == Method::POST {
        match Parameters::of_form(&request, body).await {
            Ok(parameters) => parameters,
            Err(refusal) => return refused(&provider, &refusal, None),
        }
    } else {
        Parameters::of_query(&request)
    };
    let asked = match authorization_request::read(&provider, &parameters) {
        Ok(asked) => asked,
        Err(Unservable::Page(refusal, client)) => {
            return refused(&provider, &refusal, client.as_deref());
        }
        Err(Unservable::Answer(refused, client)) => {
            let (refusal, to) = *refused;
            return told(&provider, &client, &to, &refusal);
        }
    };
    let Some(client) = provider.clients.named(&asked.client).cloned() else {
        return pages::over(&provider);
    };
    let session = cookies.session(&request);
    // A form of another site's page comes without our cookies (SameSite=Lax). The redirect to the
    // page brings them.
    let may_lack_cookies = request.method() == Method::POST && session.is_none();
    let outcome = if may_lack_cookies {
        Ok(Outcome::LogIn)
    } else {
        provider
            .authorize(&asked, &client, session.as_ref(), None)
            .await
    };
    match outcome {
        Ok(Outcome::LogIn) => match keep(&provider, &asked, proxies.client(&request)).await {
            Ok(id) => {
                // Relative, so that neither a path prefix nor another name of the host matters.
                let page = paths::beside(paths::LOGIN_PAGE);
                HttpResponse::SeeOther()
                    .insert_header((LOCATION, format!("{page}?request={id}")))
                    .finish()
            }
            Err(refusal) => refused(&provider, &refusal, Some(&client)),
        },
        other => answer(&provider, &asked, &client, other),
    }
}

/// Keeps a request until its visitor has logged in, unless there come too many from where it does.
async fn keep(
    provider: &Provider,
    asked: &AuthorizationRequest,
    address: IpAddr,
) -> Result<String, Refusal> {
    let logins = provider.logins_per_minute;
    let wait = provider
        .failures
        .admit_request(address, logins, Instant::now());
    if let Some(wait) = wait {
        return Err(Refusal::too_many("too_many_logins", wait));
    }
    provider.keep(asked).await.map_err(as_refusal)
}

/// The answer to a client whose visitor needn't log in any more.
pub(super) fn answer(
    provider: &Provider,
    asked: &AuthorizationRequest,
    client: &Arc<Client>,
    outcome: Result<Outcome, AuthorizationError>,
) -> HttpResponse {
    match outcome {
        Ok(Outcome::Code(code)) => {
            count(client);
            pages::answer(provider, &asked.to, &[("code", code.expose())])
        }
        Ok(Outcome::LogIn | Outcome::LoginRequired) => {
            let wrong = "the visitor has to log in";
            let refusal = Refusal::new("login_required", "login_required", wrong);
            told(provider, client, &asked.to, &refusal)
        }
        Err(error) => unavailable(provider, client, error),
    }
}

fn count(client: &Client) {
    let client = client.name.as_str().to_owned();
    metrics::counter!("oidc_codes_total", "client" => client).increment(1);
}

/// The page that says that it isn't possible now.
pub(super) fn unavailable(
    provider: &Provider,
    client: &Client,
    error: AuthorizationError,
) -> HttpResponse {
    refused(provider, &as_refusal(error), Some(client))
}

fn as_refusal(error: AuthorizationError) -> Refusal {
    match error {
        AuthorizationError::Store(error) => error.into(),
        AuthorizationError::Randomness(error) => error.into(),
        AuthorizationError::TooMany => Refusal::too_many("too_many_grants", GRANTS_LIVE),
    }
}

fn refused(provider: &Provider, refusal: &Refusal, client: Option<&Client>) -> HttpResponse {
    refusal.note(ENDPOINT, client.map(|client| client.name.as_str()));
    pages::refused(provider, refusal)
}

fn told(
    provider: &Provider,
    client: &Client,
    to: &ReturnAddress,
    refusal: &Refusal,
) -> HttpResponse {
    refusal.note(ENDPOINT, Some(client.name.as_str()));
    pages::answer_refusal(provider, to, refusal)
}
