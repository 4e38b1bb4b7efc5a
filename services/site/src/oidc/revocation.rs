//! `POST /oidc/revoke`: a client gives a token back (RFC 7009).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use login_protocol::steps::oidc::RevokeAccessToken;
use service_kit::client_address::TrustedProxies;

use super::{
    client_authentication,
    clients::Client,
    grants::GrantError,
    parameters::Parameters,
    provider::Provider,
    refusal::Refusal,
    tokens::{Kind, Token},
};

const ENDPOINT: &str = "revocation";

/// Ends a token. With a refresh token, all that came of the same authorization ends; also with one
/// that was replaced, since a client may not know yet that it was. One that is unknown has ended
/// already (section 2.2).
pub(super) async fn revoke(
    request: HttpRequest,
    body: Payload,
    provider: Data<Provider>,
    proxies: Data<TrustedProxies>,
) -> HttpResponse {
    let address = proxies.client(&request);
    let form = Parameters::of_form(&request, body).await;
    let revoked = async {
        let parameters = form.as_ref().map_err(Refusal::clone)?;
        parameters.refuse_doubled()?;
        let client = client_authentication::client(&provider, &request, parameters, address)?;
        let missing = || Refusal::invalid_request("missing_parameter", "token is missing");
        let token = parameters.get("token").ok_or_else(missing)?;
        end(&provider, &client, token).await
    };
    match revoked.await {
        Ok(()) => HttpResponse::Ok().finish(),
        Err(refusal) => {
            let named = client_authentication::named(&provider, &request, form.as_ref().ok());
            refusal.note(ENDPOINT, named.map(|client| client.name.as_str()));
            refusal.to_json()
        }
    }
}

async fn end(provider: &Provider, client: &Client, text: &str) -> Result<(), Refusal> {
    let other_client = || Refusal::invalid_grant("other_client", "it was issued to another client");
    if let Some(token) = Token::parse(Kind::Access, text) {
        let Some(person) = provider.person(text).await? else {
            return Ok(());
        };
        if person.client.name != client.name {
            return Err(other_client());
        }
        let revoke = RevokeAccessToken {
            site: provider.site.clone(),
            grant: token.grant().clone(),
            access_sha256: token.sha256(),
        };
        provider.store.run(&revoke).await?;
    } else if let Some(token) = Token::parse(Kind::Refresh, text) {
        return match provider.give_back(client, &token).await {
            Err(GrantError::OtherClient) => Err(other_client()),
            // It has ended already.
            Ok(()) | Err(GrantError::Unknown) => Ok(()),
            Err(error) => Err(error.into()),
        };
    }
    Ok(())
}
