//! Which pages' scripts may read the provider's answers: those of anybody the public documents,
//! those of public clients what they need to log in without a server (Fetch standard, CORS). Never
//! with credentials.

use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_METHOD, CROSS_ORIGIN_RESOURCE_POLICY, HeaderMap, HeaderValue,
            ORIGIN, VARY,
        },
    },
};

use super::{paths, provider::Provider};

/// How long a browser may remember a preflight, in seconds.
const MAX_AGE: &str = "7200";

/// A request to an endpoint that scripts of other origins may use.
pub(crate) enum CrossOrigin {
    /// Anybody's.
    Anybody,
    /// Those of public clients; the origin, if it is one's.
    PublicClient(Option<HeaderValue>),
}

impl CrossOrigin {
    /// `None` for an endpoint that no page of another origin may use.
    pub(crate) fn of(provider: &Provider, request: &ServiceRequest) -> Option<Self> {
        match request.path() {
            paths::DISCOVERY | paths::JWKS => Some(Self::Anybody),
            paths::TOKEN | paths::USERINFO | paths::REVOCATION => {
                let origin = request.headers().get(ORIGIN);
                let known = origin.filter(|origin| {
                    let origin = origin.to_str().unwrap_or_default();
                    provider.clients.have_origin(origin)
                });
                Some(Self::PublicClient(known.cloned()))
            }
            _ => None,
        }
    }

    /// The answer to a preflight, if it is one. Without the header that names the origin it
    /// permits nothing.
    pub(crate) fn preflight(request: &ServiceRequest) -> Option<HttpResponse> {
        let headers = request.headers();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        is_preflight.then(|| {
            HttpResponse::NoContent()
                .insert_header((ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
                .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"))
                .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE))
                .finish()
        })
    }

    /// Says on an answer who may read it.
    pub(crate) fn mark(self, headers: &mut HeaderMap) {
        let origin = match self {
            Self::Anybody => Some(HeaderValue::from_static("*")),
            Self::PublicClient(origin) => {
                headers.append(VARY, HeaderValue::from_static("origin"));
                origin
            }
        };
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("www-authenticate, retry-after"),
            );
            headers.insert(
                CROSS_ORIGIN_RESOURCE_POLICY,
                HeaderValue::from_static("cross-origin"),
            );
        }
    }
}
