//! `GET /v1/members/{openid}`.

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Path};
use service_kit::problem::Problem;

use super::{account::AccountInQuery, problems};

/// Reads a stored member.
pub(super) async fn read(
    openid: Path<String>,
    account: AccountInQuery,
) -> Result<HttpResponse, Problem> {
    let member = account.members.find(&openid).await?;
    let member = member.ok_or_else(problems::unknown_member)?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(member))
}
