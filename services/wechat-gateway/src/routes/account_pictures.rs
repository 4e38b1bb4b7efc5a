//! `GET /v1/account-pictures/{name}`.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use login_protocol::{account_picture::PictureName, problem::ProblemCode};
use service_kit::problem::Problem;

use crate::accounts::Accounts;

/// A picture of an account's own QR code.
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
