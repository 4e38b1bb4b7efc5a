//! What every API call passes on its way in: it is counted, and a fault or a quota may meet it.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use actix_web::body::{BodyStream, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, DATE, HeaderValue, HttpDate};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError as _};
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::answer::{Refusal, refusal};
use crate::faults::Fault;
use crate::other_accounts::wechats;
use crate::quotas::Exceeded;
use crate::setup::SecretState;
use crate::tokens::TokenCheck;
use crate::world::World;

/// What a proxy says when WeChat is down.
const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

/// Middleware: see the module's text.
pub(super) async fn pass<B: MessageBody + 'static>(
    world: Data<World>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let world = Arc::clone(&world);
    world.calls.count(wechats(request.path()));
    let fault = world.faults.take(wechats(request.path()));
    if let Some(delay) = fault.as_ref().and_then(Fault::delay) {
        tokio::time::sleep(delay).await;
    }
    if let Some(response) = fault.as_ref().and_then(in_place_of_an_answer) {
        return Ok(request.into_response(response));
    }
    let allowed = world.quotas.take(
        wechats(request.path()),
        &world.account.setup(),
        Timestamp::now(),
    );
    if let Err(exceeded) = allowed {
        let response = over_quota(exceeded).error_response();
        return Ok(request.into_response(response));
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_boxed_body)
}

/// Middleware: WeChat's clock, which may be another one than this machine's.
pub(super) async fn dated(
    world: Data<World>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let offset = world.account.setup().clock_offset_seconds;
    let mut response = next.call(request).await?;
    let now = Timestamp::now() + SignedDuration::from_secs(i64::from(offset));
    let date = HttpDate::from(SystemTime::from(now)).to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(DATE, date);
    }
    Ok(response)
}

/// Middleware for `/sns`: JSON travels as `text/plain` there (GitHub thread
/// panva/oauth4webapi#155).
pub(super) async fn as_plain_text(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
    {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    }
    Ok(response)
}

fn over_quota(exceeded: Exceeded) -> Refusal {
    refusal(match exceeded {
        Exceeded::Day => 45009,
        Exceeded::Minute => 45011,
    })
}

/// Refuses a call whose `access_token` parameter is missing or no longer good, or that an account
/// of this kind may not make.
pub(super) fn authorize(world: &World, request: &HttpRequest) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Parameters {
        access_token: String,
    }
    let parameters = parameters::<Parameters>(request).ok_or_else(|| refusal(41001))?;
    if parameters.access_token.is_empty() {
        return Err(refusal(41001));
    }
    match world
        .tokens
        .check(&parameters.access_token, Timestamp::now())
    {
        TokenCheck::Valid
            if world
                .account
                .setup()
                .account
                .may_call(wechats(request.path())) =>
        {
            Ok(())
        }
        TokenCheck::Valid => Err(refusal(48001)),
        TokenCheck::Expired => Err(refusal(42001)),
        TokenCheck::NotLatest => Err(refusal(40001)),
        TokenCheck::Malformed => Err(refusal(40014)),
    }
}

/// Refuses a secret that is not the account's, or that the console reset or froze.
pub(super) fn check_secret(world: &World, secret: &str) -> Result<(), Refusal> {
    let right = secret == world.account.credentials().app_secret.expose_secret();
    match world.account.setup().secret_state {
        SecretState::Ok if right => Ok(()),
        SecretState::Frozen if right => Err(refusal(40243)),
        SecretState::Ok | SecretState::Wrong | SecretState::Frozen => Err(refusal(40125)),
    }
}

/// The query's parameters, decoded once; `None` when a required one is missing.
pub(super) fn parameters<T: for<'de> Deserialize<'de>>(request: &HttpRequest) -> Option<T> {
    actix_web::web::Query::from_query(request.query_string())
        .ok()
        .map(actix_web::web::Query::into_inner)
}

fn in_place_of_an_answer(fault: &Fault) -> Option<HttpResponse> {
    let response = match fault {
        Fault::Slow { .. } => return None,
        Fault::Errcode { errcode } => refusal(*errcode).error_response(),
        Fault::Html => HttpResponse::BadGateway()
            .content_type("text/html")
            .body(BAD_GATEWAY),
        Fault::Empty => HttpResponse::Ok().content_type("text/plain").finish(),
        Fault::Status { status } => {
            HttpResponse::new(StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY))
        }
        Fault::Body(body) => HttpResponse::Ok()
            .content_type("application/json; encoding=utf-8")
            .body(body.bytes()),
        // A body that fails before its first byte makes the server drop the connection.
        Fault::HangUp => {
            let broken = stream::once(async { Err::<Bytes, _>(io::Error::other("hung up")) });
            HttpResponse::Ok().body(BodyStream::new(Box::pin(broken)))
        }
    };
    Some(response)
}
