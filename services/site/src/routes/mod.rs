//! What browsers reach.

use actix_web::{
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use service_kit::{client_address::TrustedProxies, endpoint, problem};
use tokio_util::sync::CancellationToken;

use crate::{
    allowed_origins::AllowedOrigins, cookies::Cookies, login::Logins, login_watch::LoginWatch,
    waiting_room::WaitingRoom,
};
use login_in_wechat::ReturnAddress;
use own_origin::OwnOrigin;

mod assets;
mod cross_origin;
mod login;
mod login_complete;
mod login_events;
pub mod login_in_wechat;
mod login_stopped;
pub mod own_origin;
mod security_headers;
mod session;
mod small_bodies;

/// The largest body that the API accepts, in bytes. It reads none.
const BODY_LIMIT: usize = 1024;

/// What the handlers work with.
#[derive(Clone)]
pub struct Parts {
    /// Attempts and sessions.
    pub logins: Data<Logins>,
    /// The news of scans.
    pub watch: Data<LoginWatch>,
    /// The open streams.
    pub room: Data<WaitingRoom>,
    /// The cookies' names and attributes.
    pub cookies: Data<Cookies>,
    /// Where WeChat sends visitors back.
    pub return_address: Data<ReturnAddress>,
    /// The origin whose pages may post.
    pub origin: Data<OwnOrigin>,
    /// The other origins whose pages may.
    pub allowed_origins: Data<AllowedOrigins>,
    /// Who may speak for a client.
    pub proxies: Data<TrustedProxies>,
    /// Cancelled when the site stops.
    pub shutdown: Data<CancellationToken>,
}

/// All addresses of the public listener.
pub fn configure(config: &mut ServiceConfig, parts: &Parts) {
    problem::configure(config, BODY_LIMIT);
    config
        .app_data(parts.logins.clone())
        .app_data(parts.watch.clone())
        .app_data(parts.room.clone())
        .app_data(parts.cookies.clone())
        .app_data(parts.return_address.clone())
        .app_data(parts.origin.clone())
        .app_data(parts.allowed_origins.clone())
        .app_data(parts.proxies.clone())
        .app_data(parts.shutdown.clone());
    let routes = web::scope("")
        .wrap(from_fn(small_bodies::require))
        .wrap(from_fn(own_origin::require))
        .wrap(from_fn(cross_origin::answer))
        .wrap(from_fn(security_headers::add))
        .service(endpoint::at(
            "/api/login",
            [
                web::post().to(login::start),
                web::get().to(login::status),
                web::delete().to(login::cancel),
            ],
        ))
        .service(endpoint::at(
            "/api/login/events",
            [web::get().to(login_events::follow)],
        ))
        .service(endpoint::at(
            "/api/login/complete",
            [web::post().to(login_complete::complete)],
        ))
        .service(endpoint::at(
            "/api/login/web-authorization",
            [web::post().to(login_in_wechat::depart)],
        ))
        .service(endpoint::at(
            login_in_wechat::RETURN,
            [web::get().to(login_in_wechat::arrive)],
        ))
        .service(endpoint::at(
            login_stopped::STOPPED,
            [web::get().to(login_stopped::page)],
        ))
        .service(endpoint::at(
            "/api/session",
            [web::get().to(session::read), web::delete().to(session::end)],
        ))
        .service(endpoint::at(
            "/api/sessions",
            [web::delete().to(session::end_all)],
        ))
        .service(endpoint::at(
            "/",
            [web::get().to(assets::page), web::head().to(assets::page)],
        ))
        .service(endpoint::at(
            "/assets/{path:.*}",
            [web::get().to(assets::asset), web::head().to(assets::asset)],
        ))
        .default_service(web::to(problem::not_found));
    config.service(routes);
}
