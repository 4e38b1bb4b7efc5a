//! `POST /oidc/token`: codes and refresh tokens become tokens (RFC 6749, section 3.2).

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ContentType, PRAGMA},
    web::{Data, Payload},
};
use service_kit::client_address::TrustedProxies;

use super::{
    client_authentication,
    clients::Client,
    grants::{GrantError, Presented},
    parameters::Parameters,
    provider::Provider,
    refusal::Refusal,
};

const ENDPOINT: &str = "token";

/// Answers with tokens.
pub(super) async fn token(
    request: HttpRequest,
    body: Payload,
    provider: Data<Provider>,
    proxies: Data<TrustedProxies>,
) -> HttpResponse {
    let parameters = match Parameters::of_form(&request, body).await {
        Ok(parameters) => parameters,
        Err(refusal) => {
            let named = client_authentication::named(&provider, &request, None);
            return refused(&refusal, named.map(|client| &**client));
        }
    };
    let address = proxies.client(&request);
    let authenticated = parameters
        .refuse_doubled()
        .and_then(|()| client_authentication::client(&provider, &request, &parameters, address));
    let client = match authenticated {
        Ok(client) => client,
        Err(refusal) => {
            let named = client_authentication::named(&provider, &request, Some(&parameters));
            return refused(&refusal, named.map(|client| &**client));
        }
    };
    match granted(&provider, &client, &parameters).await {
        Ok(json) => HttpResponse::Ok()
            .content_type(ContentType::json())
            .insert_header((PRAGMA, "no-cache"))
            .body(json),
        Err(refusal) => refused(&refusal, Some(&client)),
    }
}

async fn granted(
    provider: &Provider,
    client: &Client,
    parameters: &Parameters,
) -> Result<String, Refusal> {
    let required = |name: &str| {
        let missing =
            || Refusal::invalid_request("missing_parameter", format!("{name} is missing"));
        parameters.get(name).ok_or_else(missing)
    };
    let kind = required("grant_type")?;
    let json = match kind {
        "authorization_code" => {
            let presented = Presented {
                code: required("code")?,
                redirect_uri: parameters.get("redirect_uri"),
                code_verifier: parameters.get("code_verifier"),
            };
            let issued = provider.exchange(client, &presented).await?;
            serde_json::to_string(&issued).unwrap_or_default()
        }
        "refresh_token" => {
            let token = required("refresh_token")?;
            provider
                .refresh(client, token, parameters.get("scope"))
                .await?
        }
        _ => {
            let error = "unsupported_grant_type";
            let wrong = "grant_type has to be authorization_code or refresh_token";
            return Err(Refusal::new(error, error, wrong));
        }
    };
    let grant = if kind == "refresh_token" {
        "refresh_token"
    } else {
        "code"
    };
    let name = client.name.as_str().to_owned();
    metrics::counter!("oidc_tokens_total", "client" => name, "grant" => grant).increment(1);
    Ok(json)
}

fn refused(refusal: &Refusal, client: Option<&Client>) -> HttpResponse {
    refusal.note(ENDPOINT, client.map(|client| client.name.as_str()));
    refusal.to_json()
}

impl From<GrantError> for Refusal {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Unknown => {
                Self::invalid_grant("unknown_grant", "it is unknown or has expired")
            }
            GrantError::OtherClient => {
                Self::invalid_grant("other_client", "it was issued to another client")
            }
            GrantError::OtherRedirectUri => Self::invalid_grant(
                "other_redirect_uri",
                "redirect_uri isn't the one of the authorization request",
            ),
            GrantError::Verifier => Self::invalid_grant(
                "code_verifier",
                "code_verifier doesn't match the code_challenge of the authorization request",
            ),
            GrantError::Reused => Self::invalid_grant(
                "reused",
                "it was used before; all that came of it has ended",
            ),
            GrantError::Ended => Self::invalid_grant("login_ended", "its login has ended"),
            GrantError::Scope => Self::new(
                "invalid_scope",
                "scope",
                "scope has to be within what was granted",
            ),
            GrantError::Store(error) => error.into(),
            GrantError::Randomness(error) => error.into(),
            GrantError::Keys(error) => error.into(),
            GrantError::Sealing => Self::unavailable("no_randomness"),
        }
    }
}
