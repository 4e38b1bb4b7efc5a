//! `POST /v1/qrcodes`.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use login_protocol::{
    gateway_api::{self, ClientLogins, CreateQrCode, MAX_TTL_SECONDS},
    problem::ProblemCode,
};
use service_kit::{
    api_description::{BodyProblems, Problems},
    problem::Problem,
};

use super::account::in_body;
use crate::accounts::Accounts;

/// Creates a QR code.
#[utoipa::path(
    post,
    path = gateway_api::QR_CODES,
    tag = "QR codes",
    summary = "Create a temporary QR code with a string scene",
    request_body = CreateQrCode,
    responses(
        (status = 201, description = "Created", body = gateway_api::QrCode),
        BodyProblems,
        Problems<401>,
        Problems<404>,
        Problems<429>,
        Problems<503>
    )
)]
pub(super) async fn create(
    request: Json<CreateQrCode>,
    accounts: Data<Accounts>,
) -> Result<HttpResponse, Problem> {
    let request = request.into_inner();
    if !(1..=MAX_TTL_SECONDS).contains(&request.ttl_seconds) {
        let detail = format!("ttl_seconds must be 1 to {MAX_TTL_SECONDS}.");
        return Err(Problem::new(ProblemCode::InvalidRequest, detail));
    }
    let account = in_body(&accounts, &request.account)?;
    // Callers that don't count their clients' logins aren't held back.
    let client = request.client_logins.unwrap_or(ClientLogins::Few);
    account.code_budget.take(client).await?;
    match account.qr_codes.create(request).await {
        Ok(created) => Ok(HttpResponse::Created().json(created)),
        Err(error) => {
            tracing::error!(account = account.name.in_log(), %error, "can't create a QR code");
            Err((&error).into())
        }
    }
}
