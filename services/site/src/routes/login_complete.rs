//! `POST /api/login/complete`: the scan becomes a session, or a ticket, or both.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use login_protocol::steps::TicketDelivery;
use serde::Serialize;
use service_kit::{client_address::TrustedProxies, problem::Problem};

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

#[derive(Serialize)]
struct Answer<'a> {
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
}

/// Redeems the attempt of this browser. The attempt's cookie stays, so that a repeat works when the
/// answer was lost.
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
