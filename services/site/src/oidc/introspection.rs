//! `POST /oidc/introspect`: a client asks whether a token of its own is good (RFC 7662).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use serde_json::{Value, json};
use service_kit::client_address::TrustedProxies;

use super::{
    client_authentication, clients::Client, parameters::Parameters, provider::Provider,
    refusal::Refusal,
};

const ENDPOINT: &str = "introspection";

/// Answers with what a token stands for.
pub(super) async fn introspect(
    request: HttpRequest,
    body: Payload,
    provider: Data<Provider>,
    proxies: Data<TrustedProxies>,
) -> HttpResponse {
    let address = proxies.client(&request);
    let form = Parameters::of_form(&request, body).await;
    let answered = async {
        let parameters = form.as_ref().map_err(Refusal::clone)?;
        parameters.refuse_doubled()?;
        let client = client_authentication::client(&provider, &request, parameters, address)?;
        if client.is_public() {
            // Anybody could ask in its name.
            let wrong = "introspection is for clients with a secret";
            return Err(Refusal::invalid_client("public_client", wrong));
        }
        let missing = || Refusal::invalid_request("missing_parameter", "token is missing");
        let token = parameters.get("token").ok_or_else(missing)?;
        told(&provider, &client, token).await
    };
    match answered.await {
        Ok(json) => HttpResponse::Ok().json(json),
        Err(refusal) => {
            let named = client_authentication::named(&provider, &request, form.as_ref().ok());
            refusal.note(ENDPOINT, named.map(|client| client.name.as_str()));
            refusal.to_json()
        }
    }
}

/// Another client's token is as good as none (section 4).
async fn told(provider: &Provider, client: &Client, token: &str) -> Result<Value, Refusal> {
    let access = provider.person(token).await?;
    let (person, kind) = match access {
        Some(person) => (Some(person), Some("Bearer")),
        None => (provider.offline_person(token).await?, None),
    };
    let Some(person) = person.filter(|person| person.client.name == client.name) else {
        return Ok(json!({ "active": false }));
    };
    let mut answer = json!({
        "active": true,
        "scope": person.record.scope,
        "client_id": client.id,
        "sub": person.sub,
        "iss": provider.issuer,
        "exp": person.expires_at.as_second(),
        "auth_time": person.record.auth_time,
    });
    if let Some(kind) = kind {
        answer["token_type"] = kind.into();
    }
    Ok(answer)
}
