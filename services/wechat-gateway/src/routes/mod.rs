//! The gateway's two HTTP surfaces. Nothing of one is reachable through the other.

use actix_web::{
    HttpResponse, Resource, Route,
    error::InternalError,
    middleware::from_fn,
    web::{self, Data, QueryConfig, ServiceConfig},
};
use login_protocol::gateway_api;
use secrecy::SecretString;
use service_kit::problem;

mod access_token;
mod api_key;
mod callback;
mod members;
mod openapi;
mod qr_codes;

/// The largest body that the internal API accepts, in bytes.
const BODY_LIMIT: usize = 16 * 1024;

/// What WeChat and phones reach.
pub fn configure_public(config: &mut ServiceConfig) {
    // What can't be read can't be signed, and a forger is told nothing.
    let unreadable = QueryConfig::default().error_handler(|error, _| {
        InternalError::from_response(error, HttpResponse::Forbidden().finish()).into()
    });
    config.app_data(unreadable).service(only(
        "/wechat/callback",
        [
            web::get().to(callback::verify),
            web::post().to(callback::receive),
        ],
    ));
}

/// What the site and other backends reach.
pub fn configure_internal(config: &mut ServiceConfig, api_key: Data<SecretString>) {
    problem::configure(config, BODY_LIMIT);
    let guarded = |resource: Resource| resource.wrap(from_fn(api_key::require));
    config
        .app_data(api_key)
        .service(guarded(only(
            gateway_api::QR_CODES,
            [web::post().to(qr_codes::create)],
        )))
        .service(guarded(only(
            gateway_api::ACCESS_TOKEN,
            [web::get().to(access_token::current)],
        )))
        .service(guarded(only(
            gateway_api::INVALIDATE_ACCESS_TOKEN,
            [web::post().to(access_token::invalidate)],
        )))
        .service(guarded(only(
            gateway_api::MEMBER,
            [web::get().to(members::read)],
        )))
        .service(only("/openapi.json", [web::get().to(openapi::read)]));
}

fn only<const COUNT: usize>(path: &str, routes: [Route; COUNT]) -> Resource {
    let resource = web::resource(path).default_service(web::to(problem::method_not_allowed));
    routes.into_iter().fold(resource, Resource::route)
}
