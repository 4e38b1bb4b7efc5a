//! `/v1/web-authorizations`: the site logs in somebody who opened it inside WeChat.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use login_protocol::{
    attempt::AttemptStatus,
    gateway_api::{
        self, BeginWebAuthorization, CompleteWebAuthorization, DiscardWebAuthorization,
        WebAuthorizationBegun, WebAuthorizationCompleted,
    },
    problem::ProblemCode,
};
use service_kit::{
    api_description::{BodyProblems, Problems},
    problem::Problem,
};
use url::Url;

use super::account::in_body;
use crate::{
    accounts::Accounts, phone::web_authorization_login::Completed,
    wechat::web_authorization::AuthorizationError,
};

/// `POST`: where to send the browser.
#[utoipa::path(
    post,
    path = gateway_api::WEB_AUTHORIZATIONS,
    tag = "web authorisation",
    summary = "The URL of WeChat's consent page for a user who opened the site inside WeChat",
    request_body = BeginWebAuthorization,
    responses(
        (status = 201, description = "To be opened exactly as it is", body = WebAuthorizationBegun),
        BodyProblems,
        Problems<401>,
        Problems<404>
    )
)]
pub(super) async fn begin(
    request: Json<BeginWebAuthorization>,
    accounts: Data<Accounts>,
) -> Result<HttpResponse, Problem> {
    let BeginWebAuthorization {
        scene,
        redirect_uri,
        account,
    } = request.into_inner();
    let account = in_body(&accounts, &account)?;
    if !account.login_prompts.have_web_authorization() {
        let detail = "This account has no web authorisation. Log in by another method.";
        return Err(Problem::new(ProblemCode::NoWebAuthorization, detail));
    }
    let redirect_uri = Url::parse(&redirect_uri)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
        .ok_or_else(|| {
            let detail = "redirect_uri must be an http or https URL without a fragment.";
            Problem::new(ProblemCode::InvalidRequest, detail)
        })?;
    let authorize_url = account
        .web_authorization
        .authorize_url(&scene, &redirect_uri);
    Ok(HttpResponse::Created().json(WebAuthorizationBegun { authorize_url }))
}

/// `POST …/complete`: the browser came back.
#[utoipa::path(
    post,
    path = gateway_api::COMPLETE_WEB_AUTHORIZATION,
    tag = "web authorisation",
    summary = "Confirm a login for the user who returned with a code",
    request_body = CompleteWebAuthorization,
    responses(
        (status = 200, description = "Confirmed: the browser can be logged in", body = WebAuthorizationCompleted),
        BodyProblems,
        Problems<401>,
        Problems<403>,
        Problems<404>,
        Problems<410>,
        Problems<429>,
        Problems<503>
    )
)]
pub(super) async fn complete(
    request: Json<CompleteWebAuthorization>,
    accounts: Data<Accounts>,
) -> Result<HttpResponse, Problem> {
    let CompleteWebAuthorization {
        scene,
        code,
        account,
    } = request.into_inner();
    let account = in_body(&accounts, &account)?;
    match account.web_authorization.complete(&scene, &code).await {
        Ok(Completed::Confirmed) => Ok(HttpResponse::Ok().json(WebAuthorizationCompleted {
            status: AttemptStatus::Confirmed,
        })),
        Ok(Completed::Banned) => Err(Problem::new(
            ProblemCode::Banned,
            "The account's owner has banned this person.",
        )),
        Ok(Completed::Over) => Err(Problem::new(
            ProblemCode::LoginExpired,
            "The login expired, was cancelled, or belongs to somebody else. Start again.",
        )),
        Err(error) => Err(problem(error)),
    }
}

/// `POST …/discard`: a code arrived where it logs nobody in.
#[utoipa::path(
    post,
    path = gateway_api::DISCARD_WEB_AUTHORIZATION,
    tag = "web authorisation",
    summary = "Invalidate a code that logs nobody in",
    request_body = DiscardWebAuthorization,
    responses(
        (status = 202, description = "It will be exchanged, unless WeChat refused too many codes of this client"),
        BodyProblems,
        Problems<401>,
        Problems<404>
    )
)]
pub(super) async fn discard(
    request: Json<DiscardWebAuthorization>,
    accounts: Data<Accounts>,
) -> Result<HttpResponse, Problem> {
    let DiscardWebAuthorization {
        code,
        client,
        scene,
        account,
    } = request.into_inner();
    let account = in_body(&accounts, &account)?;
    match scene {
        Some(scene) => account.stray_codes.of_attempt(scene, code),
        None => account.stray_codes.of_client(client, code),
    }
    Ok(HttpResponse::Accepted().finish())
}

fn problem(error: AuthorizationError) -> Problem {
    match error {
        AuthorizationError::SpentCode => Problem::new(
            ProblemCode::AuthorizationCodeSpent,
            "The code was already used or has expired. Send the user to WeChat again.",
        ),
        AuthorizationError::Snapshot => Problem::new(
            ProblemCode::SnapshotPage,
            "WeChat opened the page as a snapshot. Ask the user to press \u{201c}使用完整服务\u{201d}.",
        ),
        AuthorizationError::ConsentMissing => Problem::new(
            ProblemCode::ConsentMissing,
            "The user wasn't asked for nickname and avatar, which a login requires. Send them to WeChat again.",
        ),
        AuthorizationError::TooMany { retry_after } => Problem::new(
            ProblemCode::TooManyLogins,
            "Too many codes were submitted for this login. Start another one.",
        )
        .retry_after(retry_after),
        AuthorizationError::Wechat(error) => {
            tracing::error!(%error, "an authorisation code can't be exchanged");
            (&error).into()
        }
        AuthorizationError::Store(error) => error.into(),
        AuthorizationError::Randomness(error) => error.into(),
    }
}
