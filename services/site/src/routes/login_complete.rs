//! `POST /api/login/complete`: the scan becomes a session, or a ticket, or both.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use login_protocol::steps::TicketDelivery;
use serde::Serialize;
use service_kit::{api_description::Problems, client_address::TrustedProxies, problem::Problem};
use utoipa::ToSchema;

use super::{
    login::{attempt_of, visit},
    oidc_sessions, purpose,
};
use crate::{
    cookies::Cookies,
    login::{Completed, Completion, Logins},
    login_watch::LoginWatch,
    sessions::store::Sessions,
    tickets::Ticket,
    user::User,
};

/// Who logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = Completed)]
struct Answer<'a> {
    user: User,
    /// A login ticket, where this site issues them.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
}

/// Redeems the attempt of this browser. The attempt's cookie stays, so that a repeat works when the
/// answer was lost.
#[utoipa::path(
    post,
    path = "/api/login/complete",
    tag = "login",
    summary = "Log in with this browser's confirmed login",
    params(("session" = Option<String>, Query, description = "`none`: a ticket alone, for a site that keeps sessions of its own", pattern = "^(none)?$")),
    responses(
        (status = 200, description = "Who logged in; a cookie holds the session", body = Answer),
        Problems<400>,
        Problems<403>,
        Problems<404>,
        Problems<409>,
        Problems<410>,
        Problems<413>,
        Problems<503>
    )
)]
pub(super) async fn complete(
    request: HttpRequest,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
    watch: Data<LoginWatch>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
) -> Result<HttpResponse, Problem> {
    let purpose = purpose::of(&request, &logins)?;
    let secret = attempt_of(&request, &cookies)?;
    let previous = cookies.session(&request);
    let completion = Completion {
        secret: &secret,
        previous: previous.as_ref(),
        visit: visit(&request, &proxies),
        purpose,
        delivery: TicketDelivery::InTheAnswer,
        told_at: watch.told_at(&secret.scene()),
    };
    let Completed {
        user,
        session,
        ticket,
    } = logins.complete(completion).await?;
    let mut response = HttpResponse::Ok();
    if let Some(session) = session {
        oidc_sessions::replaced(&request, previous.as_ref(), &session).await;
        response.cookie(cookies.set_session(&session, sessions.cookie_lifetime()));
    }
    let ticket = ticket.as_ref().map(Ticket::expose);
    Ok(response.json(Answer { user, ticket }))
}
