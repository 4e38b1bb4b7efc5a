//! The bearer keys of an internal API.

use crate::problem::Problem;
use actix_web::{
    Error, ResponseError as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web::Data,
};
use login_protocol::problem::ProblemCode;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::{Choice, ConstantTimeEq as _};

/// The key, and while it is being replaced the one before.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    /// What callers should use.
    pub current: SecretString,
    /// What those may use that don't have it yet.
    pub previous: Option<SecretString>,
}

impl ApiKeys {
    /// Whether this is one of them. How long that takes doesn't depend on how much of it is right.
    fn accept(&self, presented: &[u8]) -> bool {
        let is = |key: &SecretString| presented.ct_eq(key.expose_secret().as_bytes());
        let previous = self.previous.as_ref();
        bool::from(is(&self.current) | previous.map_or(Choice::from(0), is))
    }
}

/// Middleware: lets nobody through without a key.
pub async fn require(
    keys: Data<ApiKeys>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let header = request.headers().get(AUTHORIZATION);
    let presented = header
        .and_then(|value| bearer(value.as_bytes()))
        .unwrap_or_default();
    if keys.accept(presented) {
        let response = next.call(request).await?;
        Ok(response.map_into_boxed_body())
    } else {
        let detail = "Send the internal API key as `Authorization: Bearer <key>`.";
        // A response and not an error, so that it is logged and counted.
        let refusal = Problem::new(ProblemCode::InvalidApiKey, detail).error_response();
        Ok(request.into_response(refusal))
    }
}

/// The credentials of the `Bearer` scheme, whose name has no case (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, credentials) = value.split_at_checked(b"Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then_some(credentials)
}
