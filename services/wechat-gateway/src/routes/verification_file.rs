//! `/MP_verify_….txt`: how WeChat's console makes sure that a domain is the account's.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    http::header::ContentType,
    web::{Data, Path},
};
use login_protocol::problem::ProblemCode;
use service_kit::problem::Problem;

/// The files of the settings, by name.
pub struct VerificationFiles(pub BTreeMap<String, String>);

/// `GET`: one of them.
pub(super) async fn read(
    name: Path<String>,
    files: Data<VerificationFiles>,
) -> Result<HttpResponse, Problem> {
    let content = files.0.get(name.as_str());
    let content = content
        .ok_or_else(|| Problem::new(ProblemCode::NotFound, "No route matches this path."))?;
    Ok(HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body(content.clone()))
}
