//! `POST /v1/login-prompts`.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use login_protocol::{
    login_prompt::{CreateLoginPrompt, LOGIN_PROMPTS, LoginPrompt, MAX_TTL_SECONDS},
    problem::ProblemCode,
};
use service_kit::{
    api_description::{BodyProblems, Problems},
    problem::Problem,
};

use super::account::in_body;
use crate::{accounts::Accounts, digits::NoDigits, login_prompts::PromptError};

/// Says what the visitor of a login is shown.
#[utoipa::path(
    post,
    path = LOGIN_PROMPTS,
    tag = "QR codes",
    summary = "What the visitor of a login is shown: a QR code, or digits to send to the account",
    request_body = CreateLoginPrompt,
    responses(
        (status = 201, description = "Created", body = LoginPrompt),
        BodyProblems,
        Problems<401>,
        Problems<404>,
        Problems<429>,
        Problems<503>
    )
)]
pub(super) async fn create(
    request: Json<CreateLoginPrompt>,
    accounts: Data<Accounts>,
) -> Result<HttpResponse, Problem> {
    let request = request.into_inner();
    if !(1..=MAX_TTL_SECONDS).contains(&request.ttl_seconds) {
        let detail = format!("ttl_seconds must be 1 to {MAX_TTL_SECONDS}.");
        return Err(Problem::new(ProblemCode::InvalidRequest, detail));
    }
    let account = in_body(&accounts, &request.account)?;
    match account.login_prompts.create(request).await {
        Ok(prompt) => Ok(HttpResponse::Created().json(prompt)),
        Err(error) => {
            if !matches!(error, PromptError::NoCodeLeft(_)) {
                tracing::error!(account = account.name.in_log(), %error, "a login can't begin");
            }
            Err(error.into())
        }
    }
}

impl From<PromptError> for Problem {
    fn from(error: PromptError) -> Self {
        match error {
            PromptError::NoCodeLeft(error) => error.into(),
            PromptError::Wechat(error) => (&error).into(),
            PromptError::NoDigits(NoDigits::Store(error)) => error.into(),
            PromptError::NoDigits(NoDigits::Randomness(error)) => error.into(),
            PromptError::NoDigits(NoDigits::Taken) => {
                let detail = "No digits are free. Try again later.";
                Self::new(ProblemCode::Internal, detail)
            }
            PromptError::NoPage => {
                let detail = "This gateway has no page for logins: set GATEWAY__PUBLIC__URL, for an account that \
                              has web authorisation.";
                Self::new(ProblemCode::InvalidRequest, detail)
            }
        }
    }
}
