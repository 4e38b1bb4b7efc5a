//! Nothing here reads a body, so a large one is a mistake or an attack.

use actix_web::{
    Error, ResponseError as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CONTENT_LENGTH, HeaderMap},
    middleware::Next,
};
use login_protocol::problem::ProblemCode;
use service_kit::problem::Problem;

use super::BODY_LIMIT;

/// Middleware: refuses a request that announces a large body, before anything is done. A body of
/// unannounced length is never read; the connection ends with the answer.
pub(super) async fn require(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if announced(request.headers()) <= BODY_LIMIT {
        let response = next.call(request).await?;
        return Ok(response.map_into_boxed_body());
    }
    let detail = format!("The body may have {BODY_LIMIT} bytes at most.");
    let refusal = Problem::new(ProblemCode::PayloadTooLarge, detail).error_response();
    Ok(request.into_response(refusal))
}

fn announced(headers: &HeaderMap) -> usize {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    // The server has refused what is no number; a number too large for this one is too large.
    length.map_or(0, |length| length.trim().parse().unwrap_or(usize::MAX))
}
