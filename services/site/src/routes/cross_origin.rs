//! Pages of the configured other origins may use the API: CORS
//! (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use actix_web::{
    HttpResponse, ResponseError as _,
    dev::ServiceRequest,
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
            HeaderMap, HeaderValue, ORIGIN, VARY,
        },
    },
};

use super::own_origin;
use crate::allowed_origins::AllowedOrigins;

/// What the modal sends beyond what every page may.
const METHODS: &str = "GET, POST, DELETE";
const HEADERS: &str = "accept";

/// What the modal reads beyond what every page may.
const EXPOSED: &str = "retry-after";

/// How long a browser may remember a preflight, in seconds: two hours, and Chromium remembers none
/// longer.
const MAX_AGE: &str = "7200";

/// A request to the API, while pages of other origins may use it.
pub(super) struct CrossOrigin {
    /// The origin of the page that sent it, if it is one of those.
    sender: Option<HeaderValue>,
}

impl CrossOrigin {
    /// `None` for what no page of another origin may use. So while none is configured, nothing is
    /// done.
    pub(super) fn of(allowed: &AllowedOrigins, request: &ServiceRequest) -> Option<Self> {
        let concerned = !allowed.is_empty() && request.path().starts_with("/api/");
        concerned.then(|| Self {
            sender: allowed.sender(request.headers()).cloned(),
        })
    }

    /// The answer to a preflight, if it is one.
    pub(super) fn preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        is_preflight(request).then(|| match self.sender {
            Some(_) => permission(),
            None => own_origin::refusal().error_response(),
        })
    }

    /// Says on an answer whether the page that asked may read it; on refusals too, so that it reads
    /// why.
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(sender) = self.sender {
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
    }
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
