//! `GET`, `POST /oidc/userinfo`: what a client may know of a person (OpenID Connect Core 1.0,
//! section 5.3).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    web::{Data, Payload},
};

use super::{parameters::Parameters, provider::Provider, refusal::Refusal};

const ENDPOINT: &str = "userinfo";

/// Answers with claims.
pub(super) async fn userinfo(
    request: HttpRequest,
    body: Payload,
    provider: Data<Provider>,
) -> HttpResponse {
    match claims(&request, body, &provider).await {
        Ok(response) => response,
        Err(refusal) => {
            // Only a good token would say whose it is.
            refusal.note(ENDPOINT, None);
            refusal.to_json()
        }
    }
}

async fn claims(
    request: &HttpRequest,
    body: Payload,
    provider: &Provider,
) -> Result<HttpResponse, Refusal> {
    let token = access_token(request, body).await;
    let token = token.map_err(Refusal::in_terms_of_bearer_tokens)?;
    let person = provider.person(&token).await?;
    let person = person.ok_or_else(|| Refusal::invalid_token("unknown_token"))?;
    Ok(HttpResponse::Ok().json(person.told().claims(&person.record.scope)))
}

/// The token in the header, or in a form (RFC 6750, sections 2.1 and 2.2). In a URL, where others
/// may read it, it is none.
async fn access_token(request: &HttpRequest, body: Payload) -> Result<String, Refusal> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next();
    // Beside a header, a body that is no form brings no second token.
    let has_form = request.method() == Method::POST
        && match header {
            Some(_) => Parameters::are_in_form(request),
            None => request.headers().contains_key(CONTENT_TYPE),
        };
    let posted = if has_form {
        let form = Parameters::of_form(request, body).await?;
        form.refuse_doubled()?;
        form.get("access_token").map(str::to_owned)
    } else {
        None
    };
    if headers.next().is_some() || (header.is_some() && posted.is_some()) {
        let wrong = "the request has more than one access token";
        return Err(Refusal::invalid_request("two_tokens", wrong));
    }
    let Some(header) = header else {
        return posted.ok_or_else(Refusal::no_token);
    };
    let header = header.to_str().unwrap_or_default();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(token.trim().to_owned())
        }
        _ => Err(Refusal::no_token()),
    }
}
