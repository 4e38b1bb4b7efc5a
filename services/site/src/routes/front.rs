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
use crate::{
    allowed_origins::AllowedOrigins,
    oidc::{cors, paths, provider::Provider},
};

/// The rules of a worker's middleware: which origins are allowed.
pub(super) struct Front {
    /// The site's own.
    pub(super) own_origin: Arc<OwnOrigin>,
    /// Others.
    pub(super) allowed_origins: Data<AllowedOrigins>,
    /// The OpenID Connect provider, to which pages of other sites post.
    pub(super) provider: Option<Data<Provider>>,
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
        let to_provider = self
            .provider
            .as_ref()
            .and_then(|provider| cors::CrossOrigin::of(provider, &request));
        let preflight = cross_origin
            .as_ref()
            .and_then(|cross_origin| cross_origin.preflight(&request));
        let preflight = preflight.or_else(|| {
            to_provider.as_ref()?;
            cors::CrossOrigin::preflight(&request)
        });
        // Answers and not errors, so that what is around this treats them as any other.
        let mut response = match preflight.or_else(|| self.refusal(&request)) {
            Some(answer) => request.into_response(answer),
            None => next.call(request).await?,
        };
        let headers = response.headers_mut();
        if let Some(cross_origin) = cross_origin {
            cross_origin.mark(headers);
        }
        if let Some(to_provider) = to_provider {
            to_provider.mark(headers);
        }
        security_headers::add(headers);
        Ok(response)
    }

    /// Why a request is refused: it changes something and comes from a foreign page, or it has a
    /// large body.
    fn refusal(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let headers = request.headers();
        let path = self.provider.as_ref().map_or("", |_| request.path());
        let may_ask = request.method().is_safe()
            || paths::is_for_anybody(path)
            || self.own_origin.sent(headers)
            || self.allowed_origins.sender(headers).is_some();
        let refusal = if may_ask && paths::takes_forms(path) {
            None
        } else if may_ask {
            small_bodies::refusal(headers)
        } else {
            Some(own_origin::refusal())
        };
        refusal.map(|problem| problem.error_response())
    }
}
