//! `GET /v1/members/{openid}`.

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Path},
};
use login_protocol::problem::ProblemCode;
use service_kit::problem::Problem;

use crate::members::Members;

/// Reads a stored member.
pub(super) async fn read(
    openid: Path<String>,
    members: Data<Members>,
) -> Result<HttpResponse, Problem> {
    let member = members.find(&openid).await?.ok_or_else(|| {
        Problem::new(
            ProblemCode::UnknownMember,
            "The account knows no person with this OpenID.",
        )
    })?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(member))
}
