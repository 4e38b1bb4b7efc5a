//! `/api/session`: who is signed in, and signing out.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::Timestamp;
use login_protocol::problem::ProblemCode;
use serde::Serialize;
use service_kit::problem::Problem;

use super::oidc_sessions;
use crate::{
    cookies::Cookies,
    sessions::store::{Sessions, SignedIn},
    tickets::Ticket,
    user::User,
};

#[derive(Serialize)]
struct Answer<'a> {
    user: User,
    signed_in_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
}

/// `GET`: who is signed in.
pub(super) async fn read(
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    let not_signed_in = || {
        Problem::new(
            ProblemCode::NotSignedIn,
            "Nobody is signed in with this browser.",
        )
    };
    let session = cookies.session(&request).ok_or_else(not_signed_in)?;
    let SignedIn {
        user,
        since,
        ticket,
    } = sessions
        .signed_in_with_ticket(&session)
        .await?
        .ok_or_else(not_signed_in)?;
    Ok(HttpResponse::Ok().json(Answer {
        user,
        signed_in_at: since,
        ticket: ticket.as_ref().map(Ticket::expose),
    }))
}

/// `DELETE /api/sessions`: signs out everywhere the person who is signed in with this browser.
pub(super) async fn end_all(
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    if let Some(session) = cookies.session(&request) {
        let whose = sessions
            .sign_out_everywhere(&session, cookies.attempt(&request).as_ref())
            .await?;
        if let Some(member) = whose {
            oidc_sessions::all_ended(&request, &member).await?;
        }
        oidc_sessions::ended(&request, &session).await?;
    }
    Ok(signed_out(&cookies))
}

fn signed_out(cookies: &Cookies) -> HttpResponse {
    HttpResponse::NoContent()
        .cookie(cookies.clear_session())
        .cookie(cookies.clear_attempt())
        .finish()
}

/// `DELETE`: signs out. The attempt goes as well, so that repeating its redemption signs nobody in,
/// even if the session's cookie never arrived.
pub(super) async fn end(
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    let attempt = cookies.attempt(&request);
    match (cookies.session(&request), attempt) {
        (Some(session), attempt) => {
            sessions.sign_out(&session, attempt.as_ref()).await?;
            oidc_sessions::ended(&request, &session).await?;
        }
        (None, Some(secret)) => sessions.forget(&secret).await?,
        (None, None) => {}
    }
    Ok(signed_out(&cookies))
}
