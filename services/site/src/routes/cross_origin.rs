//! Pages of the configured other origins may use the API: CORS (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use actix_web::{
    Error, HttpResponse, ResponseError as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue, ORIGIN, VARY,
        },
    },
    middleware::Next,
    web::Data,
};

use super::own_origin;
use crate::allowed_origins::AllowedOrigins;

/// What the modal sends beyond what every page may.
const METHODS: &str = "GET, POST, DELETE";
const HEADERS: &str = "accept";

/// What the modal reads beyond what every page may.
const EXPOSED: &str = "retry-after";

/// How long a browser may remember a preflight, in seconds: two hours, and Chromium remembers none longer.
const MAX_AGE: &str = "7200";

/// Middleware: answers preflights, and says on every answer of the API whether the page that asked may
/// read it. While no other origin is configured it does nothing.
///
/// It stands outside of all that refuses requests, so that a page reads why.
pub(super) async fn answer(
    allowed: Data<AllowedOrigins>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if allowed.is_empty() || !request.path().starts_with("/api/") {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let sender = allowed.sender(request.headers()).cloned();
    let mut response = if is_preflight(&request) {
        let answer = match sender {
            Some(_) => permission(),
            None => own_origin::refusal().error_response(),
        };
        request.into_response(answer)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(sender) = sender {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, sender);
        headers.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }
    Ok(response)
}

fn is_preflight(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn permission() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, HEADERS))
        .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE))
        .finish()
}
