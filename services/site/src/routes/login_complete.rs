//! `POST /api/login/complete`: the scan becomes a session.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use login_protocol::steps::GivenBack;
use serde_json::json;
use service_kit::{client_address::TrustedProxies, problem::Problem};

use super::login::attempt_of;
use crate::{cookies::Cookies, login::Logins};

/// Redeems the attempt of this browser. The attempt's cookie stays, so that a repeat works when the
/// answer was lost.
pub(super) async fn complete(
    request: HttpRequest,
    logins: Data<Logins>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
) -> Result<HttpResponse, Problem> {
    let secret = attempt_of(&request, &cookies)?;
    let (session, user) = logins
        .complete(&secret, proxies.client(&request), GivenBack::Scanned)
        .await?;
    Ok(HttpResponse::Ok()
        .cookie(cookies.set_session(&session, logins.session_lifetime()))
        .json(json!({ "user": user })))
}
