//! `GET /v1/account-pictures/{name}`.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use login_protocol::{
    account_picture::{ACCOUNT_PICTURE, PictureName},
    problem::ProblemCode,
};
use service_kit::{api_description::Problems, problem::Problem};

use crate::accounts::Accounts;

/// A picture of an account's own QR code.
#[utoipa::path(
    get,
    path = ACCOUNT_PICTURE,
    tag = "QR codes",
    summary = "A picture of an account's own QR code, from the file that GATEWAY__WECHAT__QR_URL names",
    params(("name" = String, Path, description = "`account_picture` of a login prompt")),
    responses(
        (status = 200, description = "The picture", content(
            ("image/png"), ("image/jpeg"), ("image/webp"), ("image/gif")
        )),
        Problems<401>,
        Problems<404>
    )
)]
pub(super) async fn read(
    name: Path<String>,
    accounts: Data<Accounts>,
) -> Result<HttpResponse, Problem> {
    let name = PictureName::parse(&name);
    let picture = name
        .and_then(|name| accounts.picture(&name))
        .ok_or_else(|| {
            let detail = "No account has a picture of this name.";
            Problem::new(ProblemCode::NotFound, detail)
        })?;
    Ok(HttpResponse::Ok()
        .content_type(picture.name.format().media_type())
        .body(picture.content.clone()))
}
