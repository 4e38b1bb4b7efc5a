//! `/api/login`: starting, reading and cancelling this browser's attempt.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ContentType, USER_AGENT},
    web::Data,
};
use jiff::Timestamp;
use login_protocol::{
    attempt::AttemptStatus,
    method::{Method, MethodChoice},
    problem::ProblemCode,
    scene::BrowserSecret,
    steps::{OpenedAttempt, ShownCode, ShownDigits},
};
use qrcodegen::DataTooLong;
use serde::Serialize;
use service_kit::{api_description::Problems, client_address::TrustedProxies, problem::Problem};
use utoipa::ToSchema;

use super::{problems, query::parameter};
use crate::{
    account_pictures,
    cookies::Cookies,
    login::{BeginError, Living, Logins, Visit, Wish},
    oidc::{clients::Client, provider::Provider},
    public_url::PublicUrl,
    qr_drawing,
    status_event::Status,
};

/// How often a browser without a stream should ask, in milliseconds.
const POLL_INTERVAL_MS: u32 = 2000;

/// An attempt, and what its visitor is shown.
#[derive(Serialize, ToSchema)]
struct Started {
    status: AttemptStatus,
    expires_at: Timestamp,
    expires_in_seconds: u64,
    poll_interval_ms: u32,
    method: Method,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    methods: Vec<MethodChoice>,
    /// The digits, where the method has some.
    #[schema(required)]
    code: Option<CodeToSend>,
    // The last member of all: `with_drawing` completes it.
    /// The QR code, where the method has one.
    #[schema(required)]
    qr: Option<Qr>,
}

/// Digits to send to the account.
#[derive(Serialize, ToSchema)]
struct CodeToSend {
    digits: String,
    #[schema(required)]
    account_name: Option<String>,
    #[schema(required)]
    account_qr_url: Option<String>,
}

/// A QR code to scan.
#[derive(Serialize, ToSchema)]
struct Qr {
    content: String,
    #[schema(required)]
    image_url: Option<String>,
    // Empty, and the last member of all: `Started::with_drawing` fills it in.
    /// The code, drawn.
    svg: &'static str,
}

impl Started {
    /// The answer's JSON, with the code drawn.
    fn with_drawing(&self) -> Result<Vec<u8>, DataTooLong> {
        let Some(qr) = &self.qr else {
            return Ok(serde_json::to_vec(self).unwrap_or_default());
        };
        let end = b"\"}}";
        let mut json = serde_json::to_vec(self).unwrap_or_default();
        json.truncate(json.len().saturating_sub(end.len()));
        qr_drawing::draw_in_json(&mut json, &qr.content)?;
        json.extend_from_slice(end);
        Ok(json)
    }
}

/// Where a request comes from.
pub(super) fn visit<'a>(request: &'a HttpRequest, proxies: &TrustedProxies) -> Visit<'a> {
    let user_agent = request
        .headers()
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    Visit {
        client: proxies.client(request),
        user_agent: user_agent.unwrap_or_default(),
    }
}

impl From<ShownCode> for Qr {
    fn from(ShownCode { content, image_url }: ShownCode) -> Self {
        Self {
            content,
            image_url: (!image_url.is_empty()).then_some(image_url),
            svg: "",
        }
    }
}

impl CodeToSend {
    /// A picture that this site hands out is named by its path. Pages of other origins need its
    /// address.
    fn new(shown: ShownDigits, public_url: &PublicUrl) -> Self {
        let ours = |picture: &String| picture.starts_with(account_pictures::FOLDER);
        Self {
            digits: shown.digits.as_str().to_owned(),
            account_name: shown.account_name,
            account_qr_url: shown.account_qr_url.map(|picture| {
                if ours(&picture) {
                    public_url.at(&picture).into()
                } else {
                    picture
                }
            }),
        }
    }
}

/// The method that the visitor asks for, if any.
fn choice(request: &HttpRequest) -> Result<Option<MethodChoice>, Problem> {
    let name = parameter(request, "method");
    if name.is_empty() {
        return Ok(None);
    }
    let choice = MethodChoice::parse(&name);
    choice
        .map(Some)
        .ok_or_else(|| BeginError::MethodNotOffered.into())
}

/// The client that a visitor goes on to after the login, if an authorization request brought them
/// (`?request=…`).
pub(super) async fn client_of(request: &HttpRequest) -> Result<Option<Arc<Client>>, Problem> {
    let Some(provider) = request.app_data::<Data<Provider>>() else {
        return Ok(None);
    };
    let id = parameter(request, "request");
    if id.is_empty() {
        return Ok(None);
    }
    let client = provider.client_of(&id).await?;
    client.map(Some).ok_or_else(|| {
        Problem::new(
            ProblemCode::LoginExpired,
            "The authorization request has expired. Go back to the website and log in again.",
        )
    })
}

