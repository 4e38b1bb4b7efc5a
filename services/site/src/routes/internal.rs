//! What the owner's own backends reach, once they have a key.

use actix_web::{
    http::Method,
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use service_kit::{
    api_key::{self, ApiKeys},
    endpoint, problem,
};

use super::tickets;
use crate::tickets::Tickets;

/// The largest body that the internal API accepts, in bytes.
const BODY_LIMIT: usize = 16 * 1024;

/// The internal API and its key.
#[derive(Clone)]
pub struct InternalApi {
    /// The bearer keys.
    pub api_keys: Data<ApiKeys>,
    /// Login tickets.
    pub tickets: Data<Tickets>,
}

/// Adds the internal API to its listener.
pub fn configure(config: &mut ServiceConfig, api: &InternalApi) {
    problem::configure(config, BODY_LIMIT);
    config
        .app_data(api.api_keys.clone())
        .app_data(api.tickets.clone())
        .service(
            endpoint::at(
                "/v1/tickets/redeem",
                [(Method::POST, web::to(tickets::redeem))],
            )
            .wrap(from_fn(api_key::require)),
        );
}
