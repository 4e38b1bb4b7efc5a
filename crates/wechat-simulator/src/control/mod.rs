//! The control API below `/simulator`: for tests, and for the phone page, which is built on it.

mod codes;
mod deliveries;
mod events;
mod people;
mod problem;
mod switches;

use actix_web::web::{self, ServiceConfig};

pub(crate) use events::Closing;

/// Adds the control API's addresses.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let control = web::scope("/simulator")
        .configure(|scope| service_kit::problem::configure(scope, 64 * 1024))
        .configure(people::configure)
        .configure(codes::configure)
        .configure(deliveries::configure)
        .configure(switches::configure)
        .route("/events", web::get().to(events::stream))
        .default_service(web::to(service_kit::problem::not_found));
    config.service(control);
}