/// `POST`: starts an attempt, or takes up the one that this browser has.
#[utoipa::path(
    post,
    path = "/api/login",
    tag = "login",
    summary = "Start a login, or take up the one that this browser has",
    params(
        ("method" = Option<MethodChoice>, Query, description = "One of the methods that are offered"),
        ("proof" = Option<String>, Query, description = "The solution of `challenge` in a refusal"),
        ("request" = Option<String>, Query, description = "The authorization request of a client that the visitor goes on to")
    ),
    responses(
        (status = 201, description = "What the visitor is shown; a cookie binds the attempt to this browser", body = Started),
        Problems<400>,
        Problems<403>,
        Problems<410>,
        Problems<413>,
        Problems<429>,
        Problems<503>
    )
)]
pub(super) async fn start(
    request: HttpRequest,
    logins: Data<Logins>,
    cookies: Data<Cookies>,
    proxies: Data<TrustedProxies>,
    public_url: Data<PublicUrl>,
) -> Result<HttpResponse, Problem> {
    let visit = visit(&request, &proxies);
    let client = client_of(&request).await?;
    let site = client.as_ref().map(|client| &client.site);
    let own = client.as_ref().and_then(|client| client.methods.as_ref());
    let offered = own.unwrap_or(logins.methods());
    let wish = Wish {
        choice: choice(&request)?,
        client: site,
        methods: offered,
        proof: parameter(&request, "proof"),
    };
    let secret = cookies.attempt(&request);
    let (secret, living) = logins.start(visit, secret, wish).await?;
    let Living { opened, left } = living;
    let OpenedAttempt {
        status,
        expires_at,
        method,
        code,
        digits,
        client: _,
    } = opened;
    let started = Started {
        status,
        expires_at,
        expires_in_seconds: whole_seconds(left),
        poll_interval_ms: POLL_INTERVAL_MS,
        method,
        methods: if offered.are_several() {
            offered.iter().collect()
        } else {
            Vec::new()
        },
        code: digits.map(|digits| CodeToSend::new(digits, &public_url)),
        qr: code.map(Qr::from),
    };
    if started.code.is_none() && started.qr.is_none() {
        // Another version of this service wrote an attempt that this one can't show.
        return Err(problems::internal());
    }
    let json = started.with_drawing().map_err(|_| {
        tracing::error!("the content from the gateway doesn't fit into a QR code");
        problems::internal()
    })?;
    Ok(HttpResponse::Created()
        .cookie(cookies.set_attempt(&secret, logins.cookie_lifetime()))
        .content_type(ContentType::json())
        .body(json))
}

/// `GET`: where it stands.
#[utoipa::path(
    get,
    path = "/api/login",
    tag = "login",
    summary = "Where this browser's login stands",
    responses(
        (status = 200, description = "The status", body = Status),
        Problems<404>,
        Problems<503>
    )
)]
pub(super) async fn status(
    request: HttpRequest,
    logins: Data<Logins>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    let secret = attempt_of(&request, &cookies)?;
    let (status, expires_at) = logins.status(&secret).await?;
    Ok(HttpResponse::Ok().json(Status { status, expires_at }))
}

/// `DELETE`: the modal was closed.
#[utoipa::path(
    delete,
    path = "/api/login",
    tag = "login",
    summary = "Cancel this browser's login",
    responses(
        (status = 204, description = "It is over"),
        Problems<403>,
        Problems<413>,
        Problems<503>
    )
)]
pub(super) async fn cancel(
    request: HttpRequest,
    logins: Data<Logins>,
    cookies: Data<Cookies>,
) -> Result<HttpResponse, Problem> {
    if let Some(secret) = cookies.attempt(&request) {
        logins.cancel(&secret).await?;
    }
    Ok(HttpResponse::NoContent()
        .cookie(cookies.clear_attempt())
        .finish())
}

/// Rounded up, so that a countdown doesn't end before the attempt.
pub(super) fn whole_seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// The secret of this browser's attempt, or the 404 that says there is none.
pub(super) fn attempt_of(
    request: &HttpRequest,
    cookies: &Cookies,
) -> Result<BrowserSecret, Problem> {
    cookies.attempt(request).ok_or_else(|| {
        Problem::new(
            ProblemCode::NoLoginAttempt,
            "This browser has no login attempt. Start one.",
        )
    })
}
