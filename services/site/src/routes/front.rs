//! The middleware in front of all routes: what is rejected before anything is done, and the headers
//! of every response.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    Error, HttpResponse, ResponseError as _,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use super::{
    cross_origin::CrossOrigin,
    own_origin::{self, OwnOrigin},
    security_headers, small_bodies,
};
use crate::allowed_origins::AllowedOrigins;

/// The rules of a worker's middleware: which origins are allowed.
pub(super) struct Front {
    /// The site's own.
    pub(super) own_origin: Arc<OwnOrigin>,
    /// Others.
    pub(super) allowed_origins: Data<AllowedOrigins>,
}

impl Front {
    /// One middleware for everything, since each costs every request an allocation for its future
    /// and another move of the request.
    pub(super) async fn pass(
        self: Rc<Self>,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Result<ServiceResponse<BoxBody>, Error> {
        let cross_origin = CrossOrigin::of(&self.allowed_origins, &request);
        let preflight = cross_origin
            .as_ref()
            .and_then(|cross_origin| cross_origin.preflight(&request));
        // Answers and not errors, so that what is around this treats them as any other.
        let mut response = match preflight.or_else(|| self.refusal(&request)) {
            Some(answer) => request.into_response(answer),
            None => next.call(request).await?,
        };
        let headers = response.headers_mut();
        if let Some(cross_origin) = cross_origin {
            cross_origin.mark(headers);
        }
        security_headers::add(headers);
        Ok(response)
    }

    /// Why a request is refused: it changes something and comes from a foreign page, or it has a
    /// large body.
    fn refusal(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let headers = request.headers();
        let may_ask = request.method().is_safe()
            || self.own_origin.sent(headers)
            || self.allowed_origins.sender(headers).is_some();
        let refusal = if may_ask {
            small_bodies::refusal(headers)
        } else {
            Some(own_origin::refusal())
        };
        refusal.map(|problem| problem.error_response())
    }
}
