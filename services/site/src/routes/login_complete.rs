//! `POST /api/login/complete`: the scan becomes a session.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use login_protocol::steps::GivenBack;
use serde_json::json;
use service_kit::{client_address::TrustedProxies, problem::Problem};

use super::{login::attempt_of, oidc_sessions};
use crate::{
    cookies::Cookies,
    login::{Completion, Logins},
    sessions::store::Sessions,
};

/// Redeems the attempt of this browser. The attempt's cookie stays, so that a repeat works when the
/// answer was lost.
pub(super) async fn complete(
    request: HttpRequest,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
) -> Result<HttpResponse, Problem> {
    let secret = attempt_of(&request, &cookies)?;
    let previous = cookies.session(&request);
    let completion = Completion {
        secret: &secret,
        previous: previous.as_ref(),
        client: proxies.client(&request),
        by: GivenBack::Scanned,
    };
    let (session, user) = logins.complete(completion).await?;
    oidc_sessions::replaced(&request, previous.as_ref(), &session).await;
    Ok(HttpResponse::Ok()
        .cookie(cookies.set_session(&session, sessions.cookie_lifetime()))
        .json(json!({ "user": user })))
}
