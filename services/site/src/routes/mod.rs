//! What browsers reach.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    App, Error,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::Method,
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use service_kit::{client_address::TrustedProxies, endpoint, problem};

use crate::{
    account_pictures::{self as pictures, AccountPictures},
    allowed_origins::AllowedOrigins,
    cookies::Cookies,
    forward_auth::{self as forward_authentication, ForwardAuth},
    login::Logins,
    login_page::{Branding, FrontPage},
    login_watch::LoginWatch,
    oidc::{endpoints, provider::Provider},
    public_url::PublicUrl,
    session_watch::SessionWatch,
    sessions::store::Sessions,
    waiting_room::WaitingRoom,
};
use front::Front;
use own_origin::OwnOrigin;
use session_events::SignedInRoom;

mod account_pictures;
mod assets;
mod cross_origin;
mod forward_auth;
mod forward_auth_login;
mod forward_auth_page;
mod forward_auth_return;
mod front;
pub mod internal;
mod login;
mod login_complete;
mod login_events;
mod login_page;
mod oidc_sessions;
pub mod openapi;
pub mod own_origin;
mod problems;
mod purpose;
mod query;
mod security_headers;
mod session;
pub mod session_events;
mod small_bodies;
mod tickets;
mod web_authorization;
mod web_authorization_failed;

/// The largest body that the API accepts, in bytes. It reads none.
const BODY_LIMIT: usize = 1024;

/// What the handlers work with.
#[derive(Clone)]
pub struct Parts {
    /// Attempts.
    pub logins: Data<Logins>,
    /// Pictures of accounts.
    pub pictures: Data<AccountPictures>,
    /// Sessions.
    pub sessions: Data<Sessions>,
    /// Status changes.
    pub watch: Data<LoginWatch>,
    /// The open streams.
    pub room: Data<WaitingRoom>,
    /// Pages that watch their session.
    pub session_watch: Data<SessionWatch>,
    /// Their streams.
    pub signed_in_room: Data<SignedInRoom>,
    /// Who may ask about requests.
    pub forward_auth: Data<ForwardAuth>,
    /// The cookies' names and attributes.
    pub cookies: Data<Cookies>,
    /// The site's own URL.
    pub public_url: Data<PublicUrl>,
    /// The origin whose pages may post.
    pub own_origin: Arc<OwnOrigin>,
    /// The other origins whose pages may.
    pub allowed_origins: Data<AllowedOrigins>,
    /// What the login page calls itself.
    pub branding: Data<Branding>,
    /// What is shown at `/`.
    pub front: Data<FrontPage>,
    /// Whose `X-Forwarded-For` is trusted.
    pub proxies: Data<TrustedProxies>,
    /// The OpenID Connect provider, if there are clients.
    pub provider: Option<Data<Provider>>,
}

/// The public listener's application.
pub fn app(
    parts: &Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let front = Rc::new(Front {
        own_origin: Arc::clone(&parts.own_origin),
        allowed_origins: parts.allowed_origins.clone(),
        provider: parts.provider.clone(),
    });
    let provider = parts.provider.clone();
    App::new()
        .configure(|config| problem::configure(config, BODY_LIMIT))
        .configure(addresses)
        .configure(move |config| {
            if let Some(provider) = provider {
                config.app_data(provider).configure(endpoints::configure);
            }
        })
        .app_data(parts.logins.clone())
        .app_data(parts.pictures.clone())
        .app_data(parts.sessions.clone())
        .app_data(parts.watch.clone())
        .app_data(parts.room.clone())
        .app_data(parts.session_watch.clone())
        .app_data(parts.signed_in_room.clone())
        .app_data(parts.forward_auth.clone())
        .app_data(parts.cookies.clone())
        .app_data(parts.public_url.clone())
        .app_data(parts.allowed_origins.clone())
        .app_data(parts.branding.clone())
        .app_data(parts.front.clone())
        .app_data(parts.proxies.clone())
        .wrap(from_fn(move |request, next| {
            Rc::clone(&front).pass(request, next)
        }))
}

fn addresses(config: &mut ServiceConfig) {
    config
        .service(endpoint::at(
            "/api/login",
            [
                (Method::POST, web::to(login::start)),
                (Method::GET, web::to(login::status)),
                (Method::DELETE, web::to(login::cancel)),
            ],
        ))
        .service(endpoint::at(
            "/api/login/events",
            [(Method::GET, web::to(login_events::follow))],
        ))
        .service(endpoint::at(
            "/api/login/complete",
            [(Method::POST, web::to(login_complete::complete))],
        ))
        .service(endpoint::at(
            "/api/login/web-authorization",
            [(Method::POST, web::to(web_authorization::begin))],
        ))
        .service(endpoint::at(
            web_authorization::CALLBACK,
            [(Method::GET, web::to(web_authorization::callback))],
        ))
        .service(endpoint::at(
            web_authorization_failed::PATH,
            [(Method::GET, web::to(web_authorization_failed::page))],
        ))
        .service(endpoint::at(
            "/api/session",
            [
                (Method::GET, web::to(session::read)),
                (Method::DELETE, web::to(session::end)),
            ],
        ))
        .service(endpoint::at(
            "/api/session/events",
            [(Method::GET, web::to(session_events::follow))],
        ))
        .service(endpoint::at(
            "/api/sessions",
            [
                (Method::GET, web::to(session::list)),
                (Method::DELETE, web::to(session::end_all)),
            ],
        ))
        .service(endpoint::at(
            "/api/sessions/{id}",
            [(Method::DELETE, web::to(session::end_one))],
        ))
        .service(endpoint::at(
            "/api/forward-auth",
            [(Method::GET, web::to(forward_auth::ask))],
        ))
        .service(endpoint::at(
            forward_authentication::LOGIN,
            [(Method::GET, web::to(forward_auth_login::lead_on))],
        ))
        .service(endpoint::at(
            forward_authentication::RETURN,
            [(Method::GET, web::to(forward_auth_return::come_back))],
        ))
        .service(endpoint::at(
            forward_auth_return::STYLE,
            [(Method::GET, web::to(forward_auth_return::style))],
        ))
        .service(endpoint::at(
            "/",
            [
                (Method::GET, web::to(login_page::front)),
                (Method::HEAD, web::to(login_page::front)),
            ],
        ))
        .service(endpoint::at(
            login_page::PATH,
            [
                (Method::GET, web::to(login_page::page)),
                (Method::HEAD, web::to(login_page::page)),
            ],
        ))
        .service(endpoint::at(
            &format!("{}{{name}}", pictures::FOLDER),
            [
                (Method::GET, web::to(account_pictures::read)),
                (Method::HEAD, web::to(account_pictures::read)),
            ],
        ))
        .service(endpoint::at(
            "/assets/{path:.*}",
            [
                (Method::GET, web::to(assets::asset)),
                (Method::HEAD, web::to(assets::asset)),
            ],
        ));
}
