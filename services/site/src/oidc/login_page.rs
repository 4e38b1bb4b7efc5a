//! `GET /oidc/login?request=…`: the page on which a visitor logs in to go on to a client. Whoever
//! loads it again after the login goes on.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{
    authorization::{AuthorizationError, Outcome},
    authorize, pages,
    parameters::Parameters,
    provider::Provider,
    refusal::Refusal,
};
use crate::cookies::Cookies;

/// Shows the page, or goes on.
pub(super) async fn page(
    request: HttpRequest,
    provider: Data<Provider>,
    cookies: Data<Cookies>,
) -> HttpResponse {
    let parameters = Parameters::of_query(&request);
    let id = parameters.get("request").unwrap_or_default();
    let kept = match provider.kept(id).await {
        Ok(kept) => kept,
        Err(error) => {
            let refusal = Refusal::from(error);
            refusal.note("login_page", None);
            return pages::refused(&provider, &refusal);
        }
    };
    let Some((asked, client, shown_at)) = kept else {
        return pages::over(&provider);
    };
    let session = cookies.session(&request);
    let outcome: Result<Outcome, AuthorizationError> = provider
        .authorize(&asked, &client, session.as_ref(), Some(shown_at))
        .await;
    match outcome {
        Ok(Outcome::LogIn) => pages::login(&provider, &client, asked.language, id),
        other => authorize::answer(&provider, &asked, &client, other),
    }
}
