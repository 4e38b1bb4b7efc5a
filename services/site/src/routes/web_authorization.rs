//! Logging in by web authorisation, inside WeChat: off to its consent, and back from there.

use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web::Data};
use jiff::Timestamp;
use login_protocol::{attempt::AttemptStatus, steps::Purpose};
use serde::Serialize;
use service_kit::{api_description::Problems, client_address::TrustedProxies, problem::Problem};
use utoipa::ToSchema;

use super::{
    login::{client_of, visit, whole_seconds},
    oidc_sessions, problems, purpose,
    query::{appended, parameter},
    web_authorization_failed::{self, Failure},
};
use crate::{
    allowed_origins::AllowedOrigins,
    cookies::Cookies,
    login::{AuthorizationResponse, Logins},
    public_url::PublicUrl,
    return_to::ReturnTo,
    sessions::{identifier::SessionId, store::Sessions},
};

/// The path to which WeChat sends visitors back.
pub(super) const CALLBACK: &str = "/login/wechat";

/// A login that goes on at WeChat.
#[derive(Serialize, ToSchema)]
struct Begun {
    status: AttemptStatus,
    expires_at: Timestamp,
    expires_in_seconds: u64,
    /// WeChat's consent page, to be opened exactly as it is.
    #[schema(format = "uri")]
    authorize_url: String,
}

/// `POST /api/login/web-authorization?return_to=…`: starts an attempt without a code. With
/// `session=none` the visitor comes back with it confirmed, and the page completes it.
#[utoipa::path(
    post,
    path = "/api/login/web-authorization",
    tag = "login",
    summary = "Start a login inside WeChat, by its consent page",
    params(
        ("return_to" = Option<String>, Query, description = "Where the visitor comes back to"),
        ("session" = Option<String>, Query, description = "`none`: a ticket alone, for a site that keeps sessions of its own", pattern = "^(none)?$"),
        ("request" = Option<String>, Query, description = "The authorization request of a client that the visitor goes on to")
    ),
    responses(
        (status = 201, description = "Where the browser goes", body = Begun),
        Problems<400>,
        Problems<403>,
        Problems<404>,
        Problems<410>,
        Problems<413>,
        Problems<429>,
        Problems<503>
    )
)]
pub(super) async fn begin(
    request: HttpRequest,
    logins: Data<Logins>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
    allowed: Data<AllowedOrigins>,
    public_url: Data<PublicUrl>,
) -> Result<HttpResponse, Problem> {
    let purpose = purpose::of(&request, &logins)?;
    let visit = visit(&request, &proxies);
    let return_to = ReturnTo::parse(&parameter(&request, "return_to"), &allowed);
    let mut redirect_uri = public_url.at(CALLBACK);
    redirect_uri
        .query_pairs_mut()
        .append_pair("return_to", return_to.as_str());
    if purpose == Purpose::Ticket {
        redirect_uri
            .query_pairs_mut()
            .append_pair(purpose::PARAMETER, purpose::NONE);
    }
    let client = client_of(&request).await?;
    let site = client.as_ref().map(|client| &client.site);
    let begun = logins
        .begin_web_authorization(visit, cookies.attempt(&request), &redirect_uri, site)
        .await?;
    Ok(HttpResponse::Created()
        .cookie(cookies.set_attempt(&begun.secret, logins.cookie_lifetime()))
        .json(Begun {
            status: AttemptStatus::Pending,
            expires_at: begun.expires_at,
            expires_in_seconds: whole_seconds(begun.left),
            authorize_url: begun.authorize_url,
        }))
}

/// `GET /login/wechat?return_to&code&state`: back from WeChat. Always answers with a redirect, so
/// that the URL with the code stays neither in the history nor in what the visitor might share.
pub(super) async fn callback(
    request: HttpRequest,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
    allowed: Data<AllowedOrigins>,
) -> HttpResponse {
    let return_to = ReturnTo::parse(&parameter(&request, "return_to"), &allowed);
    let secret = cookies.attempt(&request);
    let session = cookies.session(&request);
    let response = AuthorizationResponse {
        secret: secret.as_ref(),
        session: session.as_ref(),
        visit: visit(&request, &proxies),
        state: &appended(&request, "state"),
        code: &appended(&request, "code"),
        // Only we write it; whatever else is there is a login like any other.
        purpose: purpose::of(&request, &logins).unwrap_or(Purpose::Session),
    };
    let error = match logins.complete_web_authorization(response).await {
        Ok(new_session) => {
            count("signed_in");
            // The attempt's cookie stays, so that the same callback works again.
            let mut response = HttpResponse::SeeOther();
            response.insert_header((LOCATION, return_to.location()));
            if let Some(new_session) = new_session {
                oidc_sessions::replaced(&request, session.as_ref(), &new_session).await;
                response.cookie(cookies.set_session(&new_session, sessions.cookie_lifetime()));
            }
            return response.finish();
        }
        Err(error) => error,
    };
    problems::log_callback(&error);
    if is_signed_in(session.as_ref(), &sessions).await {
        count("already_signed_in");
        return redirect(&return_to.location());
    }
    let failure = Failure::from(&error);
    count(failure.name());
    redirect(&web_authorization_failed::address(failure, &return_to))
}

async fn is_signed_in(session: Option<&SessionId>, sessions: &Sessions) -> bool {
    match session {
        Some(session) => matches!(sessions.signed_in(session).await, Ok(Some(_))),
        None => false,
    }
}

fn redirect(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .finish()
}

fn count(outcome: &'static str) {
    metrics::counter!("login_returns_total", "outcome" => outcome).increment(1);
}
