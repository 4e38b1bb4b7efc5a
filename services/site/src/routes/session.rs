//! `/api/session`: who is signed in, and signing out. `/api/sessions`: where else they are.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use jiff::Timestamp;
use login_protocol::problem::ProblemCode;
use serde::Serialize;
use service_kit::{api_description::Problems, problem::Problem, sessions::SessionList};
use utoipa::ToSchema;

use super::oidc_sessions;
use crate::{
    cookies::Cookies,
    sessions::{
        identifier::SessionId,
        store::{Sessions, SignedIn},
    },
    tickets::Ticket,
    user::User,
};

/// Who is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedIn)]
struct Answer<'a> {
    user: User,
    signed_in_at: Timestamp,
    /// A login ticket, once after a login inside WeChat.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
}

/// `GET`: who is signed in.
#[utoipa::path(
    get,
    path = "/api/session",
    tag = "sessions",
    summary = "Who is signed in with this browser",
    responses(
        (status = 200, description = "The user", body = Answer),
        Problems<401>,
        Problems<503>
    )
)]
pub(super) async fn read(
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    let session = cookies.session(&request).ok_or_else(not_signed_in)?;
    let SignedIn {
        user,
        since,
        ticket,
        ..
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

fn not_signed_in() -> Problem {
    Problem::new(
        ProblemCode::NotSignedIn,
        "Nobody is signed in with this browser.",
    )
}

pub(super) async fn signed_in(
    request: &HttpRequest,
    sessions: &Sessions,
    cookies: &Cookies,
) -> Result<(SessionId, SignedIn), Problem> {
    let session = cookies.session(request).ok_or_else(not_signed_in)?;
    let signed_in = sessions.signed_in(&session).await?;
    Ok((session, signed_in.ok_or_else(not_signed_in)?))
}

/// `GET /api/sessions`: the sessions at this site of the person who is signed in.
#[utoipa::path(
    get,
    path = "/api/sessions",
    tag = "sessions",
    summary = "Where the user is signed in at this site",
    responses(
        (status = 200, description = "The sessions", body = SessionList),
        Problems<401>,
        Problems<503>
    )
)]
pub(super) async fn list(
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    let (session, SignedIn { member, .. }) = signed_in(&request, &sessions, &cookies).await?;
    let current = session.sha256();
    let all = sessions.of(&member).await?;
    let listed = all.iter().map(|session| session.listed(Some(&current)));
    let sessions = listed.collect();
    Ok(HttpResponse::Ok().json(SessionList { sessions }))
}

/// `DELETE /api/sessions/{id}`: ends one of them.
#[utoipa::path(
    delete,
    path = "/api/sessions/{id}",
    tag = "sessions",
    summary = "End one of the user's sessions",
    params(("id" = String, Path, description = "`id` of a session")),
    responses(
        (status = 204, description = "Ended"),
        Problems<401>,
        Problems<403>,
        Problems<404>,
        Problems<413>,
        Problems<503>
    )
)]
pub(super) async fn end_one(
    id: Path<String>,
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    let (session, SignedIn { member, .. }) = signed_in(&request, &sessions, &cookies).await?;
    let current = session.sha256();
    if *id == current {
        // The attempt goes as well, so that no repeat of its redemption is answered with it.
        sessions
            .sign_out(&session, cookies.attempt(&request).as_ref())
            .await?;
        oidc_sessions::ended(&request, &current).await?;
        return Ok(signed_out(&cookies));
    }
    let all = sessions.of(&member).await?;
    let other = all.iter().find(|other| other.key.id_sha256 == *id);
    let other = other.ok_or_else(|| {
        let detail = "The person who is signed in has no such session.";
        Problem::new(ProblemCode::UnknownSession, detail)
    })?;
    sessions.end_one(&member, other).await?;
    oidc_sessions::ended(&request, &other.key.id_sha256).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /api/sessions`: signs out everywhere the person who is signed in with this browser.
#[utoipa::path(
    delete,
    path = "/api/sessions",
    tag = "sessions",
    summary = "Sign out everywhere",
    responses(
        (status = 204, description = "Signed out"),
        Problems<403>,
        Problems<413>,
        Problems<503>
    )
)]
pub(super) async fn end_all(
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    if let Some(session) = cookies.session(&request) {
        sessions
            .sign_out_everywhere(&session, cookies.attempt(&request).as_ref())
            .await?;
        oidc_sessions::ended(&request, &session.sha256()).await?;
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
#[utoipa::path(
    delete,
    path = "/api/session",
    tag = "sessions",
    summary = "Sign out",
    responses(
        (status = 204, description = "Nobody is signed in"),
        Problems<403>,
        Problems<413>,
        Problems<503>
    )
)]
pub(super) async fn end(
    request: HttpRequest,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    let attempt = cookies.attempt(&request);
    match (cookies.session(&request), attempt) {
        (Some(session), attempt) => {
            sessions.sign_out(&session, attempt.as_ref()).await?;
            oidc_sessions::ended(&request, &session.sha256()).await?;
        }
        (None, Some(secret)) => sessions.forget(&secret).await?,
        (None, None) => {}
    }
    Ok(signed_out(&cookies))
}
