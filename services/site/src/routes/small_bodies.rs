//! Nothing here reads a body, so a large one is a mistake or an attack.

use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use login_protocol::problem::ProblemCode;
use service_kit::problem::Problem;

use super::BODY_LIMIT;

/// The refusal of a request that announces a large body. A body of unannounced length is never
/// read; the connection ends with the answer.
pub(super) fn refusal(headers: &HeaderMap) -> Option<Problem> {
    (announced(headers) > BODY_LIMIT).then(|| {
        let detail = format!("The body must not exceed {BODY_LIMIT} bytes.");
        Problem::new(ProblemCode::PayloadTooLarge, detail)
    })
}

fn announced(headers: &HeaderMap) -> usize {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    // The server has refused what is no number; a number too large for this one is too large.
    length.map_or(0, |length| length.trim().parse().unwrap_or(usize::MAX))
}
