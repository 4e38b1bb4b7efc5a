//! `GET /v1/members/{openid}`.

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Data, Path},
};
use login_protocol::{
    identity::{AppId, MemberId, OpenId},
    problem::ProblemCode,
    steps::ReadMember,
};
use service_kit::{problem::Problem, redis::Store};

/// Reads a stored member.
pub(super) async fn read(
    openid: Path<String>,
    app_id: Data<AppId>,
    store: Data<Store>,
) -> Result<HttpResponse, Problem> {
    let unknown = || {
        Problem::new(
            ProblemCode::UnknownMember,
            "No such person has met this account.",
        )
    };
    let openid = OpenId::parse(&openid).map_err(|_| unknown())?;
    let member = MemberId {
        app_id: app_id.as_ref().clone(),
        openid,
    };
    let found = store.run(&ReadMember { member }).await?;
    let member = found.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(member))
}
