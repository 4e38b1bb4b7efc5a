//! `/v1/members/{openid}/sessions`: where a person is signed in, and their end.

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Path};
use login_protocol::gateway_api;
use service_kit::{api_description::Problems, problem::Problem, sessions::SessionList};

use super::{account::AccountInQuery, actor::Caller};

/// `GET`: lists them.
#[utoipa::path(
    get,
    path = gateway_api::MEMBER_SESSIONS,
    tag = "sessions",
    summary = "Where a person is signed in",
    params(("openid" = String, Path, description = "A person towards the account"), AccountInQuery),
    responses(
        (status = 200, description = "The sessions", body = SessionList),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
pub(super) async fn list(
    openid: Path<String>,
    account: AccountInQuery,
) -> Result<HttpResponse, Problem> {
    let sessions = account.members.sessions(&openid).await?;
    let listed = sessions.iter().map(|session| session.listed(None));
    let sessions = SessionList {
        sessions: listed.collect(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(sessions))
}

/// `DELETE`: ends them all.
#[utoipa::path(
    delete,
    path = gateway_api::MEMBER_SESSIONS,
    tag = "sessions",
    summary = "End all sessions of a person, and every login that they have confirmed by now",
    params(("openid" = String, Path, description = "A person towards the account"), AccountInQuery),
    responses(
        (status = 204, description = "Ended"),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
pub(super) async fn end_all(
    openid: Path<String>,
    account: AccountInQuery,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    account.members.end_sessions(&openid, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE …/{id}`: ends one.
#[utoipa::path(
    delete,
    path = gateway_api::MEMBER_SESSION,
    tag = "sessions",
    summary = "End one session of a person",
    params(
        ("openid" = String, Path, description = "A person towards the account"),
        ("id" = String, Path, description = "`id` of a session"),
        AccountInQuery
    ),
    responses(
        (status = 204, description = "Ended"),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
pub(super) async fn end_one(
    path: Path<(String, String)>,
    account: AccountInQuery,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let (openid, id) = path.into_inner();
    account.members.end_session(&openid, &id, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}
