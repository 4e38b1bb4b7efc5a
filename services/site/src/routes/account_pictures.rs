//! `GET /assets/account/…`: pictures of accounts' own QR codes.

use actix_web::{
    HttpResponse,
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CROSS_ORIGIN_RESOURCE_POLICY},
    web::{Data, Path},
};
use login_protocol::{account_picture::PictureName, problem::ProblemCode};
use service_kit::problem::Problem;

use super::assets::KEPT_FOR_EVER;
use crate::account_pictures::AccountPictures;

/// Hands out the picture, for any page that shows the modal. A phone's album gets it by a canvas,
/// which needs the permission to read it.
pub(super) async fn read(
    name: Path<String>,
    pictures: Data<AccountPictures>,
) -> Result<HttpResponse, Problem> {
    let none = || Problem::new(ProblemCode::NotFound, "No account has this picture.");
    let name = PictureName::parse(&name).ok_or_else(none)?;
    let content = pictures.read(&name).await?.ok_or_else(none)?;
    Ok(HttpResponse::Ok()
        .content_type(name.format().media_type())
        .insert_header((CACHE_CONTROL, KEPT_FOR_EVER))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"))
        .body(content))
}
