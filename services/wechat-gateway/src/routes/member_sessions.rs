//! `/v1/members/{openid}/sessions`: where a person is signed in, and their end.

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Path};
use serde_json::json;
use service_kit::problem::Problem;

use super::{account::AccountInQuery, actor::Caller};

/// `GET`: lists them.
pub(super) async fn list(
    openid: Path<String>,
    account: AccountInQuery,
) -> Result<HttpResponse, Problem> {
    let sessions = account.members.sessions(&openid).await?;
    let listed: Vec<_> = sessions
        .iter()
        .map(|session| session.listed(None))
        .collect();
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({ "sessions": listed })))
}

/// `DELETE`: ends them all.
pub(super) async fn end_all(
    openid: Path<String>,
    account: AccountInQuery,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    account.members.end_sessions(&openid, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE …/{id}`: ends one.
pub(super) async fn end_one(
    path: Path<(String, String)>,
    account: AccountInQuery,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let (openid, id) = path.into_inner();
    account.members.end_session(&openid, &id, &caller).await?;
    Ok(HttpResponse::NoContent().finish())
}
