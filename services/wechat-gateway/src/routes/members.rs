//! `GET /v1/members/{openid}`.

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Path};
use login_protocol::problem::ProblemCode;
use service_kit::problem::Problem;

use super::account::AccountInQuery;

/// Reads a stored member.
pub(super) async fn read(
    openid: Path<String>,
    account: AccountInQuery,
) -> Result<HttpResponse, Problem> {
    let member = account.members.find(&openid).await?.ok_or_else(|| {
        Problem::new(
            ProblemCode::UnknownMember,
            "The account knows no person with this OpenID.",
        )
    })?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(member))
}
