//! `POST /v1/qrcodes`.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use login_protocol::{
    gateway_api::{ClientLogins, CreateQrCode, MAX_TTL_SECONDS},
    problem::ProblemCode,
};
use service_kit::problem::Problem;

use super::problems::known;
use crate::wechat::{code_budget::CodeBudget, qr_codes::QrCodes};

/// Creates a QR code.
pub(super) async fn create(
    request: Json<CreateQrCode>,
    qr_codes: Data<QrCodes>,
    budget: Data<CodeBudget>,
) -> Result<HttpResponse, Problem> {
    let request = request.into_inner();
    if !(1..=MAX_TTL_SECONDS).contains(&request.ttl_seconds) {
        let detail = format!("ttl_seconds must be 1 to {MAX_TTL_SECONDS}.");
        return Err(Problem::new(ProblemCode::InvalidRequest, detail));
    }
    known(&request.account)?;
    // Callers that don't count their clients' logins aren't held back.
    let client = request.client_logins.unwrap_or(ClientLogins::Few);
    budget.take(client).await?;
    match qr_codes.create(request).await {
        Ok(created) => Ok(HttpResponse::Created().json(created)),
        Err(error) => {
            tracing::error!(%error, "can't create a QR code");
            Err((&error).into())
        }
    }
}
