//! `/v1/access-token`: the token for the owner's other backends, so that one place alone refreshes
//! it.

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Json};
use login_protocol::{
    gateway_api::{self, AccessToken, InvalidateAccessToken},
    steps::StoredAccessToken,
};
use service_kit::{
    api_description::{BodyProblems, Problems},
    problem::Problem,
};

use super::account::AccountInQuery;

/// `GET`: the current token.
#[utoipa::path(
    get,
    path = gateway_api::ACCESS_TOKEN,
    tag = "access token",
    summary = "The account's current access token",
    params(AccountInQuery),
    responses(
        (status = 200, description = "The token", body = AccessToken),
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
pub(super) async fn current(account: AccountInQuery) -> Result<HttpResponse, Problem> {
    let token = account
        .tokens
        .current()
        .await
        .map_err(|error| Problem::from(&error))?;
    Ok(answer(token))
}

/// `POST …/invalidate`: a backend reports a token that WeChat refused, and gets the one that
/// replaces it. Reporting a token that was replaced already changes nothing.
#[utoipa::path(
    post,
    path = gateway_api::INVALIDATE_ACCESS_TOKEN,
    tag = "access token",
    summary = "Report a token that WeChat refused with 40001, 40014 or 42001, and get its successor",
    params(AccountInQuery),
    request_body = InvalidateAccessToken,
    responses(
        (status = 200, description = "The token that replaces it", body = AccessToken),
        BodyProblems,
        Problems<401>,
        Problems<404>,
        Problems<503>
    )
)]
pub(super) async fn invalidate(
    report: Json<InvalidateAccessToken>,
    account: AccountInQuery,
) -> Result<HttpResponse, Problem> {
    let token = account
        .tokens
        .replace(&report.access_token)
        .await
        .map_err(|error| Problem::from(&error))?;
    Ok(answer(token))
}

fn answer(token: StoredAccessToken) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(AccessToken {
            access_token: token.token,
            expires_at: token.expires_at,
        })
}
